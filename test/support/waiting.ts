// Waits in tests for events, never for a time: a busy machine may take as long as it needs.

/** Waits until a condition holds. Jest's own time limit ends a test whose condition never holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/**
 * Makes an attempt with a short time limit, which keeps the test fast. Repeats the attempt with longer limits when a slow machine did
 * not get far enough.
 *
 * @param limits - in milliseconds, the shortest first
 * @param isFarEnough - whether the attempt reached the point that the test is about
 */
export async function withLongerLimits<T>(
  limits: readonly [number, ...number[]], attempt: (limitMs: number) => Promise<T>, isFarEnough: (result: T) => boolean,
): Promise<{ readonly result: T; readonly limitMs: number }> {
  const [limitMs, next, ...longer] = limits;
  const result = await attempt(limitMs);
  return next === undefined || isFarEnough(result) ? { result, limitMs } : withLongerLimits([next, ...longer], attempt, isFarEnough);
}

/** Returns a promise that never settles, for a time limit that the test must not reach. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
