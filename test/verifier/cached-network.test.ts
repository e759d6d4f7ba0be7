// Tests the cache, and the network that uses it.
import { describe, expect, test } from '@jest/globals';
import { TtlCache } from '../../lib/util/ttl-cache';
import type { MxProbe } from '../../lib/verifier/smtp/mx-probe';
import type { MxResponse } from '../../lib/verifier/smtp/mx-response';
import type { DnsAnswer, DnsType } from '../../lib/verifier/dns/answer';
import type { Resolver } from '../../lib/verifier/dns/resolver';
import { cachedMxProbe, cachedResolver } from '../../lib/verifier/cached-network';

/** A clock that stands still until it is moved. */
class StillClock {
  private time = 1_000_000;

  public now(): number {
    return this.time;
  }

  public pass(milliseconds: number): void {
    this.time += milliseconds;
  }
}

describe('a cache', () => {
  interface Numbers {
    readonly cache: TtlCache<number>;
    readonly clock: StillClock;
    readonly ask: () => Promise<number>;
    readonly asked: () => number;
  }

  const numbers = (maxEntries = 10, lifetimeMs = 100): Numbers => {
    const clock = new StillClock();
    let asked = 0;
    return {
      clock,
      cache: new TtlCache<number>({ clock, maxEntries, lifetimeMs: (value) => value < 0 ? 0 : lifetimeMs }),
      ask: () => {
        asked += 1;
        return Promise.resolve(asked);
      },
      asked: () => asked,
    };
  };

  test('the cache loads a cached value once', async () => {
    const { cache, ask, asked } = numbers();
    expect(await cache.get('a', ask)).toBe(1);
    expect(await cache.get('a', ask)).toBe(1);
    expect(await cache.get('b', ask)).toBe(2);
    expect(asked()).toBe(2);
  });

  test('the cache loads a pending value once', async () => {
    const { cache, clock, ask } = numbers();
    let answer: (value: number) => void = () => undefined;
    const first = cache.get('a', () => new Promise<number>((resolve) => {
      answer = resolve;
    }));
    clock.pass(1_000_000);
    const second = cache.get('a', ask);
    answer(7);
    expect(await Promise.all([first, second])).toEqual([7, 7]);
  });

  test('the cache drops a value after its lifetime, counted from the answer', async () => {
    const { cache, clock, ask } = numbers();
    let answer: (value: number) => void = () => undefined;
    const first = cache.get('a', () => new Promise<number>((resolve) => {
      answer = resolve;
    }));
    clock.pass(50);
    answer(7);
    await first;
    clock.pass(99);
    expect(await cache.get('a', ask)).toBe(7);
    clock.pass(1);
    expect(await cache.get('a', ask)).toBe(1);
  });

  test('the cache does not keep a value with a lifetime of zero', async () => {
    const { cache, ask } = numbers();
    expect(await cache.get('a', () => Promise.resolve(-1))).toBe(-1);
    expect(await cache.get('a', ask)).toBe(1);
  });

  test('the cache does not keep a failure, which every waiting caller receives', async () => {
    const { cache, ask } = numbers();
    const failing = (): Promise<number> => Promise.reject(new Error('a bug'));
    const both = await Promise.allSettled([cache.get('a', failing), cache.get('a', ask)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.get('a', ask)).toBe(1);
  });

  test('the cache drops the oldest entry when it is full', async () => {
    const { cache, ask, asked } = numbers(2);
    await cache.get('a', ask);
    await cache.get('b', ask);
    await cache.get('a', ask);
    await cache.get('c', ask);
    expect(asked()).toBe(3);
    expect(await cache.get('b', ask)).toBe(2);
    expect(await cache.get('a', ask)).toBe(4);
  });

  test('the cache ignores the answer for an entry that it has dropped', async () => {
    const { cache, ask } = numbers(1);
    let fail: (error: Error) => void = () => undefined;
    const first = cache.get('a', () => new Promise<number>((_, reject) => {
      fail = reject;
    }));
    await cache.get('b', ask);
    expect(await cache.get('a', ask)).toBe(2);
    fail(new Error('late'));
    await expect(first).rejects.toThrow('late');
    expect(await cache.get('a', ask)).toBe(2);
  });
});

/** A resolver that counts its queries and returns the given answers. */
function counting(answer: (type: DnsType) => DnsAnswer<DnsType>): { resolver: Resolver; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolver: {
      query: <T extends DnsType>(name: string, type: T, server?: string) => {
        asked.push(`${name} ${type}${server === undefined ? '' : ` @${server}`}`);
        return Promise.resolve(answer(type) as DnsAnswer<T>);
      },
    },
  };
}

const found = (ttl: number): DnsAnswer<DnsType> => ({ status: 'found', records: ['192.0.2.1'], ttl, authoritative: false, server: 'x', cnames: [] });
const empty = (ttl?: number): DnsAnswer<DnsType> => ({ status: 'empty', reason: 'NODATA', authoritative: false, server: 'x', cnames: [], ...(ttl === undefined ? {} : { ttl }) });

