import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { inOrder } from '../../bin/command/concurrency';

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of from) all.push(item);
  return all;
}

describe('many at once', () => {
  test('a failure comes at its place in the order, and no further task is begun', async () => {
    const begun: number[] = [];
    const results: number[] = [];
    const work = async (): Promise<void> => {
      for await (const result of inOrder([1, 2, 3, 4, 5, 6], 2, async (item) => {
        begun.push(item);
        await sleep(1);
        if (item === 2) throw new Error('two');
        return item;
      })) results.push(result);
    };
    await expect(work()).rejects.toThrow('two');
    expect(results).toEqual([1]);
    expect(begun).not.toContain(6);
  });

  test('a caller who stops asking stops the rest', async () => {
    const begun: number[] = [];
    for await (const first of inOrder([1, 2, 3, 4, 5, 6, 7, 8], 2, async (item) => {
      begun.push(item);
      await sleep(1);
      return item;
    })) {
      expect(first).toBe(1);
      break;
    }
    expect(begun.length).toBeLessThan(6);
  });

  test('results come in the order of the input however long each takes', async () => {
    const waits = [20, 1, 10, 0, 5];
    expect(await collect(inOrder(waits, 3, async (wait) => {
      await sleep(wait);
      return wait;
    }))).toEqual(waits);
  });

  test('never more than the limit run, and a slow first one does not hold up the others', async () => {
    let running = 0;
    let most = 0;
    const finished: number[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await collect(inOrder(Array.from({ length: 20 }, (_, at) => at), 8, async (item) => {
      running += 1;
      most = Math.max(most, running);
      if (item === 0) await gate;
      await sleep(0);
      running -= 1;
      finished.push(item);
      if (finished.length === 19) release();
      return item;
    }));
    expect(most).toBe(8);
    expect(finished).toHaveLength(20);
    expect(finished[19]).toBe(0);
  });

  test('of nothing comes nothing', async () => {
    expect(await collect(inOrder([], 8, () => Promise.reject(new Error('never'))))).toEqual([]);
  });
});
