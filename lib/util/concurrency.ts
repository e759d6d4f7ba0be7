// Runs many tasks, a few at a time, with the results in the order of the items. Only pending tasks and results are in memory.

/** Maximum number of results that wait for an earlier one, as a multiple of the tasks that run at once. */
const MAX_AHEAD = 4;

/**
 * Runs a task for each item, at most `limit` at once. Yields the results in the order of the items, each as soon as all results before
 * it are yielded. The first failure in that order ends the iteration. No task starts after a failure, an abort, or the end of the
 * caller's loop.
 *
 * @param signal - ends the iteration early: no further task starts, and the running tasks are awaited
 */
export async function* inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>, limit: number, task: (item: T) => Promise<R>, signal?: AbortSignal,
): AsyncGenerator<R> {
  yield* consume(new Queue(items, limit, limit * MAX_AHEAD, task), signal);
}

/**
 * Runs a task for each item, at most `limit` at once. A slow task delays no other: the next task starts as soon as one is done.
 *
 * @returns the results in the order of the items
 */
export async function mapConcurrently<T, R>(items: readonly T[], limit: number, task: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for await (const result of consume(new Queue(items, limit, Infinity, task))) results.push(result);
  return results;
}

async function* consume<T, R>(queue: Queue<T, R>, signal?: AbortSignal): AsyncGenerator<R> {
  const stop = (): void => {
    queue.stop();
  };
  signal?.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  try {
    for (;;) {
      const first = queue.take();
      if (first !== undefined) yield await first;
      else if (queue.isOver) return;
      else await queue.changed();
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    queue.stop();
    await queue.idle();
  }
}

interface Entry<R> {
  readonly start: () => Promise<R>;
  state: 'waiting' | 'started' | 'done';
  result?: Promise<R>;
}

/** The items that were read and not yet yielded, in their order. The tasks at its front have started. */
class Queue<T, R> {
  private readonly source: AsyncGenerator<T>;
  private readonly entries: Entry<R>[] = [];
  private readonly running = new Set<Promise<void>>();
  private isReading = false;
  private isExhausted = false;
  /** Only one waiter: races between long-lived promises would accumulate memory. */
  private wake: () => void = () => undefined;

  public constructor(
    items: Iterable<T> | AsyncIterable<T>, private readonly limit: number, private readonly maxEntries: number,
    private readonly task: (item: T) => Promise<R>,
  ) {
    this.source = iterate(items);
    this.read();
  }

  /** Whether no further result will come. */
  public get isOver(): boolean {
    return this.isExhausted && this.entries.length === 0;
  }

  /** Removes and returns the first result, if its task is done. */
  public take(): Promise<R> | undefined {
    const [first] = this.entries;
    if (first?.state !== 'done') return undefined;
    this.entries.shift();
    this.read();
    return first.result;
  }

  /** Resolves at the next change. */
  public changed(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** Drops the tasks that have not started. */
  public stop(): void {
    this.isExhausted = true;
    const waiting = this.entries.findIndex(({ state }) => state === 'waiting');
    if (waiting !== -1) this.entries.splice(waiting);
    this.wake();
  }

  /** Resolves when no task runs any more. Does not wait for a pending read: a reader that waits for a person never learns of the end. */
  public async idle(): Promise<void> {
    if (!this.isReading) await this.source.return(undefined);
    await Promise.all(this.running);
  }

  private read(): void {
    if (this.isReading || this.isExhausted || this.entries.length >= this.maxEntries) return;
    this.isReading = true;
    this.source.next().then((next) => {
      this.isReading = false;
      if (next.done === true) this.isExhausted = true;
      else this.add(() => this.task(next.value));
    }, (error: unknown) => {
      this.isReading = false;
      // A failure to read takes its place in the order, as the failure of a task does.
      this.add(() => Promise.reject(error instanceof Error ? error : new Error(String(error))));
      this.isExhausted = true;
    }).finally(() => {
      this.read();
      this.wake();
    });
  }

  private add(start: () => Promise<R>): void {
    if (this.isExhausted) return;
    this.entries.push({ start, state: 'waiting' });
    this.startTasks();
  }

  private startTasks(): void {
    for (const entry of this.entries) {
      if (this.running.size >= this.limit) return;
      if (entry.state === 'waiting') this.run(entry);
    }
  }

  private run(entry: Entry<R>): void {
    entry.state = 'started';
    entry.result = entry.start();
    const finish = (): void => {
      entry.state = 'done';
      this.running.delete(running);
      this.startTasks();
      this.wake();
    };
    const running: Promise<void> = entry.result.then(finish, finish);
    this.running.add(running);
  }
}

async function* iterate<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}
