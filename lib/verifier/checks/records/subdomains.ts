// Checks names below the domain that receive mail without a policy of their own. Subdomains do not inherit a policy (RFC 8461 §3.1).
import { stsRecordName } from '../../../protocol/records/record-names';
import { safeText } from '../../../util/safe-text';
import { answerText } from '../../evidence';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import type { Check } from '../check';
import { findingFactory } from '../live-finding';

export const SUBDOMAIN_FINDINGS = {
  'subdomain-without-policy': {
    severity: 'info',
    area: 'mx',
    meaning: 'A name below the domain receives mail and has no MTA-STS record of its own.',
    impact: 'A policy is not inherited: mail to addresses below that name is not protected.',
    fix: 'publish a policy for that name as well, or remove its MX records if it receives no mail',
    reference: 'RFC 8461 §3.1 and §3.4',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory(SUBDOMAIN_FINDINGS);

/** A zone cannot be listed, so only the names that receive mail most often are checked. The asterisk is a wildcard record (RFC 4592). */
const LABELS = ['*', 'mail', 'lists'];

/** Reports subdomains without a policy, where the domain itself has one that is not withdrawn. */
export const checkSubdomains: Check = async ({ network, domain }) => {
  const findings = await findUnprotected(network.resolver, domain);
  return ({ policy }) => policy === undefined || policy.mode === 'none' ? [] : findings;
};

/** Queries well-known names. A failed query is ignored. */
async function findUnprotected(resolver: Resolver, domain: string): Promise<readonly LiveFinding[]> {
  const [wildcard = [], ...named] = await Promise.all(LABELS.map(async (label) => {
    const name = `${label}.${domain}`;
    const mx = await resolver.query(name, 'MX');
    if (!receivesMail(mx)) return [];
    const record = await resolver.query(stsRecordName(name), 'TXT');
    return hasStsRecord(record) || record.status === 'failed' ? [] : [unprotected(name, label, mx)];
  }));
  // A wildcard answers for the other names too: report it once.
  return wildcard.length > 0 ? wildcard : named.flat();
}

function receivesMail(answer: DnsAnswer<'MX'>): boolean {
  return answer.status === 'found' && answer.records.some(({ exchange }) => exchange !== '');
}

function hasStsRecord(answer: DnsAnswer<'TXT'>): boolean {
  return answer.status === 'found' && answer.records.some((strings) => strings.join('').startsWith('v=STSv1;'));
}

function unprotected(name: string, label: string, answer: DnsAnswer<'MX'>): LiveFinding {
  return liveFinding('subdomain-without-policy', {
    subject: `${name} MX`,
    evidence: `${answer.server}: ${answerText(answer)}`,
    message: label === '*'
      ? `every name below ${name.slice(2)} receives mail (a wildcard MX record) and has no policy of its own`
      : `${safeText(name)} receives mail and has no policy of its own`,
  });
}
