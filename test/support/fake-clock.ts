// The clocks of the tests: a fake clock whose sleeps take no time, and the real clock with sleeps that a test ends.
import type { Clock } from '../../lib/verifier/network';

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/** A clock whose sleeps take no time: each sleep moves `now()` on. */
export class FakeClock implements Clock {
  /** The durations of all sleeps so far, in milliseconds. */
  public readonly slept: number[] = [];
  /** Pending sleeps during `run()`. */
  private sleepers: Sleeper[] | undefined;

  /** @param time - the time at the start, in milliseconds since the epoch */
  constructor(private time = Date.now()) {}

  public now(): number {
    return this.time;
  }

  public async sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds);
    const { sleepers, time } = this;
    if (sleepers !== undefined) {
      return new Promise((wake) => {
        sleepers.push({ wakeAt: time + milliseconds, wake });
      });
    }
    this.time += milliseconds;
    // Gives real sockets a turn.
    await nextTurn();
    return undefined;
  }

  /**
   * Runs work that waits for nothing but this clock. Time moves on only when all of the work sleeps, so sleeps that overlap take as long
   * as the longest of them.
   */
  public async run<T>(work: () => Promise<T>): Promise<T> {
    this.sleepers = [];
    const state = { done: false };
    const watched = work().finally(() => {
      state.done = true;
    });
    for (;;) {
      await nextTurn();
      if (state.done) break;
      this.wakeNext(this.sleepers);
    }
    this.sleepers = undefined;
    return watched;
  }

  /** Moves time on to the next wake-up. */
  private wakeNext(sleepers: readonly Sleeper[]): void {
    if (sleepers.length === 0) return;
    const next = Math.min(...sleepers.map(({ wakeAt }) => wakeAt));
    this.time = next;
    this.sleepers = sleepers.filter(({ wakeAt }) => wakeAt > next);
    for (const { wakeAt, wake } of sleepers) if (wakeAt === next) wake();
  }
}

/**
 * Returns the real clock, except for sleeps of the given durations. Those end when the test says so: a busy machine would overrun them.
 *
 * @param sleeps - by duration in milliseconds
 */
export function realClockExcept(sleeps: Readonly<Record<number, () => Promise<unknown>>>): Clock {
  return {
    now: () => Date.now(),
    sleep: (milliseconds) => sleeps[milliseconds]?.() ?? new Promise((resolve) => {
      setTimeout(resolve, milliseconds).unref();
    }),
  };
}

/** Waits until all work that does not sleep has gone as far as it can. */
async function nextTurn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
