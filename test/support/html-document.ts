// Creates the document of a reporter, and findings with hostile text for it.
import { Tally } from '../../cli/output/reporter';
import type { Reporter } from '../../cli/output/reporter';
import type { VerificationResult, LiveFinding } from '../../lib/verifier/result';

/** Returns the whole document of some results. */
export function documentOf(reporter: Reporter, results: readonly VerificationResult[]): string {
  const tally = new Tally();
  const parts = [reporter.head()];
  for (const result of results) {
    tally.add(result);
    parts.push(reporter.body(result));
  }
  return [...parts, reporter.tail(tally)].join('');
}

/** Returns a finding, with some values replaced. */
export function finding(more: Partial<LiveFinding> = {}): LiveFinding {
  return { code: 'some-code', severity: 'error', area: 'smtp', subject: 'MX mx1.example.com', message: 'something is wrong', ...more };
}

/** Text that a hostile server could send: escape sequences, markup of every format, and half of a surrogate pair. */
export const HOSTILE = '\u001b[2J\u202e\r\n::error::x%0A%25,a|b`c`\u0000<script>alert(1)</script>]]>&amp;"\'\ud800\ufffe##[error]';
