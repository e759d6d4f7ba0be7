// The resolver and the zone's name servers fail, are silent, lame, late, or say what nobody entered.
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

/** @param seconds - how long those last that end by themselves, after the policy file was written */
export function dnsFaults(seconds: number): readonly Fault[] {
  return [
    { what: 'the resolver answers SERVFAIL to its first three questions', early: true, slow: true, begin: resolver('SERVFAIL') },
    { what: 'the resolver is silent to its first three questions', early: true, begin: resolver('drop') },
    {
      what: 'the resolver answers nothing but SERVFAIL',
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
      what: `all name servers are silent for ${seconds} s after the write`,
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
      what: `a name server gives the old record for ${seconds} s after the function got it in place of the new one`,
      begin: inPlaceOfTheNewRecord(seconds, (old) => ({ ...reply('NOERROR'), answers: [old], authoritative: true })),
    },
    {
      what: `a name server knows no record (NXDOMAIN) for ${seconds} s after the function got that in place of the new one`,
      slow: true,
      begin: inPlaceOfTheNewRecord(seconds, () => ({ ...reply('NXDOMAIN'), authoritative: true })),
    },
    {
      what: 'a name server gives the old record and no other',
      outcome: 'rolled back',
      published: 'for a moment',
      says: /record-disagreement: .* at 205\.251\.196\.3/,
      // More than the two minutes for which the Verification has patience.
      begin: inPlaceOfTheNewRecord(Infinity, (old) => ({ ...reply('NOERROR'), answers: [old], authoritative: true }), (environment) => {
        skewClock(environment, 150);
      }),
    },
    {
      what: 'somebody else\'s record appears beside the new one',
      doubles: true,
      outcome: 'rolled back',
      published: 'for a moment',
      says: MULTIPLE,
      slow: true,
      begin: somebodyElses('beside the new one'),
    },
    {
      what: 'somebody else\'s record appears beside the new one, and stays beside the old one',
      doubles: true,
      outcome: 'rolled back',
      published: 'for a moment',
      says: MULTIPLE,
      begin: somebodyElses('from then on'),
    },
  ];
}

const MULTIPLE = /record-multiple: _mta-sts\.example\.test/;

/** Somebody else's record beside the one with the new id, or from then on beside whatever stands. */
function somebodyElses(where: 'beside the new one' | 'from then on'): Fault['begin'] {
  return async (environment) => {
    const before = await publishedId();
    let begun = false;
    environment.dns.fail(secondRecord(RECORD_NAME, (text) => {
      begun ||= !text.includes(before);
      return where === 'from then on' ? begun : !text.includes(before);
    }));
    return () => {
      reset(environment);
    };
  };
}

/**
 * Puts somebody else's record beside the right one, at all name servers and the resolver.
 *
 * @param isWanted - is told the right one
 */
export function secondRecord(name: string, isWanted: (text: string) => boolean): DnsFault {
  return (_, answer) => async (question) => {
    const right = await answer(question);
    if (right === 'drop' || question.name !== name || question.type !== 'TXT') return right;
    const texts = textsOf(right);
    if (texts.length === 0 || !isWanted(texts.join())) return right;
    return { ...right, answers: [...right.answers, { name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=somebodyelses;'] }] };
  };
}

function textsOf({ answers }: DnsReply): readonly string[] {
  return answers.flatMap((record) => record.type === 'TXT' ? [record.data.join('')] : []);
}

/** @param only - the name of one; all where it is not given */
function nameServers(wrong: DnsReply | 'drop', only?: string): Parameters<typeof untilAfterWrite>[2] {
  return ({ dns }, { isOn, meet }) => {
    dns.fail((server) => () => {
      if (server === 'resolver' || server !== (only ?? server) || !isOn()) return undefined;
      meet();
      return wrong;
    });
  };
}

/** The questions of the function, not those of the watch: that asks for nothing but TXT. */
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
      if (left > 0) throw new Error(`only ${3 - left} of 3 questions were made to fail`);
    };
  };
}

/**
 * What one name server says, where the new record stands or will.
 *
 * @param met - as soon as the function got it where the others have the new one
 */
function inPlaceOfTheNewRecord(seconds: number, wrong: (old: DnsRecord) => DnsReply, met?: (environment: TestEnvironment) => void): Fault['begin'] {
  return untilAfterMeeting(seconds, async (environment, { isOn, meet }) => {
    const before = await publishedId();
    const old: DnsRecord = { name: RECORD_NAME, ttl: 1, type: 'TXT', data: [`v=STSv1; id=${before};`] };
    environment.dns.fail((server, answer) => async (question: DnsQuestion) => {
      if (server !== 'ns-3.awsdns-3.org' || !isAboutRecord(server, question) || !isOn()) return undefined;
      const right = await answer(question);
      if (right !== 'drop' && !textsOf(right).join().includes(before)) {
        meet();
        met?.(environment);
      }
      return wrong(old);
    });
  });
}
