// The one report: the Lambda turns it into a failure reason, the command into text and JSON.
import type { Finding, Severity } from '../protocol/finding';
import type { Policy } from '../protocol/policy';
import type { StsRecord } from '../protocol/record';
import { printable } from '../protocol/text';

/** A finding about a live domain: what was asked of whom, and what came back. */
export interface ReportFinding extends Finding {
  /** What it is about: `_mta-sts.example.com TXT`, `https://mta-sts.example.com/.well-known/mta-sts.txt`, `MX mx1.example.com`. */
  readonly subject: string;
  /** What was asked of whom and what came back, one line, control characters escaped. */
  readonly evidence?: string;
}

/**
 * What this look-up taught a sender.
 *
 * - `found`: a valid policy
 * - `none`: the domain announces none, or its record is unusable, which to a sender is the same (RFC 8461 §3.1)
 * - `temporary-error`: waiting may mend it (time-outs, SERVFAIL, refused connections, 5xx); never "no policy"
 * - `permanent-error`: announced, but what is served is not a policy (certificate, redirect, 404, media type, syntax)
 */
export type Lookup = 'found' | 'none' | 'temporary-error' | 'permanent-error';

/** `fail`: at least one error. `unknown`: no error, but the essential could not be decided. */
export type Verdict = 'pass' | 'fail' | 'unknown';

/** One MX host of the domain. */
export interface MxCoverage {
  readonly host: string;
  /** Whether the policy covers it; `null` while there is no policy to ask. */
  readonly covered: boolean | null;
}

/** Everything one verification of one domain has found. */
export interface Report {
  readonly domain: string;
  readonly verdict: Verdict;
  readonly lookup: Lookup;
  readonly record: StsRecord | null;
  readonly policy: Policy | null;
  readonly mx: readonly MxCoverage[];
  /** Worst first: errors, unknowns, warnings, infos; in the order of the look-up within each. */
  readonly findings: readonly ReportFinding[];
}

/** Worst first; within each severity in the order given. */
export function sortFindings(findings: readonly ReportFinding[]): ReportFinding[] {
  return [...findings].sort((a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity));
}

const WORST_FIRST: readonly Severity[] = ['error', 'unknown', 'warning', 'info'];

/** The report in one line of at most 300 characters, for a failure reason: the worst finding, its fix, and how many there are. */
export function summary(report: Report): string {
  const { domain, verdict, lookup, findings } = report;
  const counts = WORST_FIRST.map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${severity} ${count}`)
    .join(', ');
  const head = `${domain}: ${verdict}, lookup ${lookup}${counts === '' ? '' : ` (${counts})`}`;
  const worst = findings.find(({ severity }) => severity === 'error' || severity === 'unknown');
  if (worst === undefined) return printable(head, SUMMARY_LENGTH);
  return printable(`${head}: ${worst.code}: ${worst.message}${worst.fix === undefined ? '' : `; ${worst.fix}`}`, SUMMARY_LENGTH);
}

const SUMMARY_LENGTH = 300;
