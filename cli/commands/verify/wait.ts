// Repeats the verification of a domain until it passes, the time is over, or its problem is not temporary.
import { setTimeout as sleep } from 'node:timers/promises';
import { safeText } from '../../../lib/util/safe-text';
import { duration } from '../../../lib/verifier/network-errors';
import { mayPass } from '../../../lib/verifier/result';
import type { VerificationResult } from '../../../lib/verifier/result';
import type { Clock } from '../../../lib/verifier/network';

/** Its sleep keeps the process alive: during a pause nothing else does. */
export const RETRY_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
};

export interface RetryOptions {
  /** Maximum time in all, in milliseconds. */
  readonly waitMs: number;
  readonly clock: Clock;
  /** Ends the wait early. */
  readonly signal: AbortSignal;
  /** Called before each pause. */
  readonly onPause: (result: VerificationResult, pauseMs: number, leftMs: number) => void;
}

/** Records have a TTL of minutes, so shorter pauses do not help. */
const PAUSES_MS = { first: 2000, growth: 1.5, max: 15_000 } as const;

/** Returns the first result that passes or whose problem is not temporary, or else the first result after the time is over. */
export async function retryWhileTemporary(
  verify: () => Promise<VerificationResult>, { waitMs, clock, signal, onPause }: RetryOptions,
): Promise<VerificationResult> {
  const end = clock.now() + waitMs;
  const isCancelled = (): boolean => signal.aborted;
  for (let pauseMs: number = PAUSES_MS.first; ; pauseMs = Math.min(pauseMs * PAUSES_MS.growth, PAUSES_MS.max)) {
    const result = await verify();
    const leftMs = end - clock.now();
    if (result.verdict === 'pass' || leftMs <= 0 || isCancelled() || !mayPass(result)) return result;
    // The last attempt is at the very end.
    const nextPauseMs = Math.min(pauseMs, leftMs);
    onPause(result, nextPauseMs, leftMs);
    await clock.sleep(nextPauseMs, signal);
    if (isCancelled()) return result;
  }
}

/** Returns one line about a pause: `mta-sts: example.com: id-unexpected: the id is ...; again in 4 s, for at most 9 min`. */
export function pauseText({ domain, findings }: VerificationResult, pauseMs: number, leftMs: number): string {
  const [worst] = findings;
  const reason = worst === undefined ? 'not decided yet' : `${worst.code}: ${safeText(worst.message, 200).replaceAll('##[', '#\\x23[')}`;
  return `mta-sts: ${domain}: ${reason}; again in ${duration(pauseMs)}, for at most ${formatTimeLeft(leftMs)}\n`;
}

function formatTimeLeft(milliseconds: number): string {
  return milliseconds < 120_000 ? duration(milliseconds) : `${Math.ceil(milliseconds / 60_000)} min`;
}
