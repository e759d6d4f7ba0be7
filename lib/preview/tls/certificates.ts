// The certificate of each distribution: from a private CA made on the fly, or the one that the user gave.
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { safeText } from '../../util/safe-text';
import { createCertificateAuthority } from './certificate-authority';
import type { Distribution } from '../edge/distribution';
import { PreviewError, messageOf } from '../errors';
import type { Notes } from '../assembly/evaluated';

/** A private key and a certificate, with those between it and its root, as PEM texts. */
export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

/** What the server shows. */
export interface Certificates {
  /** PEM of what a client must trust beside the system's roots; undefined where that is nothing. */
  readonly ca?: string;
  contextOf(distribution: Distribution): SecureContext | undefined;
}

/** @throws PreviewError where the given key or certificate cannot be used */
export async function makeCertificates(
  distributions: readonly Distribution[], tls: TlsFiles | undefined, notes: Notes,
): Promise<Certificates> {
  if (tls !== undefined) return given(distributions, tls, notes);
  const authority = await createCertificateAuthority('mta-sts preview, private CA');
  const contexts = new Map(await Promise.all(distributions.map(async (distribution) => {
    const { keyPem, certificatePem } = await authority.issue({ names: distribution.aliases });
    return [distribution, createSecureContext({ key: keyPem, cert: certificatePem })] as const;
  })));
  return { ca: authority.certificatePem, contextOf: (distribution) => contexts.get(distribution) };
}

function given(distributions: readonly Distribution[], { key, cert }: TlsFiles, notes: Notes): Certificates {
  let certificate: X509Certificate;
  let context: SecureContext;
  try {
    certificate = new X509Certificate(cert);
    context = createSecureContext({ key, cert });
  } catch (error) {
    throw new PreviewError(`the given TLS key and certificate cannot be used: ${safeText(messageOf(error))}; give a private key and `
      + 'its certificate as PEM, or neither, and both are made on the fly');
  }
  for (const alias of distributions.flatMap(({ aliases }) => aliases)) {
    // CloudFront would not take an alias that its certificate does not cover.
    if (certificate.checkHost(alias.replace('*', 'any')) === undefined) notes.add(alias, 'the given certificate does not cover it');
  }
  return { ca: rootsIn(cert), contextOf: () => context };
}

/** A root that comes with the certificate was given to be trusted, and a certificate that is its own issuer is one. */
function rootsIn(chain: string): string | undefined {
  const roots = (chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).filter((pem) => {
    const { issuer, subject } = new X509Certificate(pem);
    return issuer === subject;
  });
  return roots.length === 0 ? undefined : `${roots.join('\n')}\n`;
}
