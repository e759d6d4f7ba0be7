// What the verifier asks the world with, and how the whole is kept within its time.
import { setTimeout as sleep } from 'node:timers/promises';
import { NOT_ASKED } from './evidence';
import { createFetchPolicy } from './fetch-policy';
import type { FetchPolicy } from './fetch-policy';
import { duration } from './network-fault';
import { createResolver } from './resolver';
import type { DnsFailed, Resolver } from './resolver';

/** Time, in milliseconds. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

/** Everything outside of the verifier. */
export interface World {
  readonly resolver: Resolver;
  readonly fetchPolicy: FetchPolicy;
  readonly clock: Clock;
}

/** The `code` of a fetch that was not waited for to its end. */
export const DEADLINE = 'DEADLINE';

/**
 * The world within a deadline: when it has passed, every question under way and every later one is answered at once with "no
 * answer", so that all that builds on them comes to its own end. Nothing in it rejects.
 *
 * @param world - the parts that are not to be the real ones
 * @param signal - ends what the real ones have under way
 */
export function boundedWorld(world: Partial<World>, timeoutMs: number, signal: AbortSignal): World {
  const clock = world.clock ?? REAL_CLOCK;
  const resolver = world.resolver ?? createResolver({ signal });
  const fetchPolicy = world.fetchPolicy ?? createFetchPolicy({ signal });
  const within = limit(clock, timeoutMs, `not answered within the ${duration(timeoutMs)} that the verification may take`);
  return {
    clock,
    resolver: limitedResolver(resolver, within),
    fetchPolicy: (request) => within(
      () => fetchPolicy(request),
      (why) => ({ outcome: 'unreachable', reason: why, code: DEADLINE, milliseconds: why === NOT_ASKED ? 0 : timeoutMs }),
    ),
  };
}

/** What asks DNS, and paces its questions. */
export type DnsWorld = Pick<World, 'clock' | 'resolver'>;

/** The same DNS with a share of the time, from now on: for questions whose answers are good to have, and not essential. */
export function briefDns({ clock, resolver }: DnsWorld, milliseconds: number): DnsWorld {
  const reason = `no answer within the ${duration(milliseconds)} that name servers are given`;
  return { clock, resolver: limitedResolver(resolver, limit(clock, milliseconds, reason)) };
}

type Within = <T>(start: () => Promise<T>, otherwise: (why: string) => T) => Promise<T>;

/** @param reason - of what was begun and not done when the time was up */
function limit(clock: Clock, milliseconds: number, reason: string): Within {
  let over = milliseconds <= 0;
  // What is under way, and no more: the time goes on when all is said, and must not hold on to what was said.
  const waiting = new Set<() => void>();
  void clock.sleep(milliseconds).then(() => {
    over = true;
    for (const end of waiting) end();
  });
  return <T>(start: () => Promise<T>, otherwise: (why: string) => T) => new Promise<T>((resolve) => {
    const done = (result: T): void => {
      waiting.delete(late);
      resolve(result);
    };
    const late = (): void => {
      done(otherwise(reason));
    };
    const failed = (error: unknown): void => {
      done(otherwise(error instanceof Error ? error.message : 'failed for an unknown reason'));
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
}

function limitedResolver(resolver: Resolver, within: Within): Resolver {
  return {
    query: (name, type, server) => within(
      () => resolver.query(name, type, server),
      (why): DnsFailed => ({ status: 'failed', reason: why, server: server ?? 'the recursive resolver', cnames: [] }),
    ),
  };
}

/** Its sleep does not keep the process alive: what is waited for does that, for as long as it takes. */
const REAL_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => sleep(milliseconds, undefined, { ref: false }),
};
