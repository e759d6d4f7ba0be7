// Bounds one conversation with a server: it ends with a result, by a timeout or by an abort, and cleans up once.
import type { Guard } from './guard';

export interface ConversationLimits<T> {
  readonly timeoutMs: number;
  /** Signals that cancel the conversation. */
  readonly signals: readonly AbortSignal[];
  /** Settles the conversation if one of its callbacks throws. */
  readonly guard: Guard;
  /** Returns the result of a conversation that took longer than `timeoutMs`. */
  readonly timedOut: () => T;
  /** Returns the result of a conversation that a signal cancelled. */
  readonly cancelled: () => T;
}

/**
 * Starts a conversation and resolves with the first result. Never rejects. Does not start if a signal has aborted already.
 *
 * @param start - starts the conversation; returns a function that closes it
 */
export function settleOnce<T>(limits: ConversationLimits<T>, start: (settle: (result: T) => void) => () => void): Promise<T> {
  const { timeoutMs, signals, guard, timedOut, cancelled } = limits;
  return new Promise((resolve) => {
    let isSettled = false;
    let close: (() => void) | undefined;
    const settle = (result: T): void => {
      if (isSettled) return;
      isSettled = true;
      resolve(result);
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', abort);
      close?.();
    };
    const abort = guard.over((): void => {
      settle(cancelled());
    });
    const timer = setTimeout(guard.over(() => {
      settle(timedOut());
    }), timeoutMs);
    for (const signal of signals) signal.addEventListener('abort', abort);
    if (signals.some(({ aborted }) => aborted)) abort();
    else guard.over(() => {
      close = start(settle);
      // A conversation can settle while it starts.
      if (isSettled) close();
    })();
  });
}
