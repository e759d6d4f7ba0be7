// The answer to a DNS question: records, "no such record", or no usable answer.

/** Data of each record type. Names are lower case without the trailing dot. The root is the empty string. */
export interface DnsData {
  readonly A: string;
  readonly AAAA: string;
  readonly CAA: { readonly critical: boolean; readonly tag: string; readonly value: string };
  readonly CNAME: string;
  readonly MX: { readonly preference: number; readonly exchange: string };
  readonly NS: string;
  /** Fields of RFC 6698 §2.1, without the certificate association data. */
  readonly TLSA: { readonly usage: number; readonly selector: number; readonly matchingType: number };
  /** Character-strings of one record, each decoded as UTF-8. `decodeText` keeps bytes that are not UTF-8. */
  readonly TXT: readonly string[];
}

export type DnsType = keyof DnsData;

/** Fields of every answer: its source and the aliases on the way. */
export interface AnswerBase {
  /** The server that was asked: `192.0.2.53:53`. */
  readonly server: string;
  /** Targets of the CNAMEs that were followed, in order. */
  readonly cnames: readonly string[];
}

/** Stands in for the server of an answer if no recursive resolver was asked. */
export const SOME_RESOLVER = 'the recursive resolver';

/** At least one record. */
export interface DnsFound<T extends DnsType> extends AnswerBase {
  readonly status: 'found';
  readonly records: readonly DnsData[T][];
  /** Smallest TTL of the answer, in seconds. */
  readonly ttl: number;
  readonly authoritative: boolean;
}

/** A valid answer without such a record. */
export interface DnsEmpty extends AnswerBase {
  readonly status: 'empty';
  /** `NXDOMAIN`: the name does not exist. `NODATA`: the name exists without this record type. */
  readonly reason: 'NXDOMAIN' | 'NODATA';
  readonly authoritative: boolean;
  /** How long a resolver may cache this answer, in seconds (RFC 2308 §5). Undefined if the answer has no SOA record. */
  readonly ttl?: number;
}

/** No usable answer. This is temporary by nature and never means "no such record". */
export interface DnsFailed extends AnswerBase {
  readonly status: 'failed';
  /** One phrase for people: `SERVFAIL`, `REFUSED`, `no answer within 5 s`, `connection refused`. */
  readonly reason: string;
}

export type DnsAnswer<T extends DnsType> = DnsFound<T> | DnsEmpty | DnsFailed;

/** Start of the reason for rejecting an answer that has too many records but looks well-formed. */
export const TOO_MANY_RECORDS = 'the answer holds too many records';

/** Maximum number of CNAMEs in a chain. RFC 1034 §3.6.2 wants short chains, and resolvers stop between 8 and 16. */
export const MAX_ALIASES = 8;

/** Reasons of failures that remain after a retry. */
export const ALIAS_PROBLEMS = { chain: `more than ${MAX_ALIASES} CNAMEs in a row`, loop: 'CNAME loop' } as const;

/** Returns a name in lower case (RFC 4343) and without the trailing dot. */
export function normalizeName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
