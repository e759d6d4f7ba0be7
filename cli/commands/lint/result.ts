// What linting one input came to.
import type { Finding } from '../../../lib/protocol/findings/finding';
import type { Policy } from '../../../lib/protocol/policy/policy';
import { Status } from '../../exit-status';

/** One element of what `mta-sts lint` prints. */
export interface LintResult {
  /** The path of a file, `-`, or the TXT records of the answer: a string for one, else an array. */
  readonly input: string | readonly string[];
  readonly verdict: 'valid' | 'invalid' | 'none' | 'multiple';
  /** The values read, when valid. */
  readonly record?: { readonly id: string } | { readonly rua: readonly string[] };
  readonly policy?: Policy;
  readonly findings: readonly Finding[];
}

/** Whether an error was found: whatever senders cannot use comes with one, an answer without a record too. */
export function lintStatus({ findings }: LintResult): Status {
  return findings.some(({ severity }) => severity === 'error') ? Status.ERROR_FOUND : Status.GOOD;
}
