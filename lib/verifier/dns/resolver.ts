// Asks DNS questions of a recursive resolver or of one named server, and keeps "there is none" apart from "no answer".
//
// Node's own resolver hides the response code, the AA flag and the chain of CNAMEs, and asks no single server by itself; so the
// transport is ours, over the codec of `dns-packet` (docs/contribute/decisions/0006-dns-transport.md).
import { getServers } from 'node:dns';
import { queryServer } from './query';
import { parseServer } from './server-address';
import { allowManyListeners } from '../network-errors';

/** What each record type carries. Names are lower case without trailing dot; the root is the empty string. */
export interface DnsData {
  readonly A: string;
  readonly AAAA: string;
  readonly CAA: { readonly critical: boolean; readonly tag: string; readonly value: string };
  readonly CNAME: string;
  readonly MX: { readonly preference: number; readonly exchange: string };
  readonly NS: string;
  /** RFC 6698 §2.1; what it is to match is not read here. */
  readonly TLSA: { readonly usage: number; readonly selector: number; readonly matchingType: number };
  /** The character-strings of one record, each decoded as UTF-8; a byte that is none is kept as `decodeText` does. */
  readonly TXT: readonly string[];
}

export type DnsType = keyof DnsData;

/** What every answer tells of how it was had. */
export interface AnswerBase {
  /** Who was asked, `192.0.2.53:53`. */
  readonly server: string;
  /** The names that CNAMEs led to, in order, from the first alias's target to the last. */
  readonly cnames: readonly string[];
}

/** In place of the server of an answer, where none of the recursive ones has been asked. */
export const SOME_RESOLVER = 'the recursive resolver';

/** At least one record. */
export interface DnsFound<T extends DnsType> extends AnswerBase {
  readonly status: 'found';
  readonly records: readonly DnsData[T][];
  /** Seconds, the smallest of the answer. */
  readonly ttl: number;
  readonly authoritative: boolean;
}

/** A good answer that holds no such record. */
export interface DnsEmpty extends AnswerBase {
  readonly status: 'empty';
  /** `NXDOMAIN`: no such name. `NODATA`: the name exists, but not with this type. */
  readonly reason: 'NXDOMAIN' | 'NODATA';
  readonly authoritative: boolean;
  /** How many seconds a resolver may remember this (RFC 2308 §5), where the answer says so. */
  readonly ttl?: number;
}

/** No usable answer: temporary by nature, and never to be read as "there is none". */
export interface DnsFailed extends AnswerBase {
  readonly status: 'failed';
  /** For people: `SERVFAIL`, `REFUSED`, `no answer within 5 s`, `connection refused`. */
  readonly reason: string;
}

export type DnsAnswer<T extends DnsType> = DnsFound<T> | DnsEmpty | DnsFailed;

/** What the verifier asks DNS with. Never rejects: what goes wrong is an answer. */
export interface Resolver {
  /**
   * @param name - the name to ask for
   * @param type - the record type
   * @param server - `address` or `address:port` (`[v6]:port`) of one server to ask; default: the recursive resolver
   */
  query<T extends DnsType>(name: string, type: T, server?: string): Promise<DnsAnswer<T>>;
}

export interface ResolverOptions {
  /**
   * Recursive resolvers to ask, in this order, as `host`, `host:port` or `[v6]:port`.
   *
   * @default - those that the system is set up with
   */
  readonly servers?: readonly string[];
  /**
   * How long to wait for one answer of one server, in milliseconds.
   *
   * @default 2000
   */
  readonly timeoutMs?: number;
  /**
   * How often to ask a server that stays silent.
   *
   * @default 2
   */
  readonly tries?: number;
  /** Ends what is under way; its questions are answered with `failed`. */
  readonly signal?: AbortSignal;
}

/**
 * Makes a resolver over real sockets, each for a few questions at most (docs/contribute/decisions/0009-dns-sockets.md).
 *
 * @throws RangeError when a server is not written as it should be
 */
export function createResolver(options: ResolverOptions = {}): Resolver {
  allowManyListeners(options.signal);
  const recursive = (options.servers ?? getServers()).map(parseServer);
  return {
    query: (name, type, server) => queryServer({ recursive, type, ...options }, name, server),
  };
}
