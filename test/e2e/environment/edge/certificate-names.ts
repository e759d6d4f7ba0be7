// The names of an ACM certificate, as ACM tells them: CloudFront shows viewers a certificate with these and no others.
import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import type { ACMClient } from '@aws-sdk/client-acm';

/** Of those that are issued, which never change. */
const issued = new Map<string, readonly string[]>();

/**
 * @param acm - of us-east-1, where CloudFront's certificates are
 * @returns none before it is issued
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
