// The resolver and the zone's name servers fail, are silent, lame, late, or say what nobody entered.
import type { DnsRecord } from '../../../../lib/preview/dns-server';
import type { Stage } from '../stage';
import { announcedId } from '../standing';
import { DOMAIN_RECORD, isAboutRecord, mend, reply, untilAfterWrite } from './fault';
import type { End, Fault } from './fault';

/** @param seconds - how long those last that end by themselves, after the policy file was written */
export function faultsOfDns(seconds: number): readonly Fault[] {
  return [
    { what: 'the resolver answers SERVFAIL to its first three questions', early: true, begin: resolver('SERVFAIL') },
    { what: 'the resolver is silent to its first three questions', early: true, begin: resolver('drop') },
    {
      what: 'the resolver answers nothing but SERVFAIL',
      outcome: 'rolled back',
      announced: 'never',
      says: /DNS gave no answer for .*SERVFAIL/,
      slow: true,
      soak: false,
      begin: (stage: Stage): End => {
        stage.dns.fail((server) => ({ type }) => server === 'resolver' && type !== 'TXT' ? reply('SERVFAIL') : undefined);
        return () => {
          mend(stage);
        };
      },
    },
    {
      what: `all name servers answer SERVFAIL for ${seconds} s after the write`,
      holdsBack: seconds,
      begin: untilAfterWrite('write', seconds, ({ dns }, isOn) => {
        dns.fail((server) => () => server !== 'resolver' && isOn() ? reply('SERVFAIL') : undefined);
      }),
    },
    {
      what: `all name servers are silent for ${seconds} s after the write`,
      slow: true,
      holdsBack: seconds,
      begin: untilAfterWrite('write', seconds, ({ dns }, isOn) => {
        dns.fail((server) => () => server !== 'resolver' && isOn() ? 'drop' : undefined);
      }),
    },
    {
      what: `a name server is lame until ${seconds} s after the write`,
      holdsBack: seconds,
      begin: untilAfterWrite('beginning', seconds, ({ dns }, isOn) => {
        dns.fail((server) => () => server === 'ns-2.awsdns-2.net' && isOn() ? reply('REFUSED') : undefined);
      }),
    },
    { what: `a name server gives the old record until ${seconds} s after the write`, begin: oldRecord(seconds) },
    {
      what: `a name server knows no record (NXDOMAIN) until ${seconds} s after the write`,
      slow: true,
      begin: untilAfterWrite('beginning', seconds, ({ dns }, isOn) => {
        dns.fail((server) => (question) => {
          return server === 'ns-3.awsdns-3.org' && isAboutRecord(server, question) && isOn() ? { ...reply('NXDOMAIN'), authoritative: true } : undefined;
        });
      }),
    },
    {
      what: 'a name server gives the old record and no other',
      outcome: 'rolled back',
      announced: 'for a moment',
      says: /ns-3\.awsdns-3\.org|205\.251\.196\.3/,
      slow: true,
      soak: false,
      begin: oldRecord(Infinity),
    },
    {
      what: 'somebody else\'s record appears beside the new one',
      outcome: 'rolled back',
      announced: 'for a moment',
      says: /record-multiple/,
      begin: async (stage: Stage): Promise<End> => {
        const before = await announcedId();
        stage.dns.fail((_, answer) => async (question) => {
          const right = await answer(question);
          if (right === 'drop' || question.name !== DOMAIN_RECORD || question.type !== 'TXT') return right;
          if (right.answers.some((record) => record.type === 'TXT' && record.data.join('').includes(before))) return right;
          return { ...right, answers: [...right.answers, { name: question.name, ttl: 1, type: 'TXT', data: ['v=STSv1; id=somebodyelses;'] }] };
        });
        return () => {
          mend(stage);
        };
      },
    },
  ];
}

/** The questions of the function, not those of the watch: that asks for nothing but TXT. */
function resolver(fault: 'SERVFAIL' | 'drop'): Fault['begin'] {
  return (stage) => {
    let left = 3;
    stage.dns.fail((server) => ({ type }) => {
      if (server !== 'resolver' || type === 'TXT' || left === 0) return undefined;
      left -= 1;
      return fault === 'drop' ? 'drop' : reply('SERVFAIL');
    });
    return () => {
      mend(stage);
      if (left > 0) throw new Error(`only ${3 - left} of 3 questions were made to fail`);
    };
  };
}

function oldRecord(seconds: number): Fault['begin'] {
  return untilAfterWrite('beginning', seconds, async ({ dns }, isOn) => {
    const old: DnsRecord = { name: DOMAIN_RECORD, ttl: 1, type: 'TXT', data: [`v=STSv1; id=${await announcedId()};`] };
    dns.fail((server) => (question) => {
      return server === 'ns-3.awsdns-3.org' && isAboutRecord(server, question) && isOn() ? { ...reply('NOERROR'), answers: [old], authoritative: true } : undefined;
    });
  });
}
