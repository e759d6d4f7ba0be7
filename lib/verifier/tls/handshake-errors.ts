// Translates OpenSSL's errors of a failed TLS handshake.
import { safeText } from '../../util/safe-text';

/**
 * Returns one phrase for people that says why a handshake failed.
 *
 * @param code - OpenSSL's or Node's error code
 */
export function handshakeProblem(error: Error, code: string): string {
  return HANDSHAKE_PROBLEMS.get(code) ?? `TLS handshake failed (${libraryReason(error, code)})`;
}

/**
 * Tells whether the server closed the connection because it requires a client certificate. In TLS 1.3, an alert after the
 * handshake says so (RFC 8446 §6.2). In TLS 1.2, the handshake fails after the server has sent its own certificate
 * (RFC 5246 §7.4.6).
 *
 * @param hasServerCertificate - whether the server has sent its certificate
 */
export function wantsClientCertificate(code: string, hasServerCertificate: boolean): boolean {
  return code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' || (hasServerCertificate && REJECTS_CLIENT.has(code));
}

/** Phrase for a server that requires a client certificate. No sender has one. */
export const CLIENT_CERTIFICATE_PROBLEM = 'asks for a client certificate, which senders do not have';

/** Tells whether the handshake may have failed because client and server share no cipher suite. Some servers do not say why it failed. */
export function mayLackCiphers(code: string): boolean {
  return code === HANDSHAKE_FAILURE || code === 'ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY';
}

/** Code of a server that does not support the offered protocol (RFC 7301 §3.2). */
export const NO_COMMON_HTTP = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

const HANDSHAKE_FAILURE = 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE';

const REJECTS_CLIENT: ReadonlySet<string> = new Set([
  HANDSHAKE_FAILURE, 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'ERR_SSL_SSLV3_ALERT_NO_CERTIFICATE', 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
]);

/** Returns the reason that OpenSSL or the HTTP parser gives beside its code, or else the code. */
export function libraryReason(error: Error, code: string): string {
  return safeText('reason' in error ? String(error.reason) : code);
}

const HANDSHAKE_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS on this port'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'does not speak TLS on this port'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'offers no TLS version from 1.2 on'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'offers no TLS version from 1.2 on'],
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'has no certificate for this name (TLS alert: unrecognized name)'],
  [NO_COMMON_HTTP, 'does not speak HTTP/1.1 (TLS alert: no application protocol)'],
  [HANDSHAKE_FAILURE, 'refused the TLS handshake, as a server does that has no certificate for this name'],
]);
