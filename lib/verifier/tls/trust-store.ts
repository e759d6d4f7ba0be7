// The authorities that a connection goes by, and the ciphers it offers; parsed once for all connections of the process.
import { createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';

const contexts = new Map<string, SecureContext>();

/**
 * TLS 1.2 or later, trusting the public authorities. Parsing more than a hundred certificates is what is costly of a connection.
 *
 * @param ca - more authorities to trust, as PEM texts
 * @param ciphers - `common`: those that every known sender offers; `all`: those of Node as well, with RSA key exchange among them
 */
export function trustContext(ca: readonly string[] = [], ciphers: CipherChoice = 'all'): SecureContext {
  const key = `${ciphers} ${ca.join('\n')}`;
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const context = createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] }),
    ...(ciphers === 'common' ? { ciphers: COMMON_CIPHERS } : {}),
  });
  contexts.set(key, context);
  return context;
}

/** Which cipher suites are offered. */
export type CipherChoice = 'common' | 'all';

/** What Go offers since version 1.22: no RSA key exchange, no finite-field Diffie-Hellman, and of the CBC suites those with SHA-1 alone. */
const COMMON_CIPHERS = [
  'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256',
  ...['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305', 'AES128-SHA', 'AES256-SHA'].flatMap((rest) => [`ECDHE-ECDSA-${rest}`, `ECDHE-RSA-${rest}`]),
].join(':');
