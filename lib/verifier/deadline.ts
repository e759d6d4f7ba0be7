// Limits a network to a deadline, and the number of connections that one domain can make us open.
import { createResolver } from './dns/resolver';
import { SOME_RESOLVER } from './dns/answer';
import type { DnsFailed } from './dns/answer';
import type { Resolver } from './dns/resolver';
import { NOT_ASKED } from './evidence';
import { createFetchPolicy } from './https/policy-fetch';
import { DEADLINE_EXCEEDED, allowManyListeners, duration } from './network-errors';
import { REAL_CLOCK } from './network';
import type { Clock, DnsNetwork, Network } from './network';
import { createMxProbe } from './smtp/mx-probe';

/** The time limits of one verification. */
export interface Bounds {
  readonly timeoutMs: number;
  /** Aborts when the verification ends, and cancels pending operations of the real network. */
  readonly ended: AbortSignal;
  /** Ends the time early. */
  readonly signal?: AbortSignal;
}

/**
 * Limits a network to a deadline. After the deadline, every pending and every later operation returns "no answer" at once, so that the
 * checks come to their own end. No operation rejects.
 *
 * @param network - parts that replace the real network
 */
export function withDeadline(network: Partial<Network>, { timeoutMs, ended, signal }: Bounds): Network {
  allowManyListeners(signal);
  const clock = network.clock ?? REAL_CLOCK;
  const resolver = network.resolver ?? createResolver({ signal: ended });
  const fetchPolicy = network.fetchPolicy ?? createFetchPolicy({ signal: ended });
  const mxProbe = network.mxProbe ?? createMxProbe({ signal: ended });
  const { withinLimit, over } = limit(clock, timeoutMs, `not answered within the ${duration(timeoutMs)} that the verification may take`, { ended, signal });
  const fetching = inTurns(MAX_FETCHES, over);
  const probing = inTurns(MAX_PROBES, over);
  return {
    clock,
    resolver: limitedResolver(resolver, withinLimit),
    fetchPolicy: (request) => {
      const begin = clock.now();
      return withinLimit(
        () => fetching(() => fetchPolicy({ ...request, signal: over })),
        (reason) => ({ outcome: 'unreachable', reason, code: DEADLINE_EXCEEDED, milliseconds: clock.now() - begin }),
      );
    },
    mxProbe: {
      get reachedAny() { return mxProbe.reachedAny; },
      probe: (request) => {
        const begin = clock.now();
        return withinLimit(
          () => probing(() => mxProbe.probe({ ...request, signal: over })),
          (reason) => ({ outcome: 'unusable', reason, code: DEADLINE_EXCEEDED, milliseconds: clock.now() - begin }),
        );
      },
    },
  };
}

/** Maximum number of concurrent fetches. A domain with 64 addresses that all send a byte at a time would keep a processor busy. */
const MAX_FETCHES = 8;

/** Maximum number of concurrent SMTP connections. It covers the mail hosts of any large provider, in both address families. */
const MAX_PROBES = 16;

/** Limits DNS to a shorter time, counted from now. Use it for queries whose answers are helpful but not essential. */
export function briefDns({ clock, resolver }: DnsNetwork, milliseconds: number): DnsNetwork {
  const reason = `no answer within the ${duration(milliseconds)} that name servers are given`;
  return { clock, resolver: limitedResolver(resolver, limit(clock, milliseconds, reason).withinLimit) };
}

/** A time limit. */
interface Limit {
  readonly withinLimit: WithinLimit;
  /** Aborts when the time is up or the verification ends. Cancels pending operations, and operations that wait for their turn. */
  readonly over: AbortSignal;
}

/** Starts an operation, and returns the result of `otherwise` when the time is up. */
type WithinLimit = <T>(start: () => Promise<T>, otherwise: (reason: string) => T) => Promise<T>;

/**
 * Starts a time limit.
 *
 * @param reason - the reason of operations that are pending when the time is up
 * @param ended - removes the listener and stops the clock: one signal may serve a hundred thousand verifications
 * @param signal - ends the time early
 */
function limit(clock: Clock, milliseconds: number, reason: string, { ended, signal }: Partial<Bounds> = {}): Limit {
  let over = milliseconds <= 0 || signal?.aborted === true;
  const stop = new AbortController();
  allowManyListeners(stop.signal);
  // Pending operations only. The timer outlives the verification and must not keep finished results in memory.
  const pending = new Set<(reason: string) => void>();
  const end = (why: string): void => {
    over = true;
    for (const expire of pending) expire(why);
    // Pass a reason: without one, `abort()` builds an Error with a stack trace on every call.
    stop.abort(why);
  };
  ended?.addEventListener('abort', () => {
    stop.abort('the verification has ended');
  }, { once: true });
  void clock.sleep(milliseconds, ended).then(() => {
    end(reason);
  });
  signal?.addEventListener('abort', () => {
    end('not answered before the verification was interrupted');
  }, { signal: ended });
  const withinLimit: WithinLimit = <T>(start: () => Promise<T>, otherwise: (reason: string) => T) => new Promise<T>((resolve) => {
    const done = (result: T): void => {
      pending.delete(expire);
      resolve(result);
    };
    const expire = (why: string): void => {
      done(otherwise(why));
    };
    const failed = (error: unknown): void => {
      expire(error instanceof Error ? error.message : 'failed for an unknown reason');
    };
    if (over) {
      resolve(otherwise(NOT_ASKED));
      return;
    }
    pending.add(expire);
    // The executor also catches an exception that `start` throws before it returns a promise.
    new Promise<T>((begin) => {
      begin(start());
    }).then(done, failed);
  });
  return { withinLimit, over: stop.signal };
}

function limitedResolver(resolver: Resolver, withinLimit: WithinLimit): Resolver {
  return {
    query: (name, type, server) => withinLimit(
      () => resolver.query(name, type, server),
      (reason): DnsFailed => ({ status: 'failed', reason, server: server ?? SOME_RESOLVER, cnames: [] }),
    ),
  };
}

/** Runs a task when its turn has come. */
export type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * Limits the number of concurrent tasks. Tasks start in the order of the calls.
 *
 * @param maxRunning - maximum number of concurrent tasks
 * @param over - after this signal, a waiting task never starts, and its promise stays pending
 */
export function inTurns(maxRunning: number, over: AbortSignal): InTurn {
  const waiting: (() => void)[] = [];
  let running = 0;
  over.addEventListener('abort', () => {
    waiting.length = 0;
  }, { once: true });
  return async (task) => {
    if (running >= maxRunning) {
      await new Promise<void>((begin) => {
        waiting.push(begin);
      });
    } else {
      running += 1;
    }
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
