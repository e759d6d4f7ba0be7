// Looks at a domain again and again until it is as it should be, or time is over; only for what waiting can mend.
import { setTimeout as sleep } from 'node:timers/promises';
import { mayPass } from '../../../lib/verifier/result';
import type { Report } from '../../../lib/verifier/result';
import type { Clock } from '../../../lib/verifier/network';

/** While it waits nothing else may be left to do, so its sleep keeps the process alive. */
export const PATIENT_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
};

/** How to wait. */
export interface Patience {
  /** How long in all, in milliseconds. */
  readonly waitMs: number;
  readonly clock: Clock;
  /** Ends the waiting early. */
  readonly signal: AbortSignal;
  /** Hears before each pause of what is waited for. */
  readonly tell: (report: Report, pauseMs: number, leftMs: number) => void;
}

/** The TTL of the records is some minutes, and nobody is helped by asking every second. */
const PAUSES = { first: 2000, growth: 1.5, longest: 15_000 } as const;

/**
 * The first report that passes, or that waiting would not mend; at the latest the one after the time is over.
 */
export async function patiently(look: () => Promise<Report>, { waitMs, clock, signal, tell }: Patience): Promise<Report> {
  const end = clock.now() + waitMs;
  const calledOff = (): boolean => signal.aborted;
  for (let pause: number = PAUSES.first; ; pause = Math.min(pause * PAUSES.growth, PAUSES.longest)) {
    const report = await look();
    const left = end - clock.now();
    if (report.verdict === 'pass' || left <= 0 || calledOff() || !mayPass(report)) return report;
    // The last look is at the very end.
    const wait = Math.min(pause, left);
    tell(report, wait, left);
    await clock.sleep(wait, signal);
    if (calledOff()) return report;
  }
}
