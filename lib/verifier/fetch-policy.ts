// Fetches a policy file as a sender does (RFC 8461 §3.3), from one address, bounded in time and size.
import type { SecureContext } from 'node:tls';
import { allowManyListeners } from './network-fault';
import { PolicyExchange } from './policy-exchange';
import { trustContext } from './trust';

/** One fetch of `https://<policyHost>/.well-known/mta-sts.txt` from one address. */
export interface PolicyRequest {
  /** `mta-sts.example.com`: the Host header, the SNI and the name that the certificate must carry. */
  readonly policyHost: string;
  /** The IPv4 or IPv6 address to connect to. */
  readonly address: string;
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
  /** At most 64 KiB of it; empty when the status is not 200, for nobody reads it then. */
  readonly body: Uint8Array;
  /** Whether there was more than 64 KiB. */
  readonly tooLarge: boolean;
  readonly milliseconds: number;
  readonly tlsVersion: string;
  readonly certificate: ServerCertificate;
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
  const { port = 443, timeoutMs = 10_000, signal } = options;
  allowManyListeners(signal);
  let context: SecureContext | undefined;
  return (request) => {
    context ??= trustContext(options.ca);
    return new PolicyExchange({ ...request, port, timeoutMs, signal, context }).run();
  };
}
