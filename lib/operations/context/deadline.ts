// A time limit on work that may hang, an AWS call or a socket: every path must answer CloudFormation.

/**
 * Runs work for so long at most. When the time is over the work's signal is aborted and the result is an error, whatever
 * the work does.
 *
 * The limit is a real timer, not the world's clock: it must hold even where the clock stands.
 *
 * @param milliseconds - the limit
 * @param work - what may hang
 * @param late - the error to throw when it did
 */
export async function withTimeLimit<T>(milliseconds: number, work: (signal: AbortSignal) => Promise<T>, late: () => Error): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // Before the abort: the steps end with it, and the message shall name them.
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
