import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { inOrder } from '../../lib/util/concurrency';

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of from) all.push(item);
  return all;
}

describe('concurrent tasks in order', () => {
  test('a failed task fails at its place in the order, and no further task starts', async () => {
    const started: number[] = [];
    const results: number[] = [];
    const work = async (): Promise<void> => {
      for await (const result of inOrder([1, 2, 3, 4, 5, 6], 2, async (item) => {
        started.push(item);
        await sleep(1);
        if (item === 2) throw new Error('two');
        return item;
      })) results.push(result);
    };
    await expect(work()).rejects.toThrow('two');
    expect(results).toEqual([1]);
    expect(started).not.toContain(6);
  });

  test('no further task starts after the caller stops', async () => {
    const started: number[] = [];
    for await (const first of inOrder([1, 2, 3, 4, 5, 6, 7, 8], 2, async (item) => {
      started.push(item);
      await sleep(1);
      return item;
    })) {
      expect(first).toBe(1);
      break;
    }
    expect(started.length).toBeLessThan(6);
  });

  test('results come in the order of the input, however long each task takes', async () => {
    const waits = [20, 1, 10, 0, 5];
    expect(await collect(inOrder(waits, 3, async (wait) => {
      await sleep(wait);
      return wait;
    }))).toEqual(waits);
  });

  test('at most 8 tasks run with a limit of 8, and a slow first task does not block the others', async () => {
    let running = 0;
    let maxRunning = 0;
    const finished: number[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await collect(inOrder(Array.from({ length: 20 }, (_, at) => at), 8, async (item) => {
      running += 1;
      maxRunning = Math.max(maxRunning, running);
      if (item === 0) await gate;
      await sleep(0);
      running -= 1;
      finished.push(item);
      if (finished.length === 19) release();
      return item;
    }));
    expect(maxRunning).toBe(8);
    expect(finished).toHaveLength(20);
    expect(finished[19]).toBe(0);
  });

  test('no items give no results', async () => {
    expect(await collect(inOrder([], 8, () => Promise.reject(new Error('never'))))).toEqual([]);
  });

  test('a slow source does not delay results that are ready', async () => {
    const results: number[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* source(): AsyncGenerator<number> {
      yield 1;
      await gate;
      yield 2;
    }
    for await (const result of inOrder(source(), 2, (item) => Promise.resolve(item))) {
      results.push(result);
      // Only a yielded result can open the gate.
      release();
    }
    expect(results).toEqual([1, 2]);
  });

  test('a failed source fails at its place, after the results before it', async () => {
    async function* source(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw new Error('the file is gone');
    }
    const results: number[] = [];
    const work = async (): Promise<void> => {
      for await (const result of inOrder(source(), 2, (item) => Promise.resolve(item))) results.push(result);
    };
    await expect(work()).rejects.toThrow('the file is gone');
    expect(results).toEqual([1]);
  });

  test('an endless source is read only as far as needed', async () => {
    let read = 0;
    function* source(): Generator<number> {
      for (;;) yield read += 1;
    }
    for await (const result of inOrder(source(), 2, (item) => Promise.resolve(item))) {
      if (result === 100) break;
    }
    expect(read).toBeLessThan(120);
  });

  test('an abort lets running tasks finish and starts no further task', async () => {
    const interrupt = new AbortController();
    const started: number[] = [];
    const results = await collect(inOrder([1, 2, 3, 4, 5, 6], 2, async (item) => {
      started.push(item);
      if (item === 2) interrupt.abort();
      await sleep(5);
      return item;
    }, interrupt.signal));
    expect(results).toEqual([1, 2]);
    expect(started).toEqual([1, 2]);
  });

  test('an abort works while the source is pending', async () => {
    const interrupt = new AbortController();
    async function* source(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      await new Promise(() => undefined);
    }
    const results: number[] = [];
    for await (const result of inOrder(source(), 2, (item) => Promise.resolve(item), interrupt.signal)) {
      results.push(result);
      interrupt.abort();
    }
    expect(results).toEqual([1]);
  });

  test('an abort before the start gives no result', async () => {
    expect(await collect(inOrder([1], 2, () => Promise.reject(new Error('never')), AbortSignal.abort()))).toEqual([]);
  });
});
