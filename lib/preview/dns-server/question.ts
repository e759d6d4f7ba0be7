// A DNS question and its reply, as the answers of a zone and the server exchange them.
import type { DnsRecord } from './records';

/** A question. */
export interface DnsQuestion {
  /** Name as asked, without the dot at its end. The root is empty. */
  readonly name: string;
  /** `TXT`, or `UNKNOWN_65` for a type that the codec has no name for. */
  readonly type: string;
}

/** Response codes (RFC 1035 §4.1.1 and RFC 2136 §2.2). */
export const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** A reply to a question. */
export interface DnsReply {
  readonly rcode: keyof typeof RCODES;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly authoritative: boolean;
  /** Over UDP say "truncated" and nothing else, however short the answer; over TCP it is given whole. */
  readonly truncated?: boolean;
}

/** Answers one question; `drop` stays silent. What it throws becomes SERVFAIL. */
export type DnsAnswerer = (question: DnsQuestion) => DnsReply | 'drop' | Promise<DnsReply | 'drop'>;
