// Does the policy cover the live MX hosts, and can senders reach them? In enforce mode, senders refuse all other hosts (RFC 8461 §4.1, §5).
import type { Policy } from '../../protocol/policy/policy';
import { joinList, safeText } from '../../util/safe-text';
import { checkCoverage, findMailHosts } from '../../verifier/checks/mail/mx-coverage';
import type { MailHosts } from '../../verifier/checks/mail/mx-coverage';
import { checkReach, findMailAddresses } from '../../verifier/checks/mail/mx-reach';
import { appendedZone } from '../../verifier/dns/appended-zone';
import { REAL_CLOCK } from '../../verifier/network';
import type { LiveFinding } from '../../verifier/result';
import type { OperationContext } from '../context/operation-context';
import { retryingResolver } from '../dns';
import type { Problem } from '../failures';
import { checkPassed } from './check-result';
import type { CheckResult, PreflightWarning } from './check-result';

/** Maximum number of hosts in a message. */
const MAX_HOSTS = 10;

/** In mode `enforce`, an uncovered host is a failure. In mode `testing`, senders still deliver, so it is a warning. */
export async function checkMx(context: OperationContext, domain: string, policy: Policy): Promise<CheckResult> {
  if (policy.mode === 'none') return checkPassed('mode none has no conditions for MX hosts');
  const mail = await findMailHosts(retryingResolver(context), domain);
  const reach = await checkAddresses(context, domain, mail);
  const coverage = compareHosts(domain, mail, policy);
  return {
    ...coverage,
    failures: [...coverage.failures, ...policy.mode === 'enforce' ? appendedZones(domain, policy, mail, reach) : []],
    warnings: [...coverage.warnings, ...reach.warnings],
  };
}

function compareHosts(domain: string, mail: MailHosts, policy: Policy): CheckResult {
  if (!mail.decided) {
    const reason = mail.findings.map(({ message, fix }) => joinSentences(message, fix)).join(' ');
    return failureOrWarning(policy, { code: 'dns-failure', message: `the check cannot decide whether the policy covers the MX hosts of ${domain}. ${capitalize(reason)}` });
  }
  if (mail.hosts.length === 0) return checkPassed(`${domain} takes no mail`);
  const uncovered = checkCoverage(domain, mail, policy).mx.filter(({ covered }) => covered !== true).map(({ host }) => host);
  if (uncovered.length === 0) return checkPassed(`the policy covers ${mail.hosts.length === 1 ? 'the MX host' : `all ${mail.hosts.length} MX hosts`}`);
  return failureOrWarning(policy, {
    code: 'mx-not-covered',
    message: `the policy for ${domain} does not cover ${listHosts(uncovered)} (patterns: ${listHosts(policy.mx)}). `
      + `${uncoveredText(policy, uncovered.length, mail.preferences.size === 0)} (RFC 8461 §4.1).`,
  });
}

function uncoveredText({ mode }: Policy, hosts: number, isImplicit: boolean): string {
  const which = hosts === 1 ? 'this host' : 'these hosts';
  const fix = isImplicit
    ? 'add a pattern for it, or publish an MX record'
    : hosts === 1 ? 'add a pattern for it, or remove its MX record' : 'add a pattern for each host, or remove its MX record';
  return mode === 'enforce'
    ? `In enforce mode, senders refuse mail to ${which}. ${capitalize(fix)}`
    : `In testing mode, senders report mail to ${which}. Before you enforce, ${fix}`;
}

/** The addresses of the MX hosts in DNS. */
interface Addresses {
  /** The hosts without an address. */
  readonly lost: readonly string[];
  readonly warnings: readonly PreflightWarning[];
}

/**
 * Asks once, so that a slow answer does not delay the deployment. A deployment does not cause an unreachable host, and makes nothing worse,
 * so such a host is a warning.
 */
async function checkAddresses(context: OperationContext, domain: string, mail: MailHosts): Promise<Addresses> {
  if (mail.hosts.length === 0) return { lost: [], warnings: [] };
  const dns = { clock: REAL_CLOCK, resolver: context.services.resolver };
  // The verification checks whether an address is public.
  const addresses = await findMailAddresses(dns, mail.hosts);
  const { findings, byHost, none } = checkReach(domain, mail, addresses, { allowPrivate: true, smtp: false });
  const lost = mail.hosts.filter((host) => byHost.get(host) === 'unreachable');
  const relevant = findings.filter(({ code, subject }) => code !== 'dns-failure' || byHost.get(subject.replace('MX ', '')) === 'unknown');
  if (!none || lost.length === 1) return { lost, warnings: relevant.map(findingWarning) };
  const message = `no MX host of ${domain} can be reached, because none of ${listHosts(lost)} has an address in DNS. Mail to ${domain} is not delivered. Publish A and AAAA `
    + 'records for the hosts, or correct the MX records (RFC 5321 §5.1).';
  return { lost, warnings: [{ code: 'mx-no-address', message }] };
}

function findingWarning({ code, message, fix, reference }: LiveFinding): PreflightWarning {
  return { code, message: joinSentences(message, fix, reference) };
}

/** A policy for a misspelt host outlives the correction of the MX record: senders that have it cached would refuse the right host. */
function appendedZones(domain: string, policy: Policy, mail: MailHosts, { lost }: Addresses): readonly Problem[] {
  const { mx } = checkCoverage(domain, mail, policy);
  return mx.filter(({ host, covered }) => covered === true && lost.includes(host)).flatMap(({ host }): Problem[] => {
    const appended = appendedZone(host, domain);
    if (appended?.twice !== true) return [];
    const meant = safeText(appended.meant);
    return [{
      code: 'mx-zone-appended',
      message: `the policy names ${safeText(host)}, which does not exist: the zone name is appended twice in the MX record of ${domain}. Once the record is corrected, `
        + `senders with this policy would refuse ${meant}. Let the MX record and the policy name \`${meant}\` (RFC 5321 §5.1).`,
    }];
  });
}

function failureOrWarning({ mode }: Policy, problem: Problem): CheckResult {
  return mode === 'enforce' ? { failures: [problem], warnings: [] } : { failures: [], warnings: [problem] };
}

function listHosts(names: readonly string[]): string {
  return joinList(names.map((name) => safeText(name)), MAX_HOSTS);
}

/** Joins the parts of a finding, which are phrases without a full stop: `message. Fix (reference).` */
function joinSentences(message: string, fix?: string, reference?: string): string {
  const end = `${reference === undefined ? '' : ` (${reference})`}.`;
  return fix === undefined ? `${message}${end}` : `${message}. ${capitalize(fix)}${end}`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
