// Reads the names of an ACM certificate. CloudFront shows viewers a certificate with exactly these names.
import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import type { ACMClient } from '@aws-sdk/client-acm';

/** Names of issued certificates, which never change. */
const issued = new Map<string, readonly string[]>();

/**
 * Reads the names of a certificate.
 *
 * @param acm - client of us-east-1, where CloudFront's certificates are
 * @returns an empty list if the certificate is not issued yet
 */
export async function certificateNames(acm: ACMClient, arn: string): Promise<readonly string[]> {
  const known = issued.get(arn);
  if (known !== undefined) return known;
  const { Certificate: certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn: arn }));
  if (certificate?.Status !== 'ISSUED') return [];
  const names = [...new Set([certificate.DomainName ?? '', ...certificate.SubjectAlternativeNames ?? []])];
  issued.set(arn, names);
  return names;
}
