// The codes of what DNS says: the records themselves, and the servers that give them.
import type { LiveFindingKind } from './finding-kind';

const NO_POLICY = 'Senders see no policy and deliver without checking; a policy that they have cached stays in use until it expires.';

export const DNS_FINDINGS = {
  'record-missing': {
    severity: 'error',
    meaning: 'There is no MTA-STS record at `_mta-sts.<domain>`.',
    impact: NO_POLICY,
    fix: 'publish the TXT record `v=STSv1; id=<id>;` at `_mta-sts.<domain>`, after the policy file is reachable',
    reference: 'RFC 8461 §3.1',
  },
  'record-disagreement': {
    severity: 'error',
    temporary: true,
    meaning: 'The name servers of the zone give different MTA-STS records.',
    impact: 'Senders see one or the other, by chance; with an old id some keep the old policy.',
    fix: 'wait until the zone has reached all its name servers; if it stays so, a name server is cut off from its primary or serves an old copy of the zone',
    reference: 'RFC 8461 §3.1',
  },
  'record-misplaced': {
    severity: 'warning',
    meaning: 'A record that belongs at `_mta-sts.<domain>` stands at another name.',
    impact: NO_POLICY,
    fix: 'move it to `_mta-sts.<domain>`, with a hyphen; in a DNS panel that appends the zone enter `_mta-sts` alone',
    reference: 'RFC 8461 §3.1',
  },
  'policy-host-misplaced': {
    severity: 'warning',
    meaning: 'The policy host has no address, but a name that looks like it has.',
    impact: 'Senders cannot fetch the policy. Many DNS panels append the zone to the name that is entered, so that it stands there twice.',
    fix: 'move its records to `mta-sts.<domain>`; in a panel that appends the zone enter `mta-sts` alone',
    reference: 'RFC 8461 §3.3, RFC 1035 §5.1',
  },
  'resolver-stale': {
    severity: 'warning',
    temporary: true,
    meaning: 'The recursive resolver still remembers another answer than the zone gives now.',
    impact: 'Senders behind such resolvers act on the old answer until its TTL has run out.',
    fix: 'wait for the TTL; nothing else needs to be done',
    reference: 'RFC 8461 §8.1, RFC 2308 §5',
  },
  'cname-dangling': {
    severity: 'error',
    meaning: 'A CNAME leads to a name that does not exist or has no record of the type.',
    impact: 'No other record can stand beside it, so senders find nothing, and whoever can register the target decides what they find.',
    fix: 'delete the CNAME, or create what it leads to',
    reference: 'RFC 8461 §8.2',
  },
  'delegated': {
    severity: 'info',
    meaning: 'The record or the policy host is an alias (CNAME) of a name that may belong to another.',
    impact: 'None: senders follow it. Whoever holds the target decides about the policy.',
    fix: 'nothing needs to be done where this is meant, such as a policy host that leads to a CloudFront distribution; where `_mta-sts` is an alias '
      + 'too, keep both with the same provider',
    reference: 'RFC 8461 §8.2',
  },
  'subdomain-without-policy': {
    severity: 'info',
    meaning: 'A name below the domain receives mail and has no MTA-STS record of its own.',
    impact: 'A policy is not inherited: mail to addresses below that name is not protected.',
    fix: 'publish a policy for that name as well, or remove its MX records if it receives no mail',
    reference: 'RFC 8461 §3.1 and §3.4',
  },
  'dns-failure': {
    severity: 'unknown',
    temporary: true,
    meaning: 'A question to DNS was not answered.',
    impact: 'Nothing can be said; a sender that has the same experience uses the policy that it has cached, or none.',
    fix: 'try again; if it stays so, look at the zone with a DNSSEC and delegation checker, and at the resolver that was asked',
    reference: 'RFC 8461 §3.1 and §5.1',
  },
  'name-servers-unknown': {
    severity: 'unknown',
    temporary: true,
    meaning: 'The name servers of the zone could not be found, so the recursive resolver alone was asked.',
    impact: 'What it says can be as old as the TTL.',
    fix: 'try again; if it stays so, check that the zone is delegated and that its name servers have addresses and can be reached from here; harmless with a resolver made for tests',
    reference: 'RFC 1034 §4.2.2',
  },
  'name-server-unanswered': {
    severity: 'unknown',
    temporary: true,
    meaning: 'A name server of the zone gave no usable answer.',
    impact: 'Resolvers that ask it have to try another one, which costs senders seconds; whether its copy of the zone is current cannot be said.',
    fix: 'check that the server runs, serves the zone and can be reached over UDP and TCP port 53; if it has been given up, remove its NS record',
    reference: 'RFC 2182 §3',
  },
} as const satisfies Record<string, LiveFindingKind>;
