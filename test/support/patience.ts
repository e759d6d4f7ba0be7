// Waiting in tests for what happens, never for a time: a machine that is busy takes as long as it likes.
import type { Clock } from '../../lib/verifier/network';

/** Until a condition holds; that it never does ends the test by the runner's own limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/**
 * Tries with a short limit, for the test's sake, and where the machine did not come as far as the test is about, with longer ones.
 *
 * @param limits - in milliseconds
 * @param farEnough - whether that was reached within the limit
 */
export async function withPatience<T>(
  limits: readonly number[], attempt: (limitMs: number) => Promise<T>, farEnough: (result: T) => boolean,
): Promise<{ readonly result: T; readonly limitMs: number }> {
  const [limitMs, ...longer] = limits;
  const result = await attempt(limitMs);
  return longer.length === 0 || farEnough(result) ? { result, limitMs } : withPatience(longer, attempt, farEnough);
}

/** Real time, but for sleeps of some lengths, which end when the test says so: the limits that a busy machine would overrun. */
export function clockWith(sleeps: Readonly<Record<number, () => Promise<unknown>>>): Clock {
  return {
    now: () => Date.now(),
    sleep: (milliseconds) => {
      if (Object.hasOwn(sleeps, milliseconds)) return sleeps[milliseconds]();
      return new Promise((resolve) => {
        setTimeout(resolve, milliseconds).unref();
      });
    },
  };
}

/** For a limit that is not to be reached. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
