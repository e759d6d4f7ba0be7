// Time limits for work that may hang, such as an AWS call or a socket. Every path must answer CloudFormation in time.
import type { OperationContext } from './operation-context';

/**
 * Runs work with a time limit. At the limit, the signal of the work is aborted and the call rejects, even if the work ignores its signal.
 *
 * The limit is a real timer and not the injected clock. It must also hold where the injected clock stands still.
 *
 * @param milliseconds - the limit
 * @param work - the work that may hang
 * @param late - returns the error to throw at the limit
 */
export async function withTimeLimit<T>(milliseconds: number, work: (signal: AbortSignal) => Promise<T>, late: () => Error): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // Before the abort: the abort ends the steps, and the message names them.
      const error = late();
      controller.abort(error);
      reject(error);
    }, milliseconds);
  });
  try {
    return await Promise.race([work(controller.signal), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a step with a limit of its own, so that one hanging step does not use up the time of the whole operation. The step ends at its
 * limit or with the operation, whichever comes first.
 *
 * @param name - the step, for the error at the limit
 */
export async function withStepLimit<T>(
  context: OperationContext, milliseconds: number, name: string, work: (context: OperationContext) => Promise<T>,
): Promise<T> {
  const deadline = Math.min(context.deadline, context.services.clock.now() + milliseconds);
  const done = new AbortController();
  try {
    return await withTimeLimit(milliseconds, async (signal) => {
      const step = { ...context, deadline, signal: AbortSignal.any([context.signal, signal]) };
      return Promise.race([work(step), rejectOnAbort(context.signal, done.signal)]);
    }, () => new Error(`${name} took longer than ${Math.round(milliseconds / 1000)} s`));
  } finally {
    // Removes the listener: the signal of the operation outlives the step.
    // With a reason: without one, Node.js creates an error with a stack each time.
    done.abort('done');
  }
}

async function rejectOnAbort(signal: AbortSignal, stopListening: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    }, { once: true, signal: stopListening });
  });
  throw signal.reason;
}
