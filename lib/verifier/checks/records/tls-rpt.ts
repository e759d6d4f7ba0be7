// Checks the TLS reporting record (RFC 8460 §3). Without it, failures are not reported.
import type { Mode } from '../../../protocol/policy/policy';
import { reportingName } from '../../../protocol/records/record-names';
import { safeText } from '../../../util/safe-text';
import { parseTlsRpt } from '../../../protocol/records/tls-rpt';
import { answerText } from '../../evidence';
import { TLS_RPT_LIVE_FINDINGS } from '../../../protocol/findings/tls-rpt';
import { DNS_ANSWER_FINDINGS } from '../dns-answer';
import type { Check } from '../check';
import { findingFactory } from '../live-finding';
import { bestEvidence } from '../../result';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import { aliasProblem, dangling } from './cname';
import { findMisplacedReporting, reportingAtRecord } from './misplaced';
import { checkReportDestinations } from './report-destinations';

const liveFinding = findingFactory({ ...TLS_RPT_LIVE_FINDINGS, ...DNS_ANSWER_FINDINGS });

/** The answer about the record, and the findings of the queries that followed. */
interface TlsRptLookup {
  readonly answer: DnsAnswer<'TXT'>;
  /** Misplaced records where the record is missing; unreachable destinations where it is valid. */
  readonly followUp: readonly LiveFinding[];
}

/** Reports a missing or malformed record, a misplaced one, and reporting addresses that cannot be reached. */
export const checkTlsReporting: Check = async ({ network, domain, policyLookup, mxRecords }) => {
  const lookup = await lookUp(network.resolver, domain, () => policyLookup.then(({ hostExists }) => hostExists), mxRecords);
  return ({ policy, policyLookup: { record } }) => {
    // At `_mta-sts` the record is found without another query.
    const misplaced = isMissing(lookup) ? reportingAtRecord(domain, record.texts, bestEvidence(record.observations)) : [];
    return [...checkRecord(domain, lookup, policy?.mode), ...misplaced];
  };
};

/**
 * Queries the record. Then queries wrong names where it is missing, or else its reporting addresses.
 *
 * @param hostExists - resolves to whether the policy host is known to exist, so that its name can be queried for other records
 */
async function lookUp(
  resolver: Resolver, domain: string, hostExists: () => Promise<boolean>, ownMx: Promise<DnsAnswer<'MX'>>,
): Promise<TlsRptLookup> {
  const answer = await resolver.query(reportingName(domain), 'TXT');
  if (answer.status === 'failed') return { answer, followUp: [] };
  const { verdict, record } = parseAnswer(answer);
  const followUp = verdict === 'none'
    ? await findMisplacedReporting(resolver, domain, await hostExists())
    : await checkReportDestinations(resolver, domain, record?.rua ?? [], ownMx);
  return { answer, followUp };
}

function parseAnswer(answer: DnsAnswer<'TXT'>): ReturnType<typeof parseTlsRpt> {
  return parseTlsRpt(answer.status === 'found' ? answer.records : []);
}

/** Returns whether the record is known to be missing at its own name. */
function isMissing({ answer }: TlsRptLookup): boolean {
  return answer.status !== 'failed' && parseAnswer(answer).verdict === 'none';
}

/** @param mode - the mode of the policy; undefined without a policy */
function checkRecord(domain: string, { answer, followUp }: TlsRptLookup, mode: Mode | undefined): LiveFinding[] {
  const subject = `_smtp._tls.${domain} TXT`;
  const evidence = `${answer.server}: ${answerText(answer)}`;
  if (answer.status === 'failed') {
    return [liveFinding('dns-failure', { area: 'tls-reporting', subject, evidence, message: `the TLS reporting record could not be looked up: ${answer.reason}`, ...aliasProblem(answer) })];
  }
  const result = parseAnswer(answer);
  // `tls-rpt-missing` below replaces `tls-rpt-none`: its severity depends on the mode.
  const found = result.findings.filter(({ code }) => code !== 'tls-rpt-none');
  // Reporting problems never stop delivery, so their severity is at most `warning`.
  const findings: LiveFinding[] = found.map((one) => ({
    ...one, area: 'tls-reporting', severity: one.severity === 'error' ? 'warning' : one.severity, subject, evidence,
  }));
  const alias = answer.status === 'empty' ? answer.cnames.at(-1) : undefined;
  if (alias !== undefined && answer.status === 'empty' && answer.reason === 'NXDOMAIN') {
    findings.push(dangling(answer.cnames, domain, { area: 'tls-reporting', subject, evidence, severity: 'warning' }));
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
  return [...findings, ...followUp];
}
