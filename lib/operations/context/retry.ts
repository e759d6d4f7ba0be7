// Repeats with backoff, bounded by the event's own deadline.
import type { OperationContext } from './operation-context';

/** How long to go on, and how long to pause in between. */
export interface RetryOptions {
  /** In all, in milliseconds. */
  readonly totalMs: number;
  /** The first pause in milliseconds; each following one is twice as long. */
  readonly firstPauseMs: number;
  /** The longest pause in milliseconds. */
  readonly maxPauseMs: number;
}

/**
 * Repeats an attempt while its result asks for it and the time lasts.
 *
 * @param context - bounds the whole: no attempt begins after its deadline or its abort
 * @param attempt - is told its number, from 1
 * @param again - whether the result is worth another attempt
 * @returns the last result
 */
export async function retryUntil<T>(
  context: OperationContext, retry: RetryOptions, attempt: (number: number) => Promise<T>, again: (result: T) => boolean,
): Promise<T> {
  const { clock } = context.services;
  const end = Math.min(clock.now() + retry.totalMs, context.deadline);
  let pause = retry.firstPauseMs;
  for (let number = 1; ; number += 1) {
    context.signal.throwIfAborted();
    const result = await attempt(number);
    const left = end - clock.now();
    if (left <= 0 || !again(result)) return result;
    await clock.sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, retry.maxPauseMs);
  }
}
