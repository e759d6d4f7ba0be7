// Looks at a domain again and again until it is as it should be, or time is over; only for what waiting can mend.
import { setTimeout as sleep } from 'node:timers/promises';
import { mayPass } from '../../../lib/verifier/result';
import type { VerificationResult } from '../../../lib/verifier/result';
import type { Clock } from '../../../lib/verifier/network';

/** While it waits nothing else may be left to do, so its sleep keeps the process alive. */
export const RETRY_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
};

/** How to wait. */
export interface RetryOptions {
  /** How long in all, in milliseconds. */
  readonly waitMs: number;
  readonly clock: Clock;
  /** Ends the waiting early. */
  readonly signal: AbortSignal;
  /** Hears before each pause of what is waited for. */
  readonly tell: (result: VerificationResult, pauseMs: number, leftMs: number) => void;
}

/** The TTL of the records is some minutes, and nobody is helped by asking every second. */
const PAUSES = { first: 2000, growth: 1.5, longest: 15_000 } as const;

/**
 * The first report that passes, or that waiting would not mend; at the latest the one after the time is over.
 */
export async function retryWhileTemporary(look: () => Promise<VerificationResult>, { waitMs, clock, signal, tell }: RetryOptions): Promise<VerificationResult> {
  const end = clock.now() + waitMs;
  const calledOff = (): boolean => signal.aborted;
  for (let pause: number = PAUSES.first; ; pause = Math.min(pause * PAUSES.growth, PAUSES.longest)) {
    const result = await look();
    const left = end - clock.now();
    if (result.verdict === 'pass' || left <= 0 || calledOff() || !mayPass(result)) return result;
    // The last look is at the very end.
    const wait = Math.min(pause, left);
    tell(result, wait, left);
    await clock.sleep(wait, signal);
    if (calledOff()) return result;
  }
}
