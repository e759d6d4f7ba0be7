// Can senders reach the live MX hosts, and does the policy cover them? In enforce mode they refuse all others (RFC 8461 §4.1, §5).
import type { Policy } from '../../protocol/policy/policy';
import { joinList, safeText } from '../../util/safe-text';
import { appendedZone } from '../../verifier/dns/appended-zone';
import { checkCoverage, findMailHosts } from '../../verifier/checks/mail/mx-coverage';
import type { MailHosts } from '../../verifier/checks/mail/mx-coverage';
import { checkReach, findMailAddresses } from '../../verifier/checks/mail/mx-reach';
import { REAL_CLOCK } from '../../verifier/network';
import { retryingResolver } from '../dns';
import type { OperationContext } from '../context/operation-context';
import { checkFailed, good } from './check-result';
import type { CheckResult } from './check-result';

/** Enough to see what is wrong. */
const MOST_HOSTS = 10;

/** Mode `enforce`: a host that is not covered is a fault. Mode `testing`: mail is delivered all the same, so it is a warning. */
export async function checkMx(context: OperationContext, domain: string, policy: Policy): Promise<CheckResult> {
  if (policy.mode === 'none') return good('mode none asks nothing of the MX');
  const mail = await findMailHosts(retryingResolver(context), domain);
  const reach = await reachable(context, domain, mail);
  const covered = coverage(domain, mail, policy);
  return {
    ...covered,
    failures: [...covered.failures, ...policy.mode === 'enforce' ? mistaken(domain, policy, mail, reach) : []],
    warnings: [...covered.warnings, ...reach.warnings],
  };
}

function coverage(domain: string, mail: MailHosts, policy: Policy): CheckResult {
  if (!mail.decided) {
    const why = mail.findings.map(({ message, fix }) => fix === undefined ? message : `${message}; ${fix}`).join('; ');
    return judged(policy, `whether the policy covers the MX hosts of ${domain} could not be learned: ${why}`);
  }
  if (mail.hosts.length === 0) return good(`${domain} takes no mail`);
  const uncovered = checkCoverage(domain, mail, policy).mx.filter(({ covered }) => covered !== true).map(({ host }) => host);
  if (uncovered.length === 0) return good(`the policy covers ${mail.hosts.length === 1 ? 'the MX host' : `all ${mail.hosts.length} MX hosts`}`);
  const consequence = policy.mode === 'enforce' ? 'in enforce mode senders would refuse to deliver there' : 'senders will report it';
  const isImplicit = mail.preferences.size === 0;
  return judged(policy, `the policy does not cover ${uncovered.length === 1 ? 'the MX host' : 'the MX hosts'} ${list(uncovered)} of ${domain}, `
    + `its mx patterns are ${list(policy.mx)}: ${consequence}; ${isImplicit ? 'add a pattern for it or publish an MX record' : 'add a pattern for each host or take the host out of the MX records'}`
    + `${policy.mode === 'enforce' ? '' : ' before you enforce'} (RFC 8461 §4.1)`);
}

/** What DNS says of the hosts' addresses. */
interface Reachable {
  /** The hosts that have none. */
  readonly lost: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Asks once: what DNS does not tell in a moment keeps no deployment waiting. Mail that arrives nowhere is no fault of this deployment, and
 * none that it makes worse, so it is warned of.
 */
async function reachable(context: OperationContext, domain: string, mail: MailHosts): Promise<Reachable> {
  if (mail.hosts.length === 0) return { lost: [], warnings: [] };
  const dns = { clock: REAL_CLOCK, resolver: context.services.resolver };
  // Whether an address is public is for the verification to say.
  const addresses = await findMailAddresses(dns, mail.hosts);
  const { findings, byHost, none } = checkReach(domain, mail, addresses, { allowPrivate: true, smtp: false });
  const lost = mail.hosts.filter((host) => byHost.get(host) === 'unreachable');
  const told = findings.filter(({ code, subject }) => code !== 'dns-failure' || byHost.get(subject.replace('MX ', '')) === 'unknown');
  const warnings = told.map(({ message, fix = '', reference = '' }) => `${message}; ${fix} (${reference})`);
  if (!none || lost.length === 1) return { lost, warnings };
  const all = `no MX host of ${domain} can be reached: none of ${list(lost)} has an address in DNS, so mail to ${domain} is not delivered; publish A and AAAA records for `
    + 'the hosts, or mend the MX records (RFC 5321 §5.1)';
  return { lost, warnings: [all] };
}

/** A policy for a misspelt name would outlive the mending of the MX record: senders that hold it would refuse the right host. */
function mistaken(domain: string, policy: Policy, mail: MailHosts, { lost }: Reachable): readonly string[] {
  const { mx } = checkCoverage(domain, mail, policy);
  return mx.filter(({ host, covered }) => covered === true && lost.includes(host)).flatMap(({ host }) => {
    const appended = appendedZone(host, domain);
    return appended?.twice === true
      ? [`the policy names ${safeText(host)}, which does not exist: the zone name is appended twice in the MX record of ${domain}. Once the record is mended, senders that hold the policy `
        + `would refuse ${safeText(appended.meant)}; let the MX record and the policy name \`${safeText(appended.meant)}\` (RFC 5321 §5.1)`]
      : [];
  });
}

function judged({ mode }: Policy, what: string): CheckResult {
  return mode === 'enforce' ? checkFailed(what) : { failures: [], warnings: [what] };
}

function list(names: readonly string[]): string {
  return joinList(names.map((name) => safeText(name)), MOST_HOSTS);
}
