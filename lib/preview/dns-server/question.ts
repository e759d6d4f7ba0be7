// Types of a DNS question and its reply, between the server and its answerer.
import type { DnsRecord } from './records';

/** A DNS question. */
export interface DnsQuestion {
  /** The name as in the question, without the trailing dot. The root is empty. */
  readonly name: string;
  /** `TXT`, or `UNKNOWN_65` for a type without a name in the codec. */
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
  /** Whether the reply over UDP is truncated and empty, however short it is. The reply over TCP is complete. */
  readonly truncated?: boolean;
}

/** Answers one question. For `drop`, the server sends no reply. For an error, it replies SERVFAIL. */
export type DnsAnswerer = (question: DnsQuestion) => DnsReply | 'drop' | Promise<DnsReply | 'drop'>;
