// Check: the TLS reporting record (RFC 8460 §3), without which failures go unseen.
import type { Mode } from '../../protocol/policy';
import { parseTlsRpt } from '../../protocol/tls-rpt';
import { answerText } from '../evidence';
import { liveFinding } from '../findings';
import type { ReportFinding } from '../report';
import type { DnsAnswer } from '../resolver';
import { aliasFault } from './dangling';

/** @param mode - of the policy, undefined when there is none */
export function checkTlsRpt(domain: string, answer: DnsAnswer<'TXT'>, mode: Mode | undefined): ReportFinding[] {
  const subject = `_smtp._tls.${domain} TXT`;
  const evidence = `${answer.server}: ${answerText(answer)}`;
  if (answer.status === 'failed') {
    return [liveFinding('dns-failure', { subject, evidence, message: `the TLS reporting record could not be had: ${answer.reason}`, ...aliasFault(answer) })];
  }
  const result = parseTlsRpt(answer.status === 'found' ? answer.records : []);
  // That there is no record is told below, by what it means in the mode of the policy.
  const found = result.findings.filter(({ code }) => code !== 'tls-rpt-none');
  // Nothing here keeps mail from being delivered, so nothing is worse than a warning.
  const findings: ReportFinding[] = found.map((one) => ({
    ...one, severity: one.severity === 'error' ? 'warning' : one.severity, subject, evidence,
  }));
  if (result.verdict === 'none' && !found.some(({ severity }) => severity === 'error') && (mode === 'enforce' || mode === 'testing')) {
    findings.push(liveFinding('tls-rpt-missing', {
      subject,
      evidence,
      severity: mode === 'enforce' ? 'warning' : 'info',
      message: `there is no TLS reporting record at _smtp._tls.${domain}`,
      fix: `publish the TXT record \`v=TLSRPTv1; rua=mailto:tls-reports@${domain}\` at _smtp._tls.${domain}, with an address that is read`,
    }));
  }
  return findings;
}
