// What the verifier asks the world with, how the whole is kept within its time, and where it must not go.
import { parseServer } from './dns/server-address';
import { NOT_ASKED } from './evidence';
import { createFetchPolicy } from './https/policy-fetch';
import type { FetchPolicy } from './https/policy-fetch';
import { createMxProbe } from './smtp/mx-probe';
import type { MxProbe } from './smtp/mx-probe';
import { allowManyListeners, duration } from './network-errors';
import { NOT_PUBLIC, NOT_PUBLIC_REASON, isPublicAddress } from './public-only';
import { SOME_RESOLVER } from './dns/answer';
import { createResolver } from './dns/resolver';
import type { DnsFailed } from './dns/answer';
import type { Resolver } from './dns/resolver';
import { turns } from './turns';

/** Time, in milliseconds. */
export interface Clock {
  now(): number;
  /** @param signal - ends it early, where the clock can */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<unknown>;
}

/** Everything outside of the verifier. */
export interface Network {
  readonly resolver: Resolver;
  readonly fetchPolicy: FetchPolicy;
  readonly mxProbe: MxProbe;
  readonly clock: Clock;
}

/** The `code` of what was not waited for to its end. */
export const DEADLINE_EXCEEDED = 'DEADLINE';

/** The `code` of what its own signal has ended. */
export const CANCELLED = 'ABORT_ERR';

/** The bounds of one verification. */
export interface Bounds {
  readonly timeoutMs: number;
  /** Ends what the real parts have under way. */
  readonly ended: AbortSignal;
  /** When the caller has seen enough: the time is up then. */
  readonly signal?: AbortSignal;
}

/**
 * The world within a deadline: when it has passed, every question under way and every later one is answered at once with "no
 * answer", so that all that builds on them comes to its own end. Nothing in it rejects.
 *
 * @param world - the parts that are not to be the real ones
 */
export function withDeadline(world: Partial<Network>, { timeoutMs, ended, signal }: Bounds): Network {
  allowManyListeners(signal);
  const clock = world.clock ?? REAL_CLOCK;
  const resolver = world.resolver ?? createResolver({ signal: ended });
  const fetchPolicy = world.fetchPolicy ?? createFetchPolicy({ signal: ended });
  const mxProbe = world.mxProbe ?? createMxProbe({ signal: ended });
  const { within, over } = limit(clock, timeoutMs, `not answered within the ${duration(timeoutMs)} that the verification may take`, { ended, signal });
  const fetching = turns(FETCHES_AT_ONCE, over);
  const probing = turns(PROBES_AT_ONCE, over);
  return {
    clock,
    resolver: limitedResolver(resolver, within),
    fetchPolicy: (request) => {
      const begin = clock.now();
      return within(
        () => fetching(() => fetchPolicy({ ...request, signal: over })),
        (why) => ({ outcome: 'unreachable', reason: why, code: DEADLINE_EXCEEDED, milliseconds: clock.now() - begin }),
      );
    },
    mxProbe: {
      get reachedAny() { return mxProbe.reachedAny; },
      probe: (request) => {
        const begin = clock.now();
        return within(
          () => probing(() => mxProbe.probe({ ...request, signal: over })),
          (why) => ({ outcome: 'unusable', reason: why, code: DEADLINE_EXCEEDED, milliseconds: clock.now() - begin }),
        );
      },
    },
  };
}

/** Of one domain: sixty-four addresses that each send a body a byte at a time would keep a processor busy, and its timers waiting. */
const FETCHES_AT_ONCE = 8;

/** As many mail hosts as have addresses of both families at any large provider. */
const PROBES_AT_ONCE = 16;

/**
 * The same world, fenced in: where DNS sends us to is decided by strangers, and what they could make us reach in our own network
 * is none of their business.
 *
 * @param trusted - DNS servers that the caller has named, as it writes them
 */
