// Catches exceptions in callbacks of sockets and timers. Without it, one exception would end the process and the run over all domains.
import { safeText } from '../util/safe-text';

/** Error code of an exchange that a bug of this program ended. */
export const INTERNAL_ERROR = 'INTERNAL_FAULT';

/** Guards the callbacks of one exchange: an exception ends that exchange only. */
export class Guard {
  /** @param failed - ends the exchange with a reason; must not throw */
  public constructor(private readonly failed: (reason: string) => void) {}

  /** Wraps a callback for an event, a timer or a signal. */
  public over<A extends readonly unknown[]>(callback: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      try {
        this.call(callback, args);
      } catch (error) {
        this.failed(internalError(error));
      }
    };
  }

  /** Calls a guarded callback. Tests replace this method to make it throw. */
  private call<A extends readonly unknown[]>(callback: (...args: A) => void, args: A): void {
    callback(...args);
  }
}

/** Returns a phrase for messages: `the verifier failed (TypeError: …)`. */
export function internalError(error: unknown): string {
  return `the verifier failed (${safeText(String(error))})`;
}

/** Returns the value of `read`, or `otherwise` when it throws. Some texts of certificates have an ASN.1 type that Node cannot convert. */
export function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Limits of a conversation, and its results if it does not end by itself. */
export interface ConversationLimits<T> {
  /** Time limit in milliseconds. */
  readonly timeoutMs: number;
  /** Signals that cancel the conversation. */
  readonly signals: readonly AbortSignal[];
  /** Returns the result if starting the conversation throws. */
  readonly failed: (reason: string) => T;
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
  const { timeoutMs, signals, failed, timedOut, cancelled } = limits;
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
    const guard = new Guard((reason) => {
      settle(failed(reason));
    });
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
