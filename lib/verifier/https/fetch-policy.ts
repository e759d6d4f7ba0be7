// Fetches a policy file as a sender does (RFC 8461 §3.3), from one address, bounded in time and size.
import { performance } from 'node:perf_hooks';
import type { HttpLiberty } from './http-answer';
import { HEADERS_TOO_LARGE, askLeniently } from './http1-lenient';
import { askStrictly } from './http1-strict';
import { askByHttp2 } from './http2-ask';
import { allowManyListeners } from '../network-errors';
import { CLIENT_CERTIFICATE, PolicyExchange, SPEAKS_HTTP2 } from './exchange';
import type { Manner } from './exchange';
import { NO_COMMON_HTTP, mayLackCiphers } from '../tls/handshake-errors';
import { trustContext } from '../tls/trust-store';
import type { CipherChoice } from '../tls/trust-store';

/** One fetch of `https://<policyHost>/.well-known/mta-sts.txt` from one address. */
export interface PolicyRequest {
  /** `mta-sts.example.com`: the Host header, the SNI and the name that the certificate must carry. */
  readonly policyHost: string;
  /** The IPv4 or IPv6 address to connect to. */
  readonly address: string;
  /** Ends this one fetch; it counts as unreachable. */
  readonly signal?: AbortSignal;
}

/** The certificate that was shown. */
export interface ServerCertificate {
  readonly subjectAltName: string;
  readonly issuer: string;
  readonly validFrom: string;
  readonly validTo: string;
}

/** An HTTP answer came, whatever it says. */
export interface PolicyAnswered {
  readonly outcome: 'answered';
  readonly status: number;
  /** As sent, empty when there was none. */
  readonly contentType: string;
  /** The `Last-Modified` header as sent, where there is one. */
  readonly lastModified?: string;
  /** As sent, for evidence of a redirect. */
  readonly location?: string;
  /** Decoded where it can be; empty when there is more than 64 KiB or the status is not 200, for nobody reads it then. */
  readonly body: Uint8Array;
  /** Whether there was more than 64 KiB. */
  readonly tooLarge: boolean;
  readonly milliseconds: number;
  readonly tlsVersion: string;
  /** The cipher suite by its standard name, where it is one that Go's TLS does not offer. */
  readonly cipher?: string;
  readonly certificate: ServerCertificate;
  /** The content codings of the body (RFC 9110 §8.4), none of which was asked for; with a fault the body is as it was sent. */
  readonly coding?: { readonly codings: readonly string[]; readonly fault?: string };
  /** What the letter of HTTP/1.1 forbids, where there is any. */
  readonly liberties?: readonly HttpLiberty[];
  /** Present where the host speaks no HTTP/1.1. */
  readonly http2Only?: true;
  /** The header field of a service that wants to see a person in place of a program, where there is one. */
  readonly botCheck?: string;
}

/**
 * No HTTP answer.
 *
 * - `unusable`: this machine has no route for the address family; says nothing about the server
 * - `unreachable`: refused, reset, or timed out
 * - `untrusted`: the TLS handshake failed or the certificate is not valid for the host
 * - `protocol`: not HTTP, malformed or endless HTTP, or broken off in the middle
 */
export interface PolicyUnanswered {
  readonly outcome: 'unusable' | 'unreachable' | 'untrusted' | 'protocol';
  /** For people, one line: `certificate is for other.example, not for mta-sts.example.com`. */
  readonly reason: string;
  /** Node's or OpenSSL's code, or one of ours: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `NO_FINAL_RESPONSE`. */
  readonly code: string;
  readonly milliseconds: number;
  /** What was shown, if it came that far. */
  readonly certificate?: ServerCertificate;
}

export type PolicyResponse = PolicyAnswered | PolicyUnanswered;

/** What the verifier fetches with. Never rejects: what goes wrong is an answer. */
export type FetchPolicy = (request: PolicyRequest) => Promise<PolicyResponse>;

