// Defines the network access of a verification.
import type { Resolver } from './dns/resolver';
import type { FetchPolicy } from './https/policy-fetch';
import type { MxProbe } from './smtp/mx-probe';

/** Time, in milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /** @param signal - ends the sleep early, where the clock supports that */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<unknown>;
}

/** The network access of a verification. */
export interface Network {
  readonly resolver: Resolver;
  readonly fetchPolicy: FetchPolicy;
  readonly mxProbe: MxProbe;
  readonly clock: Clock;
}

/** The part that queries DNS. */
export type DnsNetwork = Pick<Network, 'clock' | 'resolver'>;

/** The system clock. Its sleep does not keep the process alive; pending connections do. */
export const REAL_CLOCK: Clock = {
  now: () => Date.now(),
  // `timers/promises` would build an Error with a stack trace for each sleep that ends early, as nearly all do.
  sleep: (milliseconds, signal) => new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds).unref();
    signal?.addEventListener('abort', wake);
  }),
};
