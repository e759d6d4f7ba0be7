// Waits for a condition.
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_DELAY_MS = 50;

/**
 * Repeats an attempt until it does not throw.
 *
 * @param milliseconds - time limit
 * @returns the result of the first successful attempt
 * @throws the error of the last attempt, after the time limit
 */
export async function until<T>(milliseconds: number, attempt: () => T | Promise<T>): Promise<T> {
  for (const end = Date.now() + milliseconds; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(RETRY_DELAY_MS);
    }
  }
}
