// The interface that the HTTP clients of this folder share: how they send the request and report the response.
import type { TLSSocket } from 'node:tls';
import type { Guard } from '../guard';

/** Status and fields of a response. */
export interface ResponseHead {
  readonly status: number;
  /** Returns a field by its name in lower case: the first of several values, or a list joined. */
  field(name: string): string | undefined;
}

/** The fields that the verifier reads. A hostile host sends thousands of others, which are not kept. */
export const FIELDS_READ: ReadonlySet<string> = new Set([
  'cf-mitigated', 'content-encoding', 'content-length', 'content-type', 'last-modified', 'location', 'transfer-encoding', 'x-amzn-waf-action',
]);

/** Receives the events of a response. */
export interface ResponseHandler {
  head(head: ResponseHead): void;
  data(chunk: Uint8Array): void;
  end(): void;
  failed(error: Error): void;
  /** An informational response (RFC 9110 §15.2) arrived before the final response. */
  informational(status: number): void;
  /** The response breaks a rule of the standard, but senders' clients accept it. */
  violation(violation: HttpViolation): void;
}

/** One request over a trusted connection. */
export interface RequestContext {
  readonly socket: TLSSocket;
  readonly policyHost: string;
  readonly guard: Guard;
  readonly handler: ResponseHandler;
}

/** Sends the request. Returns a function that tells whether the response is complete by its own framing. */
export type SendRequest = (context: RequestContext) => () => boolean;

/** Deviations from RFC 9112. */
export type HttpViolation = 'bare-lf' | 'obs-fold' | 'length-twice' | 'length-list' | 'headers-large' | 'field-large' | 'space-before-colon' | 'chunk-blanks' | 'types' | 'transfer-coding' | 'other';

/** Returns the fields of the request, in lower case. A client that names no coding would accept any coding (RFC 9110 §12.5.3). */
export function requestFields(): Readonly<Record<string, string>> {
  return { 'user-agent': USER_AGENT, 'accept': 'text/plain', 'accept-encoding': 'identity' };
}

/** The build of the command and of the Lambda function inserts the version. */
const USER_AGENT = ['mta-sts', process.env.MTA_STS_VERSION].filter(Boolean).join('/');
