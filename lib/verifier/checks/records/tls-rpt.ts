// Check: the TLS reporting record (RFC 8460 §3), without which failures go unseen.
import type { Mode } from '../../../protocol/policy/policy';
import { reportingName } from '../../../protocol/records/record-names';
import { safeText } from '../../../util/safe-text';
import { parseTlsRpt } from '../../../protocol/records/tls-rpt';
import { answerText } from '../../evidence';
import { liveFinding } from '../../findings';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import { aliasProblem, dangling } from './cname';
import { findMisplacedReporting } from './misplaced';
import { checkReportDestinations } from './report-destinations';

/** What was found. */
export interface TlsRptLookup {
  readonly answer: DnsAnswer<'TXT'>;
  /** Of wrong names where the record is missing, of where reports are sent to where it is valid. */
  readonly more: readonly LiveFinding[];
}

/**
 * Asks for the record; and then, where it is missing, for it at wrong names, or else where it sends reports to.
 *
 * @param hostExists - tells whether the policy host is known to exist, so that it can be asked for other records
 * @param ownMx - what DNS says of the MX records of the domain
 */
export async function lookUpTlsRpt(
  resolver: Resolver, domain: string, hostExists: () => Promise<boolean>, ownMx: Promise<DnsAnswer<'MX'>>,
): Promise<TlsRptLookup> {
  const answer = await resolver.query(reportingName(domain), 'TXT');
  if (answer.status === 'failed') return { answer, more: [] };
  const { verdict, record } = parseTlsRpt(answer.status === 'found' ? answer.records : []);
  const more = verdict === 'none'
    ? await findMisplacedReporting(resolver, domain, await hostExists())
    : await checkReportDestinations(resolver, domain, record?.rua ?? [], ownMx);
  return { answer, more };
}

/** Whether the record is known to be missing at its own name. */
export function hasNoTlsRpt({ answer }: TlsRptLookup): boolean {
  return answer.status !== 'failed' && parseTlsRpt(answer.status === 'found' ? answer.records : []).verdict === 'none';
}

/** @param mode - of the policy, undefined when there is none */
export function checkTlsRpt(domain: string, { answer, more }: TlsRptLookup, mode: Mode | undefined): LiveFinding[] {
  const subject = `_smtp._tls.${domain} TXT`;
  const evidence = `${answer.server}: ${answerText(answer)}`;
  if (answer.status === 'failed') {
    return [liveFinding('dns-failure', { subject, evidence, message: `the TLS reporting record could not be had: ${answer.reason}`, ...aliasProblem(answer) })];
  }
  const result = parseTlsRpt(answer.status === 'found' ? answer.records : []);
  // That there is no record is told below, by what it means in the mode of the policy.
  const found = result.findings.filter(({ code }) => code !== 'tls-rpt-none');
  // Nothing here keeps mail from being delivered, so nothing is worse than a warning.
  const findings: LiveFinding[] = found.map((one) => ({
    ...one, severity: one.severity === 'error' ? 'warning' : one.severity, subject, evidence,
  }));
  const alias = answer.status === 'empty' ? answer.cnames.at(-1) : undefined;
  if (alias !== undefined && answer.status === 'empty' && answer.reason === 'NXDOMAIN') {
    findings.push(dangling(answer.cnames, domain, { subject, evidence, severity: 'warning' }));
  } else if (result.verdict === 'none' && !found.some(({ severity }) => severity === 'error') && (mode === 'enforce' || mode === 'testing')) {
    findings.push(liveFinding('tls-rpt-missing', {
      subject,
      evidence,
      severity: mode === 'enforce' ? 'warning' : 'info',
      message: `there is no TLS reporting record at _smtp._tls.${domain}`
        + (alias === undefined ? '' : `; the name is an alias of ${safeText(alias)}, perhaps by a wildcard, and no TXT record is there`),
      fix: `${alias === undefined ? '' : 'delete the CNAME, where there is one, and '}publish the TXT record \`v=TLSRPTv1; rua=mailto:tls-reports@${domain}\` at _smtp._tls.${domain}, with an address that is read`,
    }));
  }
  return [...findings, ...more];
}
