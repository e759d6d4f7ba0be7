// Provides the certificate of each distribution: from a new private CA, or the certificate of the user.
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { errorMessage } from '../../util/errors';
import { safeText } from '../../util/safe-text';
import type { Notes } from '../assembly/evaluated';
import type { Distribution } from '../edge/distribution';
import { PreviewError } from '../errors';
import { createCertificateAuthority } from './certificate-authority';

/** A private key and a certificate with its intermediate certificates, as PEM texts. */
export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

/** The certificates that the server presents. */
export interface Certificates {
  /** PEM certificates that a client must trust besides the root certificates of the system. */
  readonly ca?: string;
  contextOf(distribution: Distribution): SecureContext | undefined;
}

/**
 * Creates the certificates, or reads the given certificate.
 *
 * @throws PreviewError if the given key or certificate cannot be used
 */
export async function makeCertificates(
  distributions: readonly Distribution[], tls: TlsFiles | undefined, notes: Notes,
): Promise<Certificates> {
  if (tls !== undefined) return useGiven(distributions, tls, notes);
  const authority = await createCertificateAuthority('mta-sts preview, private CA');
  const contexts = new Map(await Promise.all(distributions.map(async (distribution) => {
    const { keyPem, certificatePem } = await authority.issue({ names: distribution.aliases });
    return [distribution, createSecureContext({ key: keyPem, cert: certificatePem })] as const;
  })));
  return { ca: authority.certificatePem, contextOf: (distribution) => contexts.get(distribution) };
}

function useGiven(distributions: readonly Distribution[], { key, cert }: TlsFiles, notes: Notes): Certificates {
  let certificate: X509Certificate;
  let context: SecureContext;
  try {
    certificate = new X509Certificate(cert);
    context = createSecureContext({ key, cert });
  } catch (error) {
    throw new PreviewError(`the given TLS key and certificate cannot be used: ${safeText(errorMessage(error))}. `
      + 'Give a private key and its certificate as PEM, or leave out both to use a private CA');
  }
  for (const alias of distributions.flatMap(({ aliases }) => aliases)) {
    // CloudFront refuses an alias that its certificate does not cover.
    if (certificate.checkHost(alias.replace('*', 'any')) === undefined) notes.add(alias, 'the given certificate does not cover this name');
  }
  return { ca: rootsIn(cert), contextOf: () => context };
}

/** Returns the certificates of a chain that are their own issuer. The user gave them, so clients should trust them. */
function rootsIn(chain: string): string | undefined {
  const roots = (chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).filter((pem) => {
    const { issuer, subject } = new X509Certificate(pem);
    return issuer === subject;
  });
  return roots.length === 0 ? undefined : `${roots.join('\n')}\n`;
}
