// Lists the codes that any check reports about a DNS answer.
import type { LiveFindingKind } from '../../protocol/findings/kind';

export const DNS_ANSWER_FINDINGS = {
  'dns-failure': {
    severity: 'unknown',
    area: 'record',
    temporary: true,
    meaning: 'A question to DNS was not answered.',
    impact: 'Nothing can be said; a sender that has the same experience uses the policy that it has cached, or none.',
    fix: 'try again; if it stays so, look at the zone with a DNSSEC and delegation checker, and at the resolver that was asked',
    reference: 'RFC 8461 §3.1 and §5.1',
  },
  'resolver-stale': {
    severity: 'warning',
    area: 'record',
    temporary: true,
    meaning: 'The recursive resolver still remembers another answer than the zone gives now.',
    impact: 'Senders behind such resolvers act on the old answer until its TTL has run out.',
    fix: 'wait for the TTL; nothing else needs to be done',
    reference: 'RFC 8461 §8.1, RFC 2308 §5',
  },
} as const satisfies Record<string, LiveFindingKind>;
