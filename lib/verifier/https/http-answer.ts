// What the ways of asking for a policy over HTTP have in common.
import type { TLSSocket } from 'node:tls';
import type { Guard } from '../guard';

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** The value of a field by its name in lower case; the first of several, those of a list joined. */
  field(name: string): string | undefined;
}

/** The fields that anything here looks at. Of a hostile host's thousands no others are kept. */
export const FIELDS_READ: ReadonlySet<string> = new Set([
  'cf-mitigated', 'content-encoding', 'content-length', 'content-type', 'last-modified', 'location', 'transfer-encoding', 'x-amzn-waf-action',
]);

/** Who reads an answer. */
export interface AnswerReader {
  head(head: AnswerHead): void;
  data(chunk: Uint8Array): void;
  end(): void;
  failed(error: Error): void;
  /** An informational response (RFC 9110 §15.2), before the answer itself. */
  informational(status: number): void;
  /** Something that the letter of the standard forbids, and that senders' clients take. */
  liberty(liberty: HttpLiberty): void;
}

/** One request over a connection that is trusted. */
export interface AnswerSource {
  readonly socket: TLSSocket;
  readonly policyHost: string;
  readonly guard: Guard;
  readonly reader: AnswerReader;
}

/** Sends the request. Gives whether the answer is whole by its own framing, whatever comes behind it. */
export type Ask = (source: AnswerSource) => () => boolean;

/** What an answer does that the letter of RFC 9112 forbids. */
export type HttpLiberty = 'bare-lf' | 'obs-fold' | 'length-twice' | 'length-list' | 'headers-large' | 'field-large' | 'space-before-colon' | 'chunk-blanks' | 'types' | 'transfer-coding' | 'other';

/** The fields of the request, in lower case. A client that names no coding would accept any (RFC 9110 §12.5.3). */
export function requestFields(): Readonly<Record<string, string>> {
  return { 'user-agent': USER_AGENT, 'accept': 'text/plain', 'accept-encoding': 'identity' };
}

/** The version is written in when the command and the Lambda are bundled. */
const USER_AGENT = ['mta-sts', process.env.MTA_STS_VERSION].filter(Boolean).join('/');
