// Lists the codes that any check reports about a DNS answer.
import type { LiveFindingKind } from '../../protocol/findings/kind';

export const DNS_ANSWER_FINDINGS = {
  'dns-failure': {
    severity: 'unknown',
    area: 'record',
    temporary: true,
    meaning: 'A DNS query was not answered.',
    impact: 'The verification says nothing about this part. A sender whose query fails too uses its cached policy, or none.',
    fix: 'try again; if it stays so, check the zone with a DNSSEC and delegation checker, and check the resolver that was asked',
    reference: 'RFC 8461 §3.1 and §5.1',
  },
  'resolver-stale': {
    severity: 'warning',
    area: 'record',
    temporary: true,
    meaning: 'The recursive resolver still caches another answer than the zone gives now.',
    impact: 'Senders behind such resolvers act on the old answer until its TTL has run out.',
    fix: 'wait for the TTL; nothing else needs to be done',
    reference: 'RFC 8461 §8.1, RFC 2308 §5',
  },
} as const satisfies Record<string, LiveFindingKind>;
