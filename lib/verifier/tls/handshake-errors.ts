// Puts what OpenSSL says of a failed handshake into words.
import { safeText } from '../../util/safe-text';

/**
 * Why a handshake failed, in words.
 *
 * @param code - OpenSSL's or Node's
 */
export function handshakeProblem(error: Error, code: string): string {
  return HANDSHAKE.get(code) ?? `TLS handshake failed (${libraryReason(error, code)})`;
}

/**
 * Whether the server has ended the connection because it wants a certificate of the client. TLS 1.3 says so, after the handshake
 * (RFC 8446 §6.2). TLS 1.2 refuses the handshake, but only after it has shown its own certificate (RFC 5246 §7.4.6).
 *
 * @param hasShown - whether the server has shown its certificate
 */
export function wantsClientCertificate(code: string, hasShown: boolean): boolean {
  return code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' || (hasShown && REFUSES_CLIENT.has(code));
}

/** In place of a certificate of the client, which no sender has. */
export const CLIENT_CERTIFICATE_PROBLEM = 'asks for a client certificate, which senders do not have';

/** Whether the server has no cipher suite in common with the client, or will not say what is wrong. */
export function mayLackCiphers(code: string): boolean {
  return code === HANDSHAKE_FAILURE || code === 'ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY';
}

/** RFC 7301 §3.2. */
export const NO_COMMON_HTTP = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

const HANDSHAKE_FAILURE = 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE';

const REFUSES_CLIENT: ReadonlySet<string> = new Set([
  HANDSHAKE_FAILURE, 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'ERR_SSL_SSLV3_ALERT_NO_CERTIFICATE', 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
]);

/** What OpenSSL and the HTTP parser say beside their codes. */
export function libraryReason(error: Error, code: string): string {
  return safeText('reason' in error ? String(error.reason) : code);
}

const HANDSHAKE: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS on this port'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'does not speak TLS on this port'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'offers no TLS version from 1.2 on'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'offers no TLS version from 1.2 on'],
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'has no certificate for this name (TLS alert: unrecognized name)'],
  [NO_COMMON_HTTP, 'does not speak HTTP/1.1 (TLS alert: no application protocol)'],
  [HANDSHAKE_FAILURE, 'refused the TLS handshake, as a server does that has no certificate for this name'],
]);
