// What a format makes of some reports.
import { Tally } from '../../cli/output/reporter';
import type { Reporter } from '../../cli/output/reporter';
import type { VerificationResult, LiveFinding } from '../../lib/verifier/result';

/** The whole document. */
export function documentOf(format: Reporter, reports: readonly VerificationResult[]): string {
  const tally = new Tally();
  const parts = [format.head()];
  for (const one of reports) {
    tally.add(one);
    parts.push(format.report(one));
  }
  return [...parts, format.tail(tally)].join('');
}

export function finding(more: Partial<LiveFinding> = {}): LiveFinding {
  return { code: 'some-code', severity: 'error', area: 'smtp', subject: 'MX mx1.example.com', message: 'something is wrong', ...more };
}

/** What a stranger's server could put into any text: escape sequences, markup of every format, half a character. */
export const HOSTILE = '\u001b[2J\u202e\r\n::error::x%0A%25,a|b`c`\u0000<script>alert(1)</script>]]>&amp;"\'\ud800\ufffe##[error]';
