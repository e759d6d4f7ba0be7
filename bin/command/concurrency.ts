// Many tasks, a few at a time, results in the order of the input.

/**
 * Runs a task for each item, at most `limit` at once, and gives the results in the items' order, each as soon as all before it
 * are there. The first failure in that order ends it, and so does a caller who stops asking: no further task is begun then.
 */
export async function* inOrder<T, R>(items: readonly T[], limit: number, task: (item: T) => Promise<R>): AsyncGenerator<R> {
  const results = items.map(() => deferred<R>());
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const at = next;
      next += 1;
      const result = task(items[at]);
      results[at].resolve(result);
      await result.catch(() => undefined);
    }
  };
  const workers = Array.from({ length: Math.min(limit, items.length) }, work);
  try {
    for (const { promise } of results) yield await promise;
  } finally {
    next = items.length;
    await Promise.all(workers);
  }
}

interface Deferred<R> {
  readonly promise: Promise<R>;
  readonly resolve: (value: Promise<R>) => void;
}

function deferred<R>(): Deferred<R> {
  let resolve: (value: Promise<R>) => void = () => undefined;
  const promise = new Promise<R>((settle) => {
    resolve = settle;
  });
  // Whoever waits for it hears of a failure; until then it must not count as unhandled.
  promise.catch(() => undefined);
  return { promise, resolve };
}
