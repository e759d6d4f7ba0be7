// The authorities that a connection goes by, parsed once for all connections of the process.
import { createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';

const contexts = new Map<string, SecureContext>();

/**
 * TLS 1.2 or later, trusting the public authorities. Parsing more than a hundred certificates is what is costly of a connection.
 *
 * @param ca - more authorities to trust, as PEM texts
 */
export function trustContext(ca: readonly string[] = []): SecureContext {
  const key = ca.join('\n');
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const context = createSecureContext({ minVersion: 'TLSv1.2', ...(ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] }) });
  contexts.set(key, context);
  return context;
}
