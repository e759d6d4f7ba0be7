// The request for a policy file to one address, and its response (RFC 8461 §3.3).
import type { ServerCertificate } from '../tls/certificate';
import type { HttpViolation } from './http-response';

/** One fetch of `https://<policyHost>/.well-known/mta-sts.txt` from one address. */
export interface PolicyRequest {
  /** `mta-sts.example.com`: the Host header, the SNI and the name that the certificate must match. */
  readonly policyHost: string;
  /** The IPv4 or IPv6 address to connect to. */
  readonly address: string;
  /** Cancels this fetch; the response is `unreachable`. */
  readonly signal?: AbortSignal;
}

/** An HTTP response, with any status and content. */
export interface PolicyAnswered {
  readonly outcome: 'answered';
  readonly status: number;
  /** As sent; empty if the header is missing. */
  readonly contentType: string;
  /** The `Last-Modified` header as sent. */
  readonly lastModified?: string;
  /** The `Location` header as sent, for evidence of a redirect. */
  readonly location?: string;
  /** Decoded if possible. Empty if it exceeds 64 KiB or the status is not 200. */
  readonly body: Uint8Array;
  /** Whether the body exceeds 64 KiB. */
  readonly tooLarge: boolean;
  readonly milliseconds: number;
  readonly tlsVersion: string;
  /** Standard name of the cipher suite, if Go's TLS does not offer the suite. */
  readonly cipher?: string;
  readonly certificate: ServerCertificate;
  /** Content codings of the body (RFC 9110 §8.4), none of which was requested. With a fault, the body is as sent. */
  readonly coding?: { readonly codings: readonly string[]; readonly fault?: string };
  /** Deviations from HTTP/1.1, if there are any. */
  readonly violations?: readonly HttpViolation[];
  /** Present if the host does not speak HTTP/1.1. */
  readonly http2Only?: true;
  /** Header field of a service that asks for a human visitor instead of a program. */
  readonly botCheck?: string;
}

/**
 * No HTTP response.
 *
 * - `unusable`: this machine has no route for the address family; says nothing about the server
 * - `unreachable`: refused, reset, or timed out
 * - `untrusted`: the TLS handshake failed or the certificate is not valid for the host
 * - `protocol`: not HTTP, malformed or endless HTTP, or an incomplete response
 */
export interface PolicyUnanswered {
  readonly outcome: 'unusable' | 'unreachable' | 'untrusted' | 'protocol';
  /** One line for people: `certificate is for other.example, not for mta-sts.example.com`. */
  readonly reason: string;
  /** A code of Node or OpenSSL, or one of the codes below: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `NO_FINAL_RESPONSE`. */
  readonly code: string;
  readonly milliseconds: number;
  /** The server's certificate, if the server has sent it. */
  readonly certificate?: ServerCertificate;
}

export type PolicyResponse = PolicyAnswered | PolicyUnanswered;

/** The `code` of a host that requires a client certificate. */
export const CLIENT_CERTIFICATE = 'CLIENT_CERTIFICATE';

/** The `code` of a host that sent only informational responses (RFC 9110 §15.2). */
export const NO_FINAL_RESPONSE = 'NO_FINAL_RESPONSE';

/** The `code` of a host that speaks HTTP/2 although the client offered only HTTP/1.1. */
export const SPEAKS_HTTP2 = 'SPEAKS_HTTP2';

/** The `code` of a body in more pieces than `MAX_PIECES`. */
export const TOO_MANY_PIECES = 'TOO_MANY_PIECES';
