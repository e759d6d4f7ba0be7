// Many tasks, a few at a time, results in the order of the input; in memory is only what is on its way.

/** How many results may wait for an earlier one, as a multiple of the tasks at once. */
const AHEAD = 4;

/**
 * Runs a task for each item, at most `limit` at once, and gives the results in the items' order, each as soon as all before it
 * are there. The first failure in that order ends it, and so does a caller who stops asking: no further task is begun then.
 *
 * @param signal - ends it early: no further task is begun, and what has been begun is waited for
 */
export async function* inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>, limit: number, task: (item: T) => Promise<R>, signal?: AbortSignal,
): AsyncGenerator<R> {
  const line = new Line(items, limit, task);
  const stop = (): void => {
    line.stop();
  };
  signal?.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  try {
    for (;;) {
      const first = line.take();
      if (first !== undefined) yield await first;
      else if (line.over) return;
      else await line.changed();
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    line.stop();
    await line.idle();
  }
}

interface Place<R> {
  readonly begin: () => Promise<R>;
  state: 'waiting' | 'begun' | 'done';
  result?: Promise<R>;
}

/** The items in hand, in their order: those at its front have been begun. */
class Line<T, R> {
  private readonly source: AsyncGenerator<T>;
  private readonly places: Place<R>[] = [];
  private readonly running = new Set<Promise<void>>();
  private reading = false;
  private exhausted = false;
  /** One waiter at most: races between promises that live long would gather memory. */
  private wake: () => void = () => undefined;

  public constructor(
    items: Iterable<T> | AsyncIterable<T>, private readonly limit: number, private readonly task: (item: T) => Promise<R>,
  ) {
    this.source = iterate(items);
    this.read();
  }

  /** Whether nothing more will come. */
  public get over(): boolean {
    return this.exhausted && this.places.length === 0;
  }

  /** The first result, if it is there. */
  public take(): Promise<R> | undefined {
    const [first] = this.places;
    if (this.places.length === 0 || first.state !== 'done') return undefined;
    this.places.shift();
    this.read();
    return first.result;
  }

  public changed(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  public stop(): void {
    this.exhausted = true;
    const waiting = this.places.findIndex(({ state }) => state === 'waiting');
    if (waiting !== -1) this.places.splice(waiting);
    this.wake();
  }

  /** When no task runs any more. A reader that waits for a person would not hear of the end, so nobody waits for that. */
  public async idle(): Promise<void> {
    if (!this.reading) await this.source.return(undefined);
    await Promise.all(this.running);
  }

  private read(): void {
    if (this.reading || this.exhausted || this.places.length >= this.limit * AHEAD) return;
    this.reading = true;
    this.source.next().then((next) => {
      this.reading = false;
      if (next.done === true) this.exhausted = true;
      else this.add(() => this.task(next.value));
    }, (error: unknown) => {
      this.reading = false;
      // It comes at its place in the order, as the failure of a task does.
      this.add(() => Promise.reject(error instanceof Error ? error : new Error(String(error))));
      this.exhausted = true;
    }).finally(() => {
      this.read();
      this.wake();
    });
  }

  private add(begin: () => Promise<R>): void {
    if (this.exhausted) return;
    this.places.push({ begin, state: 'waiting' });
    this.begin();
  }

  private begin(): void {
    for (const place of this.places) {
      if (this.running.size >= this.limit) return;
      if (place.state === 'waiting') this.run(place);
    }
  }

  private run(place: Place<R>): void {
    place.state = 'begun';
    place.result = place.begin();
    const finished = (): void => {
      place.state = 'done';
      this.running.delete(running);
      this.begin();
      this.wake();
    };
    const running: Promise<void> = place.result.then(finished, finished);
    this.running.add(running);
  }
}

async function* iterate<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}
