// Repeats attempts with backoff, within the deadline of the operation.
import type { OperationContext } from './operation-context';

/** The time limit of all attempts, and the pauses between them. */
export interface RetryOptions {
  /** The time limit in milliseconds. */
  readonly totalMs: number;
  /** The first pause in milliseconds. Each following pause is twice as long. */
  readonly firstPauseMs: number;
  /** The maximum pause in milliseconds. */
  readonly maxPauseMs: number;
}

/**
 * Repeats an attempt until its result is final or the time is over.
 *
 * @param context - no attempt begins after the deadline or the abort of the operation
 * @param attempt - gets its number, from 1
 * @param isRetryable - returns whether the result is worth another attempt
 * @returns the last result
 */
export async function retryUntil<T>(
  context: OperationContext, retry: RetryOptions, attempt: (number: number) => Promise<T>, isRetryable: (result: T) => boolean,
): Promise<T> {
  const { clock } = context.services;
  const end = Math.min(clock.now() + retry.totalMs, context.deadline);
  let pause = retry.firstPauseMs;
  for (let number = 1; ; number += 1) {
    context.signal.throwIfAborted();
    const result = await attempt(number);
    const left = end - clock.now();
    if (left <= 0 || !isRetryable(result)) return result;
    await clock.sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, retry.maxPauseMs);
  }
}