export function publicOnly(network: Network, trusted: readonly string[] = []): Network {
  const { resolver, fetchPolicy, mxProbe } = network;
  return {
    ...network,
    resolver: {
      query: (name, type, server) => server === undefined || trusted.includes(server) || isPublicAddress(parseServer(server).host)
        ? resolver.query(name, type, server)
        : Promise.resolve({ status: 'failed', reason: `the address of the server ${NOT_PUBLIC_REASON}`, server, cnames: [] }),
    },
    fetchPolicy: (request) => isPublicAddress(request.address)
      ? fetchPolicy(request)
      : Promise.resolve({ outcome: 'unreachable', reason: NOT_PUBLIC_REASON, code: NOT_PUBLIC, milliseconds: 0 }),
    mxProbe: {
      get reachedAny() { return mxProbe.reachedAny; },
      probe: (request) => isPublicAddress(request.address)
        ? mxProbe.probe(request)
        : Promise.resolve({ outcome: 'unreachable', reason: NOT_PUBLIC_REASON, code: NOT_PUBLIC, milliseconds: 0 }),
    },
  };
}

/** What asks DNS, and paces its questions. */
export type DnsNetwork = Pick<Network, 'clock' | 'resolver'>;

/** The same DNS with a share of the time, from now on: for questions whose answers are good to have, and not essential. */
export function briefDns({ clock, resolver }: DnsNetwork, milliseconds: number): DnsNetwork {
  const reason = `no answer within the ${duration(milliseconds)} that name servers are given`;
  return { clock, resolver: limitedResolver(resolver, limit(clock, milliseconds, reason).within) };
}

/** A limit of time. */
interface Limit {
  readonly within: Within;
  /** Ends what is under way, and what has not begun, when the time is up or all is said. */
  readonly over: AbortSignal;
}

type Within = <T>(start: () => Promise<T>, otherwise: (why: string) => T) => Promise<T>;

/**
 * @param reason - of what was begun and not done when the time was up
 * @param ended - ends the listening and the clock: one signal may serve a hundred thousand verifications
 * @param signal - ends the time early
 */
function limit(clock: Clock, milliseconds: number, reason: string, { ended, signal }: Partial<Bounds> = {}): Limit {
  let over = milliseconds <= 0 || signal?.aborted === true;
  const stop = new AbortController();
  allowManyListeners(stop.signal);
  // What is under way, and no more: the time goes on when all is said, and must not hold on to what was said.
  const waiting = new Set<(why: string) => void>();
  const end = (why: string): void => {
    over = true;
    for (const late of waiting) late(why);
    // With a reason at hand: without one Node makes an error, and its stack, each time.
    stop.abort(why);
  };
  ended?.addEventListener('abort', () => {
    stop.abort('all is said');
  }, { once: true });
  void clock.sleep(milliseconds, ended).then(() => {
    end(reason);
  });
  signal?.addEventListener('abort', () => {
    end('not answered before the verification was interrupted');
  }, { signal: ended });
  const within: Within = <T>(start: () => Promise<T>, otherwise: (why: string) => T) => new Promise<T>((resolve) => {
    const done = (result: T): void => {
      waiting.delete(late);
      resolve(result);
    };
    const late = (why: string): void => {
      done(otherwise(why));
    };
    const failed = (error: unknown): void => {
      late(error instanceof Error ? error.message : 'failed for an unknown reason');
    };
    if (over) {
      resolve(otherwise(NOT_ASKED));
      return;
    }
    waiting.add(late);
    // What throws at once, in place of rejecting, is caught as well.
    new Promise<T>((begin) => {
      begin(start());
    }).then(done, failed);
  });
  return { within, over: stop.signal };
}

function limitedResolver(resolver: Resolver, within: Within): Resolver {
  return {
    query: (name, type, server) => within(
      () => resolver.query(name, type, server),
      (why): DnsFailed => ({ status: 'failed', reason: why, server: server ?? SOME_RESOLVER, cnames: [] }),
    ),
  };
}

/** Its sleep does not keep the process alive: what is waited for does that, for as long as it takes. */
export const REAL_CLOCK: Clock = {
  now: () => Date.now(),
  // Node's own makes an error, with its stack, for each that is ended early, as all are.
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
