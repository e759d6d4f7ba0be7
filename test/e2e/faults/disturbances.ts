// What can keep news from a sender that holds a policy: RFC 8461 §3.3 and §5 have it go on with that.
import type { DnsRecord, DnsReply } from '../../../lib/preview/dns-server/server';
import { RECORD_NAME } from '../environment/dns/domain';
import type { TestEnvironment } from '../environment/environment';
import { page } from './edge';

export interface Disturbance {
  readonly what: string;
  /** The edge's line of a fetch that was tried; none where no record leads to one. */
  readonly fetch?: RegExp;
  /** @returns how many have asked for the record since */
  readonly begin: (environment: TestEnvironment) => () => number;
}

const NEW_ID: DnsRecord = { name: RECORD_NAME, ttl: 1, type: 'TXT', data: ['v=STSv1; id=announcedwhiledead;'] };

export const DISTURBANCES: readonly Disturbance[] = [
  {
    what: 'a new id, and a policy host that shows no certificate',
    fetch: /^TLS handshake failed/,
    begin: (environment: TestEnvironment): (() => number) => {
      environment.edge.alive = false;
      return announce(environment, { rcode: 'NOERROR', answers: [NEW_ID] });
    },
  },
  {
    what: 'a new id, and a policy host that answers 503',
    fetch: /^GET https:\/\/mta-sts\.example\.test\/\.well-known\/mta-sts\.txt 503$/,
    begin: (environment: TestEnvironment): (() => number) => {
      environment.edge.fail(() => page(503));
      return announce(environment, { rcode: 'NOERROR', answers: [NEW_ID] });
    },
  },
  {
    what: 'no record any more (NXDOMAIN)',
    begin: (environment) => announce(environment, { rcode: 'NXDOMAIN', answers: [] }),
  },
  {
    what: 'SERVFAIL in place of the record',
    begin: (environment) => announce(environment, { rcode: 'SERVFAIL', answers: [] }),
  },
];

/** Whatever has begun. */
export function endDisturbance({ dns, edge }: TestEnvironment): void {
  dns.fail(undefined);
  edge.fail(undefined);
  edge.alive = true;
}

/** Of the edge's lines, of which only so many are kept: those that came since, the fewest that it can be. */
export function linesSince(before: readonly string[], now: readonly string[]): readonly string[] {
  const gone = before.findIndex((_, index) => before.slice(index).every((line, at) => now[at] === line));
  return gone === -1 ? now : now.slice(before.length - gone);
}

/** Every name server and the resolver answer so. */
export function announce({ dns }: TestEnvironment, reply: Pick<DnsReply, 'rcode' | 'answers'>): () => number {
  let authorizedCalls = 0;
  dns.fail(() => ({ name, type }) => {
    if (name !== RECORD_NAME || (type !== 'TXT' && reply.rcode !== 'NXDOMAIN')) return undefined;
    if (type === 'TXT') authorizedCalls += 1;
    return { ...reply, authorities: [], authoritative: true };
  });
  return () => authorizedCalls;
}
