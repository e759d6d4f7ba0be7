// The JSON that pipelines read: stable shapes, and nothing in it that could upset a terminal.
import type { Finding } from '../../lib/protocol/finding';
import type { Policy } from '../../lib/protocol/policy';
import type { Report, ReportFinding } from '../../lib/verifier/report';
import type { LintResult } from './lint-result';

/** Invisible characters that JSON would let through: C1 controls, bidi controls, line separators and their like. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** What `mta-sts verify --format json` prints. */
export function verifyJson(reports: readonly Report[]): string {
  return json({ domains: reports.map(reportShape) });
}

/** What `mta-sts lint ... --format json` prints. */
export function lintJson(results: readonly LintResult[]): string {
  return json(results.map(({ input, verdict, record, policy, findings }) => ({
    input,
    verdict,
    ...(record === undefined ? {} : { record }),
    ...(policy === undefined ? {} : { policy: policyShape(policy) }),
    findings: findings.map(findingShape),
  })));
}

function json(value: unknown): string {
  // The line ends of the layout are the only controls that JSON.stringify leaves.
  return `${JSON.stringify(value, null, 2).replace(UNSEEN, (character) => (character === '\n' ? character : escaped(character)))}\n`;
}

/** Surrogate pairs become two escapes (RFC 8259 §7). */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}

/** Field by field: what a later version of the report carries besides is not promised to anyone. */
function reportShape(report: Report): object {
  return {
    domain: report.domain,
    verdict: report.verdict,
    lookup: report.lookup,
    record: report.record === null ? null : { id: report.record.id },
    policy: report.policy === null ? null : policyShape(report.policy),
    mx: report.mx.map(({ host, covered }) => ({ host, covered })),
    findings: report.findings.map(findingShape),
  };
}

function policyShape({ mode, maxAge, mx }: Policy): object {
  return { mode, maxAge, mx };
}

function findingShape(finding: Finding & Partial<Pick<ReportFinding, 'subject' | 'evidence'>>): object {
  const { code, severity, subject, message, line, column, evidence, fix, reference, senders } = finding;
  // JSON.stringify leaves out what is undefined.
  return { code, severity, subject, message, line, column, evidence, fix, reference, senders };
}
