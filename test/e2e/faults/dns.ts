// Faults of DNS: the resolver and the name servers of the zone fail, do not answer, are lame or outdated, or return foreign records.
import type { DnsQuestion, DnsRecord, DnsReply } from '../../../lib/preview/dns-server/server';
import { publishedId } from '../environment/app/live-state';
import type { DnsFault } from '../environment/dns/dns';
import { RECORD_NAME } from '../environment/dns/domain';
import type { TestEnvironment } from '../environment/environment';
import { reset } from '../environment/reset';
import { skewClock } from './clock-skew';
import { isAboutRecord, reply } from './fault';
import type { End, Fault } from './fault';
import { untilAfterMeeting, untilAfterWrite } from './window';

/** @param seconds - duration of temporary faults after the policy file was written */
export function dnsFaults(seconds: number): readonly Fault[] {
  return [
    { what: 'the resolver answers SERVFAIL to its first three queries', early: true, slow: true, begin: resolver('SERVFAIL') },
    { what: 'the resolver does not answer its first three queries', early: true, begin: resolver('drop') },
    {
      what: 'the resolver answers SERVFAIL to every query',
      outcome: 'rolled back',
      published: 'never',
      says: /DNS gave no answer for .*SERVFAIL/,
      slow: true,
      soak: false,
      begin: (environment: TestEnvironment): End => {
        environment.dns.fail((server) => ({ type }) => server === 'resolver' && type !== 'TXT' ? reply('SERVFAIL') : undefined);
        return () => {
          reset(environment);
        };
      },
    },
    {
      what: `all name servers answer SERVFAIL for ${seconds} s after the write`,
      holdsBack: seconds,
      begin: untilAfterWrite('write', seconds, nameServers(reply('SERVFAIL'))),
    },
    {
      what: `no name server answers for ${seconds} s after the write`,
      slow: true,
      holdsBack: seconds,
      begin: untilAfterWrite('write', seconds, nameServers('drop')),
    },
    {
      what: `a name server is lame until ${seconds} s after the write`,
      holdsBack: seconds,
      begin: untilAfterWrite('beginning', seconds, nameServers(reply('REFUSED'), 'ns-2.awsdns-2.net')),
    },
    {
      what: `a name server returns the old record for ${seconds} s after the function first received it`,
      begin: insteadOfNewRecord(seconds, (old) => ({ ...reply('NOERROR'), answers: [old], authoritative: true })),
    },
    {
      what: `a name server has no record (NXDOMAIN) for ${seconds} s after the function first received that answer`,
      slow: true,
      begin: insteadOfNewRecord(seconds, () => ({ ...reply('NXDOMAIN'), authoritative: true })),
    },
    {
      what: 'a name server always returns the old record',
      outcome: 'rolled back',
      published: 'for a moment',
      says: /record-disagreement: .* at 205\.251\.196\.3/,
      // The Verification retries for two minutes.
      begin: insteadOfNewRecord(Infinity, (old) => ({ ...reply('NOERROR'), answers: [old], authoritative: true }), (environment) => {
        skewClock(environment, 150);
      }),
    },
    {
      what: 'a foreign record appears beside the new one',
      doubles: true,
      outcome: 'rolled back',
      published: 'for a moment',
      says: MULTIPLE,
      slow: true,
      begin: foreignRecord('beside the new record'),
    },
    {
      what: 'a foreign record appears beside the new one, and remains beside the old one',
      doubles: true,
      outcome: 'rolled back',
      published: 'for a moment',
      says: MULTIPLE,
      begin: foreignRecord('always after'),
    },
  ];
}

const MULTIPLE = /record-multiple: _mta-sts\.example\.test/;

/** Adds a foreign record while the new record is published, or from then on beside every record. */
function foreignRecord(when: 'beside the new record' | 'always after'): Fault['begin'] {
  return async (environment) => {
    const before = await publishedId();
    let hasBegun = false;
    environment.dns.fail(secondRecord(RECORD_NAME, (text) => {
      const isNew = !text.includes(before);
      hasBegun ||= isNew;
      return when === 'always after' ? hasBegun : isNew;
    }));
    return () => {
      reset(environment);
    };
  };
}

/**
 * Adds a foreign record beside the right one, at all name servers and the resolver.
 *
 * @param isWanted - decides by the text of the right record whether to add the foreign one
 */
export function secondRecord(name: string, isWanted: (text: string) => boolean): DnsFault {
  return (_, answer) => async (question) => {
    const right = await answer(question);
    if (right === 'drop' || question.name !== name || question.type !== 'TXT') return right;
    const texts = recordTexts(right);
    if (texts.length === 0 || !isWanted(texts.join())) return right;
    return { ...right, answers: [...right.answers, { name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=foreignrecord;'] }] };
  };
}

function recordTexts({ answers }: DnsReply): readonly string[] {
  return answers.flatMap((record) => record.type === 'TXT' ? [record.data.join('')] : []);
}

/** @param only - name of the one affected name server. @default all */
function nameServers(wrong: DnsReply | 'drop', only?: string): Parameters<typeof untilAfterWrite>[2] {
  return ({ dns }, { isOn, meet }) => {
    dns.fail((server) => () => {
      if (server === 'resolver' || server !== (only ?? server) || !isOn()) return undefined;
      meet();
      return wrong;
    });
  };
}

/** Lets the first three queries of the function fail. Queries for TXT are skipped: the observer sends them. */
function resolver(fault: 'SERVFAIL' | 'drop'): Fault['begin'] {
  return (environment) => {
    let left = 3;
    environment.dns.fail((server) => ({ type }) => {
      if (server !== 'resolver' || type === 'TXT' || left === 0) return undefined;
      left -= 1;
      return fault === 'drop' ? 'drop' : reply('SERVFAIL');
    });
    return () => {
      reset(environment);
      if (left > 0) throw new Error(`only ${3 - left} of 3 queries failed`);
    };
  };
}

/**
 * Lets one name server give a wrong answer instead of the new record.
 *
 * @param wrong - returns the wrong answer
 * @param onMeet - called when the function received the wrong answer while the other name servers have the new record
 */
function insteadOfNewRecord(seconds: number, wrong: (old: DnsRecord) => DnsReply, onMeet?: (environment: TestEnvironment) => void): Fault['begin'] {
  return untilAfterMeeting(seconds, async (environment, { isOn, meet }) => {
    const before = await publishedId();
    const old: DnsRecord = { name: RECORD_NAME, ttl: 1, type: 'TXT', data: [`v=STSv1; id=${before};`] };
    environment.dns.fail((server, answer) => async (question: DnsQuestion) => {
      if (server !== 'ns-3.awsdns-3.org' || !isAboutRecord(server, question) || !isOn()) return undefined;
      const right = await answer(question);
      if (right !== 'drop' && !recordTexts(right).join().includes(before)) {
        meet();
        onMeet?.(environment);
      }
      return wrong(old);
    });
  });
}
