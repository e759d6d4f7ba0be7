// One world for the verification of many domains: what they have in common, name servers and mail hosts, is asked for once.
import { TtlCache } from './ttl-cache';
import type { MxProbe } from './smtp/mx-probe';
import type { MxResponse } from './smtp/mx-response';
import type { DnsAnswer, DnsType } from './dns/answer';
import type { Resolver } from './dns/resolver';
import type { Clock } from './network';

/** Ten thousand names and as many mail hosts take some megabytes, however many domains there are. */
const MOST = 10_000;

/** Of an answer that is worth its room. */
const MOST_RECORDS = 32;

/** However long a TTL is: a run of hours shall not go by what was true at its beginning. */
const LONGEST_MS = 300_000;

/** A provider's host serves thousands of domains, and must not be called by each of them. */
const PROBE_MS = 600_000;

/** What a domain has for itself, its records of MTA-STS and TLSRPT, is never remembered. */
type SharedType = 'A' | 'AAAA' | 'NS' | 'TLSA';

/** The resolver with a memory for what its recursive servers say of names that many domains share. */
export function cachedResolver(resolver: Resolver, clock: Pick<Clock, 'now'>): Resolver {
  const memo = <T extends SharedType>(): TtlCache<DnsAnswer<T>> => new TtlCache<DnsAnswer<T>>({ clock, most: MOST, lifetimeMs: dnsLifetime });
  const memos: { readonly [T in SharedType]: TtlCache<DnsAnswer<T>> } = { A: memo(), AAAA: memo(), NS: memo(), TLSA: memo() };
  const remembered = <T extends SharedType>(name: string, type: T): Promise<DnsAnswer<T>> => {
    return memos[type].get(name, () => resolver.query(name, type));
  };
  return {
    query: (name, type, server) => server === undefined && isShared(type) ? remembered(name, type) : resolver.query(name, type, server),
  };
}

function isShared<T extends DnsType>(type: T): type is T & SharedType {
  return type === 'A' || type === 'AAAA' || type === 'NS' || type === 'TLSA';
}

/** The probe with a memory for what the addresses of mail hosts show. */
export function cachedMxProbe(probe: MxProbe, clock: Pick<Clock, 'now'>): MxProbe {
  const cache = new TtlCache<MxResponse>({ clock, most: MOST, lifetimeMs: probeLifetime });
  return {
    get reachedAny() { return probe.reachedAny; },
    // Other domains wait for the same look, so the signal of the one that asked first must not end it.
    probe: ({ host, address }) => cache.get(`${host} ${address}`, () => probe.probe({ host, address })),
  };
}

function dnsLifetime(answer: DnsAnswer<DnsType>): number {
  const many = answer.status === 'found' && answer.records.length > MOST_RECORDS;
  return answer.status === 'failed' || many ? 0 : Math.min((answer.ttl ?? 0) * 1000, LONGEST_MS);
}

/** What may be otherwise in a moment is looked at again. */
function probeLifetime({ outcome }: MxResponse): number {
  return outcome === 'secure' || outcome === 'untrusted' || outcome === 'no-starttls' ? PROBE_MS : 0;
}
