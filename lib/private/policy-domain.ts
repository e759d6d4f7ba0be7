// The policy domain: the part after the @, checked as early as it can be known.
import { Token } from 'aws-cdk-lib';
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import { hostNameProblem, toALabels } from '../protocol/domain-name';
import { policyHostName } from '../protocol/policy/url';
import { safeText } from '../util/safe-text';
import { requireMailZone, withoutRecordLabels, zoneNameOf } from './zone';

/** A certificate's first name is at most 64 characters (ACM), and it is `mta-sts.` and the domain. */
const LONGEST_POLICY_HOST = 64;

/**
 * The policy domain in lower-case A-labels.
 *
 * @param domainName - as the user wrote it, or nothing for the zone's name
 * @param hostedZone - the zone that holds its records; none where DNS is elsewhere
 * @throws where it is no mail domain, too long, not in the zone, or a token, or the zone is private
 */
export function policyDomain(domainName: string | undefined, hostedZone: route53.IHostedZone | undefined): string {
  if (domainName === undefined && hostedZone === undefined) {
    throw new Error('`hostedZone` is missing, the zone of Route 53 that holds the records; where DNS is elsewhere leave it out and write '
      + '`domainName: \'example.com\'`: then the records are outputs, to be made by hand');
  }
  if (hostedZone !== undefined) requireMailZone(hostedZone);
  const zoneName = hostedZone === undefined ? undefined : zoneNameOf(hostedZone);
  const written = domainName ?? zoneName;
  if (written === undefined || Token.isUnresolved(written)) {
    throw new Error('`domainName` must be known at synthesis, since the certificate, the edge function and the records are made for it; '
      + 'the hosted zone\'s name is a token or was imported by id alone, so write it out: `domainName: \'example.com\'`');
  }
  const domain = toALabels(written) || written;
  const bare = withoutRecordLabels(domain);
  if (bare !== undefined) {
    throw new Error(`\`domainName\` must be the mail domain, the part after the @, got ${safeText(JSON.stringify(written))}, a name of its records; write `
      + `\`domainName: '${hostNameProblem(bare) === undefined ? bare : 'example.com'}'\` (RFC 8461 §3.1)`);
  }
  const fault = hostNameProblem(domain);
  if (fault !== undefined) {
    throw new Error(`\`domainName\` ${safeText(JSON.stringify(written))} ${fault} (RFC 5321 §4.1.2)`);
  }
  if (!domain.includes('.')) {
    throw new Error(`\`domainName\` must be the whole mail domain, got the single label ${safeText(JSON.stringify(written))}; write \`domainName: 'example.com'\``);
  }
  const host = policyHostName(domain);
  if (host.length > LONGEST_POLICY_HOST) {
    throw new Error(`\`domainName\` must be at most ${LONGEST_POLICY_HOST - policyHostName('').length} characters, so that `
      + `${host} fits a certificate (AWS Certificate Manager: ${LONGEST_POLICY_HOST}), got ${domain.length}`);
  }
  if (zoneName !== undefined && domain !== zoneName && !domain.endsWith(`.${zoneName}`)) {
    throw new Error(`\`domainName\` must be the hosted zone's name or below it, got ${domain} for the zone ${zoneName}; `
      + 'pass the hosted zone that holds the records of the domain');
  }
  return domain;
}