export interface FetchPolicyOptions {
  /**
   * The port to connect to. Senders know no other than the default.
   *
   * @default 443
   */
  readonly port?: number;
  /**
   * Certificates of authorities to trust besides the public ones, as PEM texts.
   *
   * @default - only those that Node trusts
   */
  readonly ca?: readonly string[];
  /**
   * For everything from the connection to the last byte, in milliseconds. The RFC suggests a minute (RFC 8461 §3.3), real senders
   * give up after two to four seconds.
   *
   * @default 10000
   */
  readonly timeoutMs?: number;
  /** Ends what is under way; it counts as unreachable. */
  readonly signal?: AbortSignal;
}

/** Makes the fetch that senders do: TLS 1.2 or later, SNI, no redirect, no cache, no reused connection. */
export function createFetchPolicy(options: FetchPolicyOptions = {}): FetchPolicy {
  allowManyListeners(options.signal);
  return (request) => fetchPolicy(options, request);
}

/** One way to ask. */
interface Way extends Manner {
  readonly ciphers: CipherChoice;
}

/** What all senders can do. */
const USUAL: Way = { alpn: 'http/1.1', ask: askStrictly, ciphers: 'common' };

/** The first way that leads to an answer: what some sender can read must not be called unreadable. */
async function fetchPolicy(
  { port = 443, ca, timeoutMs = 10_000, signal }: FetchPolicyOptions, request: PolicyRequest,
): Promise<PolicyResponse> {
  const begin = performance.now();
  allowManyListeners(request.signal);
  const signals = [signal, request.signal].filter((one) => one !== undefined);
  const ask = (way: Way, leftMs: number): Promise<PolicyResponse> => {
    return new PolicyExchange({ ...request, port, timeoutMs: leftMs, signals, context: trustContext(ca, way.ciphers), manner: way }).run();
  };
  let way = USUAL;
  let response = await ask(way, timeoutMs);
  for (let next = otherWay(way, response); next !== undefined; next = otherWay(way, response)) {
    const leftMs = Math.min(MOST_OF_OTHER_WAY_MS, timeoutMs - (performance.now() - begin));
    const other = leftMs < 1 ? undefined : await ask(next, leftMs);
    if (other === undefined || !saysMore(next, other)) return response;
    way = next;
    response = other;
  }
  return withRemarks(way, response);
}

/** No sender in use waits longer, and a host that answers wrongly once must not hold up the report. */
const MOST_OF_OTHER_WAY_MS = 5000;

/** Whether it is better to tell of this answer than of the one before it. */
function saysMore(way: Way, response: PolicyResponse): boolean {
  if (response.outcome === 'answered' || otherWay(way, response) !== undefined) return true;
  return (response.outcome === 'untrusted' && response.certificate !== undefined) || response.code === HEADERS_TOO_LARGE || response.code === CLIENT_CERTIFICATE;
}

/** The way that may lead further than the last one did, each step taken once at most. */
function otherWay(way: Way, response: PolicyResponse): Way | undefined {
  if (response.outcome === 'answered') return undefined;
  const { code, certificate } = response;
  if (way.ciphers === 'common' && certificate === undefined && mayLackCiphers(code)) return { ...way, ciphers: 'all' };
  if (way.ask !== askStrictly) return undefined;
  if (code === NO_COMMON_HTTP || code === SPEAKS_HTTP2) return { ...way, alpn: 'h2', ask: askByHttp2 };
  return code.startsWith('HPE_') && !STRICT_FAULTS.has(code) ? { ...way, ask: askLeniently } : undefined;
}

/** What no client takes: something else than HTTP, and what could hide a second message. */
const STRICT_FAULTS: ReadonlySet<string> = new Set(['HPE_INVALID_CONSTANT', 'HPE_CHUNK_EXTENSIONS_OVERFLOW', 'HPE_INVALID_TRANSFER_ENCODING']);

/** What the way that led to the answer says about the host. */
function withRemarks(way: Way, response: PolicyResponse): PolicyResponse {
  if (response.outcome !== 'answered') return response;
  const { cipher, ...rest } = response;
  const liberties = way.ask === askLeniently ? { liberties: response.liberties ?? ['other' as const] } : {};
  return { ...rest, ...liberties, ...(way.ciphers === 'all' && cipher !== undefined ? { cipher } : {}) };
}
