// A part of an event's work with a limit of its own: what hangs there must not cost the whole.
import type { Run } from './run';
import { within } from './within';

/**
 * Ends with the limit or with the run, whichever comes first, whatever the work does.
 *
 * @param what - for the error when the limit was first
 */
export async function bounded<T>(run: Run, milliseconds: number, what: string, work: (run: Run) => Promise<T>): Promise<T> {
  const deadline = Math.min(run.deadline, run.world.clock.now() + milliseconds);
  return within(milliseconds, async (signal) => {
    return Promise.race([work({ ...run, deadline, signal: AbortSignal.any([run.signal, signal]) }), over(run.signal)]);
  }, () => new Error(`${what} took longer than ${Math.round(milliseconds / 1000)} s`));
}

async function over(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    }, { once: true });
  });
  throw signal.reason;
}
