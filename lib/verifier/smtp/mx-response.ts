// The request to probe one address of an MX host, and its response (RFC 8461 §4.2).
import type { ServerCertificate } from '../tls/certificate';

/** One probe of one address. */
export interface MxRequest {
  /** The name in the MX record: the SNI, and the name that the certificate must match. */
  readonly host: string;
  /** The IPv4 or IPv6 address to connect to. */
  readonly address: string;
  /** Cancels this probe. */
  readonly signal?: AbortSignal;
}

/** STARTTLS led to a connection that a sender can trust. */
export interface MxSecure {
  readonly outcome: 'secure';
  readonly tlsVersion: string;
  /** Standard name of the cipher suite, if Go's TLS does not offer the suite. */
  readonly cipher?: string;
  readonly certificate: ServerCertificate;
  readonly milliseconds: number;
}

/**
 * No TLS.
 *
 * - `unusable`: not tried, because this machine has no route for the address family or no time was left; says nothing about the server
 * - `timeout`: no connection and no reason: the host is down, or this network blocks the port
 * - `unreachable`: refused, or lost before the greeting was complete
 * - `rejected`: a greeting or a reply that ends the session
 * - `no-starttls`: SMTP without STARTTLS
 * - `tls-failed`: the TLS handshake failed, or the server did not start TLS after its reply to STARTTLS
 */
export interface MxInsecure {
  readonly outcome: 'unusable' | 'timeout' | 'unreachable' | 'rejected' | 'no-starttls' | 'tls-failed';
  /** One line for people. */
  readonly reason: string;
  /** A code of Node or OpenSSL, an SMTP reply code, or a code of the probe. */
  readonly code: string;
  readonly milliseconds: number;
}

/** TLS with a certificate that is not valid for the host. */
export interface MxUntrusted {
  readonly outcome: 'untrusted';
  /** One line for people. */
  readonly reason: string;
  /** OpenSSL's or Node's code of the first problem. */
  readonly code: string;
  /** Every known problem of the certificate, at least one. */
  readonly faults: readonly { readonly code: string; readonly reason: string }[];
  readonly tlsVersion: string;
  readonly certificate: ServerCertificate;
  readonly milliseconds: number;
}

export type MxResponse = MxSecure | MxUntrusted | MxInsecure;

/** The `code` of an address that was not tried, because no address before it answered. */
export const PORT_BLOCKED = 'PORT_BLOCKED';
