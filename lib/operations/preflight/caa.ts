// May Amazon issue a certificate for the policy host? Otherwise the deployment would wait for it and fail much later (RFC 8659).
import { parentNames } from '../../protocol/domain-name';
import { policyHostName } from '../../protocol/policy/url';
import { safeText, trimBlanks } from '../../util/safe-text';
import type { DnsData } from '../../verifier/dns/answer';
import type { RecordSet } from '../hosted-zone';
import { askDns } from '../dns';
import type { Invocation } from '../context/invocation';
import { checkFailed, good } from './check-result';
import type { CheckResult } from './check-result';

type Caa = DnsData['CAA'];

/** Any of them lets Amazon issue (AWS Certificate Manager User Guide, "Configure a CAA record"). */
const AMAZON: readonly string[] = ['amazon.com', 'amazontrust.com', 'awstrust.com', 'amazonaws.com'];

/** Properties that Amazon understands; a critical one that it does not understand forbids it to issue (RFC 8659 §4.5). */
const UNDERSTOOD: readonly string[] = ['issue', 'issuewild', 'iodef'];

/**
 * Climbs from the policy host to the top-level domain; the first name that has any CAA decides (RFC 8659 §3).
 *
 * @param domain - the policy domain; it and its parents are asked of the recursive resolver
 * @param atPolicyHost - what the hosted zone holds at `mta-sts.<domain>`, which no resolver must be asked for yet; nothing where DNS is
 * elsewhere, and then that name is asked for as well
 */
export async function checkCaa(invocation: Invocation, domain: string, atPolicyHost: readonly RecordSet[] | undefined): Promise<CheckResult> {
  const policyHost = policyHostName(domain);
  const own = (atPolicyHost ?? []).filter(({ type }) => type === 'CAA').flatMap(({ values }) => values.map(fromZoneFile));
  if (own.length > 0) return judge(policyHost, own);
  // Asked all at once and read from below; what lies above the name that decides does not count, not even as a fault.
  const answers = parentNames(atPolicyHost === undefined ? policyHost : domain).map((name) => ({ name, answer: askDns(invocation, name, 'CAA') }));
  answers.forEach(({ answer }) => {
    answer.catch(() => undefined);
  });
  for (const { name, answer } of answers) {
    const found = await answer;
    if (found.status === 'found') return judge(name, found.records);
  }
  return good('no CAA record limits who may issue');
}

function judge(name: string, records: readonly Caa[]): CheckResult {
  const found = records.map(({ critical, tag, value }) => safeText(`${critical ? 128 : 0} ${tag} "${value}"`)).join(', ');
  const strange = records.find(({ critical, tag }) => critical && !UNDERSTOOD.includes(tag.toLowerCase()));
  if (strange !== undefined) {
    return checkFailed(`CAA at ${name} forbids a certificate by the critical property ${safeText(strange.tag)}, which Amazon need not understand: `
      + `found ${found}; remove that record or its critical flag (RFC 8659 §4.5)`);
  }
  const issuers = records.filter(({ tag }) => tag.toLowerCase() === 'issue').map(({ value }) => issuer(value));
  if (issuers.length === 0 || issuers.some((candidate) => AMAZON.includes(candidate))) return good(`CAA at ${name} lets Amazon issue`);
  return checkFailed(`CAA at ${name} does not let Amazon issue a certificate for the policy host: found ${found}; add ${name} CAA `
    + '0 issue "amazon.com" (RFC 8659 §4.2)');
}

/** What stands before the parameters; empty where nobody may issue (RFC 8659 §4.2). */
function issuer(value: string): string {
  return trimBlanks(value.split(';', 1)[0]).toLowerCase();
}

/** `0 issue "amazon.com"`, as Route 53 holds it. */
function fromZoneFile(value: string): Caa {
  const [flags = '', tag = '', ...rest] = value.trim().split(/[ \t]+/);
  const text = rest.join(' ');
  return { critical: (Number(flags) & 128) !== 0, tag, value: text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text };
}
