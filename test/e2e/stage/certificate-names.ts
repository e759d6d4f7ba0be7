// The names of an ACM certificate, as ACM tells them: CloudFront shows viewers a certificate with these and no others.
import { at, itemsOf, textOf } from '../../../lib/preview/json';
import { jsonCall } from './signed-calls';

/** Of those that are issued, which never change. */
const issued = new Map<string, readonly string[]>();

/**
 * Asked in us-east-1, where CloudFront's certificates are.
 *
 * @returns none before it is issued
 */
export async function certificateNames(arn: string): Promise<readonly string[]> {
  const known = issued.get(arn);
  if (known !== undefined) return known;
  const certificate = at(await jsonCall('acm', 'CertificateManager.DescribeCertificate', { CertificateArn: arn }), 'Certificate');
  if (textOf(at(certificate, 'Status')) !== 'ISSUED') return [];
  const all = [at(certificate, 'DomainName'), ...itemsOf(at(certificate, 'SubjectAlternativeNames'))];
  const names = [...new Set(all.map((name) => textOf(name) ?? ''))];
  issued.set(arn, names);
  return names;
}
