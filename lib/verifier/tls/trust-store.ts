// The trusted authorities and the cipher suites of a connection, parsed once for all connections of the process.
import { createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';

const contexts = new Map<string, SecureContext>();

/**
 * Returns a context for TLS 1.2 or later that trusts the public authorities. Parsing more than a hundred certificates costs more
 * than the rest of a connection, so each context is kept.
 *
 * @param ca - additional authorities to trust, as PEM texts
 * @param ciphers - `common`: suites that every known sender offers; `all`: all suites of Node, including RSA key exchange
 */
export function trustContext(ca: readonly string[] = [], ciphers: CipherChoice = 'all'): SecureContext {
  const key = `${ciphers} ${ca.join('\n')}`;
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const context = createSecureContext({
    minVersion: 'TLSv1.2',
    ca: ca.length === 0 ? undefined : [...rootCertificates, ...ca],
    ciphers: ciphers === 'common' ? COMMON_CIPHERS : undefined,
  });
  contexts.set(key, context);
  return context;
}

/** The cipher suites to offer. */
export type CipherChoice = 'common' | 'all';

/** The suites of Go since version 1.22: no RSA key exchange, no finite-field Diffie-Hellman, and CBC only with SHA-1. */
const COMMON_CIPHERS = [
  'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256',
  ...['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305', 'AES128-SHA', 'AES256-SHA'].flatMap((rest) => [`ECDHE-ECDSA-${rest}`, `ECDHE-RSA-${rest}`]),
].join(':');
