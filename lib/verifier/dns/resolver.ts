// Asks DNS questions of a recursive resolver or of one named server, and tells "no such record" from "no answer".
//
// Node's own resolver hides the response code, the AA flag and the CNAME chain, and cannot ask one server alone. This resolver
// therefore has its own transport, over the codec of `dns-packet` (docs/contribute/decisions/0006-dns-transport.md).
import { getServers } from 'node:dns';
import { allowManyListeners } from '../network-errors';
import type { DnsAnswer, DnsType } from './answer';
import { queryServer } from './query';
import type { QueryOptions } from './query';
import { parseServer } from './server-address';

/** Asks DNS questions. Never rejects: a failure is an answer. */
export interface Resolver {
  /**
   * @param name - the name to ask for
   * @param type - the record type
   * @param server - the one server to ask, as `address` or `address:port` (`[v6]:port`); default: the recursive resolver
   */
  query<T extends DnsType>(name: string, type: T, server?: string): Promise<DnsAnswer<T>>;
}

export interface ResolverOptions extends QueryOptions {
  /**
   * Recursive resolvers to ask, in this order, as `host`, `host:port` or `[v6]:port`.
   *
   * @default - the resolvers of the system
   */
  readonly servers?: readonly string[];
}

/**
 * Creates a resolver over real sockets. Each socket serves only a few questions (docs/contribute/decisions/0009-dns-sockets.md).
 *
 * @throws RangeError if a server is not written in one of these forms
 */
export function createResolver(options: ResolverOptions = {}): Resolver {
  allowManyListeners(options.signal);
  const recursive = (options.servers ?? getServers()).map(parseServer);
  return {
    query: (name, type, server) => queryServer({ recursive, type, ...options }, name, server),
  };
}
