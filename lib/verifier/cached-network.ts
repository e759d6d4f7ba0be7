// Caches what many domains share: the addresses of name servers and mail hosts, and the TLS state of mail hosts.
import { TtlCache } from '../util/ttl-cache';
import type { MxProbe } from './smtp/mx-probe';
import type { MxResponse } from './smtp/mx-response';
import type { DnsAnswer, DnsType } from './dns/answer';
import type { Resolver } from './dns/resolver';
import type { Clock } from './network';

/** Maximum number of entries in each cache. Ten thousand take a few megabytes. */
const MAX_ENTRIES = 10_000;

/** Maximum number of records in an answer that is cached. */
const MAX_RECORDS = 32;

/** Maximum lifetime of a DNS answer, whatever its TTL. A run can take hours and must not use answers from its beginning. */
const MAX_LIFETIME_MS = 300_000;

/** Lifetime of a probe. One host of a provider serves thousands of domains, which must not all connect to it. */
const PROBE_LIFETIME_MS = 600_000;

/** Types that domains share. TXT and MX records belong to one domain and are not cached. */
type SharedType = 'A' | 'AAAA' | 'NS' | 'TLSA';

/** Returns a resolver that caches answers of its recursive servers about names that many domains share. */
export function cachedResolver(resolver: Resolver, clock: Pick<Clock, 'now'>): Resolver {
  const cache = <T extends SharedType>(): TtlCache<DnsAnswer<T>> => {
    return new TtlCache<DnsAnswer<T>>({ clock, maxEntries: MAX_ENTRIES, lifetimeMs: dnsLifetime });
  };
  const caches: { readonly [T in SharedType]: TtlCache<DnsAnswer<T>> } = { A: cache(), AAAA: cache(), NS: cache(), TLSA: cache() };
  const cachedQuery = <T extends SharedType>(name: string, type: T): Promise<DnsAnswer<T>> => {
    return caches[type].get(name, () => resolver.query(name, type));
  };
  return {
    query: (name, type, server) => server === undefined && isShared(type) ? cachedQuery(name, type) : resolver.query(name, type, server),
  };
}

function isShared<T extends DnsType>(type: T): type is T & SharedType {
  return type === 'A' || type === 'AAAA' || type === 'NS' || type === 'TLSA';
}

/** Returns a probe that caches the responses of mail hosts. */
export function cachedMxProbe(probe: MxProbe, clock: Pick<Clock, 'now'>): MxProbe {
  const cache = new TtlCache<MxResponse>({ clock, maxEntries: MAX_ENTRIES, lifetimeMs: probeLifetime });
  return {
    get reachedAny() { return probe.reachedAny; },
    // Other domains wait for the same probe, so the signal of the first one must not cancel it.
    probe: ({ host, address }) => cache.get(`${host} ${address}`, () => probe.probe({ host, address })),
  };
}

function dnsLifetime(answer: DnsAnswer<DnsType>): number {
  const isLarge = answer.status === 'found' && answer.records.length > MAX_RECORDS;
  return answer.status === 'failed' || isLarge ? 0 : Math.min((answer.ttl ?? 0) * 1000, MAX_LIFETIME_MS);
}

/** Caches only conclusive responses: a temporary failure can be over a moment later. */
function probeLifetime({ outcome }: MxResponse): number {
  return outcome === 'secure' || outcome === 'untrusted' || outcome === 'no-starttls' ? PROBE_LIFETIME_MS : 0;
}
