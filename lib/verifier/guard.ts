// Keeps a fault in a callback of a socket, a timer or the system from ending the process, and with it the run over all domains.
import { safeText } from '../util/safe-text';

/** The `code` of an exchange that ended because this program itself failed while it read what came. */
export const INTERNAL_ERROR = 'INTERNAL_FAULT';

/** Guards the callbacks of one exchange: what one of them throws ends that exchange, and nothing else. */
export class Guard {
  /** @param failed - settles the exchange; must not throw */
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

  /** The one place where a guarded callback is called; tests make it throw. */
  private call<A extends readonly unknown[]>(callback: (...args: A) => void, args: A): void {
    callback(...args);
  }
}

/** One phrase for people: `the verifier failed while it looked (TypeError: …)`. */
export function internalError(error: unknown): string {
  return `the verifier failed while it looked (${safeText(String(error))})`;
}

/** Reads what may throw, such as a text of a certificate whose ASN.1 type nothing converts. */
export function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
