// Waiting for what comes by itself.
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_DELAY_MS = 50;

/**
 * Tries again and again.
 *
 * @param milliseconds - for how long
 * @returns what the first attempt gives that does not throw
 * @throws what the last attempt has thrown
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
