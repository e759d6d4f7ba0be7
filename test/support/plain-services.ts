// DNS and a policy host without sockets, for tests that need only their answers.
import type { PolicyResponse } from '../../lib/verifier/https/policy-response';
import type { DnsAnswer, DnsData, DnsType } from '../../lib/verifier/dns/answer';
import type { Resolver } from '../../lib/verifier/dns/resolver';
import { DOMAIN } from './deployment';

/** Returns a resolver that knows the MX hosts of the domain, and one address for every other name. */
export function plainDns(mx: () => readonly string[]): Resolver {
  return { query: async (name, type) => Promise.resolve(answer(name, type, mx)) };
}

function answer<T extends DnsType>(name: string, type: T, mx: () => readonly string[]): DnsAnswer<T> {
  const none = (): [] => [];
  const tables: { readonly [K in DnsType]: () => readonly DnsData[K][] } = {
    A: () => name === DOMAIN ? [] : ['192.0.2.1'],
    MX: () => name === DOMAIN ? mx().map((exchange) => ({ preference: 10, exchange })) : [],
    AAAA: none, CAA: none, CNAME: none, NS: none, TLSA: none, TXT: none,
  };
  const records = tables[type]();
  const base = { server: '192.0.2.53:53', cnames: [], authoritative: true };
  return records.length === 0 ? { ...base, status: 'empty', reason: 'NODATA' } : { ...base, status: 'found', records, ttl: 60 };
}

/** Returns the response of a policy host that serves this file, or status 404 without a file. */
export function serving(file: string | undefined): PolicyResponse {
  return {
    outcome: 'answered', status: file === undefined ? 404 : 200, contentType: 'text/plain', body: Buffer.from(file ?? ''), tooLarge: false,
    milliseconds: 1, tlsVersion: 'TLSv1.3', certificate: { subjectAltName: '', issuer: '', validFrom: '', validTo: '' },
  };
}
