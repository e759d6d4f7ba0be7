// Disturbances that keep a new policy from a sender with a cached policy. The sender must keep its cached policy (RFC 8461 §3.3, §5).
import type { DnsRecord, DnsReply } from '../../../lib/preview/dns-server/server';
import { RECORD_NAME } from '../environment/dns/domain';
import type { TestEnvironment } from '../environment/environment';
import { htmlPage } from './edge';

export interface Disturbance {
  readonly what: string;
  /** Matches the log line of the edge for an attempted fetch. Undefined if senders do not fetch. */
  readonly fetch?: RegExp;
  /** @returns a function that counts the queries for the record since */
  readonly begin: (environment: TestEnvironment) => () => number;
}

const NEW_ID: DnsRecord = { name: RECORD_NAME, ttl: 1, type: 'TXT', data: ['v=STSv1; id=publishedwhiledead;'] };

export const DISTURBANCES: readonly Disturbance[] = [
  {
    what: 'the id is new, and the policy host presents no certificate',
    fetch: /^TLS handshake failed/,
    begin: (environment: TestEnvironment): (() => number) => {
      environment.edge.alive = false;
      return answerRecordQueries(environment, { rcode: 'NOERROR', answers: [NEW_ID] });
    },
  },
  {
    what: 'the id is new, and the policy host answers 503',
    fetch: /^GET https:\/\/mta-sts\.example\.test\/\.well-known\/mta-sts\.txt 503$/,
    begin: (environment: TestEnvironment): (() => number) => {
      environment.edge.fail(() => htmlPage(503));
      return answerRecordQueries(environment, { rcode: 'NOERROR', answers: [NEW_ID] });
    },
  },
  {
    what: 'the record is gone (NXDOMAIN)',
    begin: (environment) => answerRecordQueries(environment, { rcode: 'NXDOMAIN', answers: [] }),
  },
  {
    what: 'DNS answers SERVFAIL to queries for the record',
    begin: (environment) => answerRecordQueries(environment, { rcode: 'SERVFAIL', answers: [] }),
  },
];

/** Ends every disturbance. */
export function endDisturbance({ dns, edge }: TestEnvironment): void {
  dns.fail(undefined);
  edge.fail(undefined);
  edge.alive = true;
}

/** Returns the new log lines of the edge. The edge keeps a limited number of lines, so match the longest overlap of both lists. */
export function linesSince(before: readonly string[], now: readonly string[]): readonly string[] {
  const droppedLines = before.findIndex((_, index) => before.slice(index).every((line, at) => now[at] === line));
  return droppedLines === -1 ? now : now.slice(before.length - droppedLines);
}

/**
 * Lets every name server and the resolver give this reply for the `_mta-sts` TXT record.
 *
 * @returns a function that counts the queries for the record since
 */
export function answerRecordQueries({ dns }: TestEnvironment, reply: Pick<DnsReply, 'rcode' | 'answers'>): () => number {
  let queries = 0;
  dns.fail(() => ({ name, type }) => {
    if (name !== RECORD_NAME || (type !== 'TXT' && reply.rcode !== 'NXDOMAIN')) return undefined;
    if (type === 'TXT') queries += 1;
    return { ...reply, authorities: [], authoritative: true };
  });
  return () => queries;
}
