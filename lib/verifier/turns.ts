// Lets a few of many tasks run at once: what one domain can make us connect to is limited.

/** Runs a task when its turn has come. */
export type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * Gives turns in the order in which they are asked for.
 *
 * @param most - at once
 * @param over - a task whose turn has not come by then is never begun, and its promise stays open
 */
export function turns(most: number, over: AbortSignal): InTurn {
  const waiting: (() => void)[] = [];
  let running = 0;
  over.addEventListener('abort', () => {
    waiting.length = 0;
  }, { once: true });
  return async (task) => {
    if (running >= most) {
      await new Promise<void>((begin) => {
        waiting.push(begin);
      });
    } else {
      running += 1;
    }
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      // The turn is handed on.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
