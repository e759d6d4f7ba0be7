// A part of an event's work with a limit of its own: what hangs there must not cost the whole.
import type { Invocation } from './invocation';
import { withTimeLimit } from './deadline';

/**
 * Ends with the limit or with the run, whichever comes first, whatever the work does.
 *
 * @param what - for the error when the limit was first
 */
export async function withStepLimit<T>(invocation: Invocation, milliseconds: number, what: string, work: (invocation: Invocation) => Promise<T>): Promise<T> {
  const deadline = Math.min(invocation.deadline, invocation.services.clock.now() + milliseconds);
  const done = new AbortController();
  try {
    return await withTimeLimit(milliseconds, async (signal) => {
      return Promise.race([work({ ...invocation, deadline, signal: AbortSignal.any([invocation.signal, signal]) }), over(invocation.signal, done.signal)]);
    }, () => new Error(`${what} took longer than ${Math.round(milliseconds / 1000)} s`));
  } finally {
    // The run's signal outlives this part, and must not keep its listeners.
    // With a reason: without one Node.js makes an error, and its stack, each time.
    done.abort('done');
  }
}

async function over(signal: AbortSignal, unheard: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    }, { once: true, signal: unheard });
  });
  throw signal.reason;
}
