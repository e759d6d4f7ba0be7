// Repeats with backoff, bounded by the event's own deadline.
import type { Run } from './invocation';

/** How long to go on, and how long to pause in between. */
export interface Patience {
  /** In all, in milliseconds. */
  readonly milliseconds: number;
  /** The first pause in milliseconds; each following one is twice as long. */
  readonly firstPause: number;
  /** The longest pause in milliseconds. */
  readonly longestPause: number;
}

/**
 * Repeats an attempt while its result asks for it and the time lasts.
 *
 * @param run - bounds the whole: no attempt begins after its deadline or its abort
 * @param attempt - is told its number, from 1
 * @param again - whether the result is worth another attempt
 * @returns the last result
 */
export async function repeat<T>(
  run: Run, patience: Patience, attempt: (number: number) => Promise<T>, again: (result: T) => boolean,
): Promise<T> {
  const { clock } = run.world;
  const end = Math.min(clock.now() + patience.milliseconds, run.deadline);
  let pause = patience.firstPause;
  for (let number = 1; ; number += 1) {
    run.signal.throwIfAborted();
    const result = await attempt(number);
    const left = end - clock.now();
    if (left <= 0 || !again(result)) return result;
    await clock.sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, patience.longestPause);
  }
}
