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
