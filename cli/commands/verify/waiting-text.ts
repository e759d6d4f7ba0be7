// What is said while `verify --wait` waits: for what, and how long it will be patient.
import type { VerificationResult } from '../../../lib/verifier/result';
import { duration } from '../../../lib/verifier/network-errors';
import { safeText } from '../../../lib/util/safe-text';

/** `mta-sts: example.com: id-unexpected: the id is ...; again in 4 s, for at most 9 min`, one line. */
export function waitingText({ domain, findings }: VerificationResult, pauseMs: number, leftMs: number): string {
  const [worst] = findings;
  const why = findings.length === 0 ? 'not decided yet' : `${worst.code}: ${safeText(worst.message, 200).replaceAll('##[', '#\\x23[')}`;
  return `mta-sts: ${domain}: ${why}; again in ${duration(pauseMs)}, for at most ${left(leftMs)}\n`;
}

function left(milliseconds: number): string {
  return milliseconds < 120_000 ? duration(milliseconds) : `${Math.ceil(milliseconds / 60_000)} min`;
}