describe('a shared resolver', () => {
  test.each(['A', 'AAAA', 'NS', 'TLSA'] as const)('the cached resolver sends one %s query during the TTL', async (type) => {
    const clock = new StillClock();
    const { resolver, asked } = counting(() => found(60));
    const shared = cachedResolver(resolver, clock);
    expect(await Promise.all([shared.query('a.test', type), shared.query('a.test', type)])).toEqual([found(60), found(60)]);
    clock.pass(59_999);
    await shared.query('a.test', type);
    expect(asked).toEqual([`a.test ${type}`]);
    clock.pass(1);
    await shared.query('a.test', type);
    await shared.query('b.test', type);
    expect(asked).toEqual([`a.test ${type}`, `a.test ${type}`, `b.test ${type}`]);
  });

  test.each(['TXT', 'MX', 'CAA', 'CNAME'] as const)('the cached resolver never caches %s, which domains do not share', async (type) => {
    const { resolver, asked } = counting(() => found(60));
    const shared = cachedResolver(resolver, new StillClock());
    await Promise.all([shared.query('a.test', type), shared.query('a.test', type)]);
    expect(asked).toHaveLength(2);
  });

  test('the cached resolver never caches the answer of a single server', async () => {
    const { resolver, asked } = counting(() => found(60));
    const shared = cachedResolver(resolver, new StillClock());
    await shared.query('a.test', 'A', '192.0.2.53');
    await shared.query('a.test', 'A', '192.0.2.53');
    await shared.query('a.test', 'A');
    expect(asked).toEqual(['a.test A @192.0.2.53', 'a.test A @192.0.2.53', 'a.test A']);
  });

  test('the cached resolver keeps the types of a name apart', async () => {
    const { resolver, asked } = counting(() => found(60));
    const shared = cachedResolver(resolver, new StillClock());
    await shared.query('a.test', 'A');
    await shared.query('a.test', 'AAAA');
    expect(asked).toHaveLength(2);
  });

  test('the cached resolver keeps an answer for at most five minutes', async () => {
    const clock = new StillClock();
    const { resolver, asked } = counting(() => found(86_400));
    const shared = cachedResolver(resolver, clock);
    await shared.query('a.test', 'A');
    clock.pass(299_999);
    await shared.query('a.test', 'A');
    expect(asked).toHaveLength(1);
    clock.pass(1);
    await shared.query('a.test', 'A');
    expect(asked).toHaveLength(2);
  });

  test('the cached resolver keeps a negative answer for its TTL', async () => {
    const clock = new StillClock();
    const limited = counting(() => empty(10));
    const shared = cachedResolver(limited.resolver, clock);
    await shared.query('a.test', 'A');
    clock.pass(9_999);
    await shared.query('a.test', 'A');
    clock.pass(1);
    await shared.query('a.test', 'A');
    expect(limited.asked).toHaveLength(2);
    const silent = counting(() => empty());
    const other = cachedResolver(silent.resolver, clock);
    await other.query('a.test', 'A');
    await other.query('a.test', 'A');
    expect(silent.asked).toHaveLength(2);
  });

  test('the cached resolver never caches a failure', async () => {
    const { resolver, asked } = counting(() => ({ status: 'failed', reason: 'SERVFAIL', server: 'x', cnames: [] }));
    const shared = cachedResolver(resolver, new StillClock());
    await shared.query('a.test', 'A');
    await shared.query('a.test', 'A');
    expect(asked).toHaveLength(2);
  });

  test('the cached resolver keeps ten thousand names of a type', async () => {
    const { resolver, asked } = counting(() => found(60));
    const shared = cachedResolver(resolver, new StillClock());
    for (let at = 0; at <= 10_000; at += 1) await shared.query(`${at}.test`, 'A');
    expect(asked).toHaveLength(10_001);
    await shared.query('1.test', 'A');
    expect(asked).toHaveLength(10_001);
    await shared.query('0.test', 'A');
    expect(asked).toHaveLength(10_002);
  });
});

describe('a shared probe', () => {
  const certificate = { subjectAltName: '', issuer: '', validFrom: '', validTo: '' };
  const rest = { reason: '', code: '', milliseconds: 1 };
  const secure: MxResponse = { outcome: 'secure', tlsVersion: 'TLSv1.3', certificate, milliseconds: 1 };

  const over = (response: MxResponse, clock = new StillClock()): { shared: MxProbe; asked: string[]; clock: StillClock } => {
    const asked: string[] = [];
    const probe: MxProbe = {
      reachedAny: true,
      probe: ({ host, address }) => {
        asked.push(`${host} ${address}`);
        return Promise.resolve(response);
      },
    };
    return { shared: cachedMxProbe(probe, clock), asked, clock };
  };

  test.each<MxResponse>([
    secure, { outcome: 'no-starttls', ...rest }, { outcome: 'untrusted', ...rest, faults: [], tlsVersion: 'TLSv1.3', certificate },
  ])('the cached probe keeps a conclusive response for ten minutes ($outcome)', async (response) => {
    const { shared, asked, clock } = over(response);
    const request = { host: 'mx.test', address: '192.0.2.1' };
    await Promise.all([shared.probe(request), shared.probe(request)]);
    clock.pass(599_999);
    expect(await shared.probe(request)).toEqual(response);
    expect(asked).toHaveLength(1);
    clock.pass(1);
    await shared.probe(request);
    expect(asked).toHaveLength(2);
  });

  test.each(['unusable', 'timeout', 'unreachable', 'rejected', 'tls-failed'] as const)('the cached probe repeats after a temporary response (%s)', async (outcome) => {
    const { shared, asked } = over({ outcome, ...rest });
    await shared.probe({ host: 'mx.test', address: '192.0.2.1' });
    await shared.probe({ host: 'mx.test', address: '192.0.2.1' });
    expect(asked).toHaveLength(2);
  });

  test('the cached probe keeps the names at an address apart, because SNI can select another certificate', async () => {
    const { shared, asked } = over(secure);
    await shared.probe({ host: 'a.test', address: '192.0.2.1' });
    await shared.probe({ host: 'b.test', address: '192.0.2.1' });
    await shared.probe({ host: 'a.test', address: '192.0.2.2' });
    expect(asked).toEqual(['a.test 192.0.2.1', 'b.test 192.0.2.1', 'a.test 192.0.2.2']);
    expect(shared.reachedAny).toBe(true);
  });
});
