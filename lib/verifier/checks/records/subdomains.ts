// Check: names below the domain that receive mail without a policy of their own; nothing is inherited (RFC 8461 §3.1).
import { stsRecordName } from '../../../protocol/records/record-names';
import { safeText } from '../../../util/safe-text';
import { answerText } from '../../evidence';
import { liveFinding } from '../../findings';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';

/** Nobody can list the names of a zone; these receive mail most often. The asterisk is a wildcard record (RFC 4592). */
const NAMES = ['*', 'mail', 'lists'];

/** Looks at well-known names alone. What DNS does not answer here is of no matter. */
export async function checkSubdomains(resolver: Resolver, domain: string): Promise<LiveFinding[]> {
  const found = await Promise.all(NAMES.map(async (label) => {
    const name = `${label}.${domain}`;
    const mx = await resolver.query(name, 'MX');
    if (!receivesMail(mx)) return [];
    const record = await resolver.query(stsRecordName(name), 'TXT');
    return announces(record) || record.status === 'failed' ? [] : [unprotected(name, label, mx)];
  }));
  // What a wildcard answers for is not found a second time by name.
  const wildcard = found[0];
  return wildcard.length > 0 ? wildcard : found.flat();
}

function receivesMail(answer: DnsAnswer<'MX'>): boolean {
  return answer.status === 'found' && answer.records.some(({ exchange }) => exchange !== '');
}

function announces(answer: DnsAnswer<'TXT'>): boolean {
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
