// Time that passes only when nobody has anything left to do.

/** When it begins, in milliseconds since the epoch. */
export const VIRTUAL_BEGIN = Date.parse('2026-01-01T00:00:00Z');

/** For work that waits for nothing but this time. */
export class VirtualTime {
  private time = VIRTUAL_BEGIN;
  private readonly waiting: { readonly at: number; readonly wake: () => void }[] = [];

  public now(): number {
    return this.time;
  }

  public sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => {
      this.waiting.push({ at: this.time + milliseconds, wake });
    });
  }

  /** Lets time pass until the work is done. */
  public async run<T>(work: Promise<T>): Promise<T> {
    const state = { done: false };
    const watched = work.finally(() => {
      state.done = true;
    });
    for (;;) {
      // All that follows from what has come, and from what follows from that.
      await new Promise((resolve) => setImmediate(resolve));
      if (state.done) return watched;
      this.time = Math.min(...this.waiting.map(({ at }) => at));
      const due = this.waiting.filter(({ at }) => at === this.time);
      due.forEach((one) => this.waiting.splice(this.waiting.indexOf(one), 1));
      due.forEach(({ wake }) => {
        wake();
      });
    }
  }
}
