// Puts what OpenSSL says of a failed handshake into words.
import { printable } from '../protocol/text';

/**
 * Why a handshake failed, in words.
 *
 * @param code - OpenSSL's or Node's
 */
export function handshakeFault(error: Error, code: string): string {
  return HANDSHAKE.get(code) ?? `TLS handshake failed (${libraryReason(error, code)})`;
}

/** What OpenSSL and the HTTP parser say beside their codes. */
export function libraryReason(error: Error, code: string): string {
  return printable('reason' in error ? String(error.reason) : code);
}

const HANDSHAKE: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS on this port'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'does not speak TLS on this port'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'offers no TLS version from 1.2 on'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'offers no TLS version from 1.2 on'],
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'has no certificate for this name (TLS alert: unrecognized name)'],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'refused the TLS handshake, as a server does that has no certificate for this name'],
]);
