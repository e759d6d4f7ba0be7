// Does CAA allow Amazon to issue a certificate for the policy host (RFC 8659)? Otherwise the deployment would wait for hours and then fail.
import { parentNames } from '../../protocol/domain-name';
import { policyHostName } from '../../protocol/policy/url';
import { safeText, trimBlanks } from '../../util/safe-text';
import type { DnsData } from '../../verifier/dns/answer';
import type { OperationContext } from '../context/operation-context';
import { askDns } from '../dns';
import type { RecordSet } from '../hosted-zone';
import { checkFailed, checkPassed } from './check-result';
import type { CheckResult } from './check-result';

type Caa = DnsData['CAA'];

/** Each of these names lets Amazon issue (AWS Certificate Manager User Guide, "Configure a CAA record"). */
const AMAZON_ISSUERS: readonly string[] = ['amazon.com', 'amazontrust.com', 'awstrust.com', 'amazonaws.com'];

/** The properties that Amazon understands. Any other critical property forbids Amazon to issue (RFC 8659 §4.5). */
const KNOWN_PROPERTIES: readonly string[] = ['issue', 'issuewild', 'iodef'];

/** The flag of a critical property (RFC 8659 §4.1). */
const CRITICAL_FLAG = 128;

/**
 * Reads CAA from the policy host up to the top-level domain. The first name with a CAA record decides (RFC 8659 §3).
 *
 * @param domain - the policy domain
 * @param atPolicyHost - the record sets of the hosted zone at `mta-sts.<domain>`, a name that no resolver may be asked for yet;
 * undefined with external DNS, where the resolver is asked for that name too
 */
export async function checkCaa(
  context: OperationContext, domain: string, atPolicyHost: readonly RecordSet[] | undefined,
): Promise<CheckResult> {
  const policyHost = policyHostName(domain);
  const own = (atPolicyHost ?? []).filter(({ type }) => type === 'CAA').flatMap(({ values }) => values.map(parseCaa));
  if (own.length > 0) return checkRecords(policyHost, own);
  // All names are asked at the same time. The answers above the deciding name do not count, and neither do their failures.
  const names = parentNames(atPolicyHost === undefined ? policyHost : domain);
  const answers = names.map((name) => ({ name, answer: askDns(context, name, 'CAA') }));
  answers.forEach(({ answer }) => {
    answer.catch(() => undefined);
  });
  for (const { name, answer } of answers) {
    const found = await answer;
    if (found.status === 'found') return checkRecords(name, found.records);
  }
  return checkPassed('no CAA record limits the issuers');
}

function checkRecords(name: string, records: readonly Caa[]): CheckResult {
  const found = records.map(({ critical, tag, value }) => safeText(`${critical ? CRITICAL_FLAG : 0} ${tag} "${value}"`)).join(', ');
  const unknown = records.find(({ critical, tag }) => critical && !KNOWN_PROPERTIES.includes(tag.toLowerCase()));
  if (unknown !== undefined) {
    return checkFailed('caa-critical-property', `the CAA record at ${name} has the critical property ${safeText(unknown.tag)} (found: ${found}). Amazon may not `
      + 'understand it, and then issues no certificate for the policy host. Remove that record or its critical flag (RFC 8659 §4.5).');
  }
  const issuers = records.filter(({ tag }) => tag.toLowerCase() === 'issue').map(({ value }) => issuerName(value));
  if (issuers.length === 0 || issuers.some((candidate) => AMAZON_ISSUERS.includes(candidate))) return checkPassed(`CAA at ${name} allows Amazon to issue`);
  return checkFailed('caa-forbids-amazon', `CAA at ${name} does not allow Amazon to issue a certificate for the policy host (found: ${found}). The `
    + `deployment would wait for it for hours. Add the record ${name} CAA 0 issue "amazon.com" (RFC 8659 §4.2).`);
}

/** Returns the name before the parameters; empty where no authority may issue (RFC 8659 §4.2). */
function issuerName(value: string): string {
  const [name = ''] = value.split(';', 1);
  return trimBlanks(name).toLowerCase();
}

/** Reads a value such as `0 issue "amazon.com"`, as Route 53 stores it. */
function parseCaa(value: string): Caa {
  const [flags = '', tag = '', ...rest] = value.trim().split(/[ \t]+/);
  const text = rest.join(' ');
  return { critical: (Number(flags) & CRITICAL_FLAG) !== 0, tag, value: text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text };
}
