// The records of a domain that every construct makes alike, and as text.
import { Duration, Lazy, aws_route53 as route53, aws_route53_targets as targets } from 'aws-cdk-lib';
import type { aws_cloudfront as cloudfront } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { characterStrings } from '../protocol/records/character-strings';
import { policyHostName } from '../protocol/policy/url';
import { RECORD_TTL, reportingName } from '../protocol/records/record-names';

/** A DNS record as text, for people whose DNS is elsewhere. */
export interface MtaStsRecord {
  /** Without a dot at the end. */
  readonly name: string;
  /** `CNAME` or `TXT`. In Route 53 the construct makes alias records, A and AAAA, in place of the `CNAME` of the policy host. */
  readonly type: string;
  /** The value, without quotes. */
  readonly value: string;
}

/** @param name - the whole name, without a dot at the end */
export function txtRecord(scope: Construct, id: string, zone: route53.IHostedZone, name: string, value: string): route53.TxtRecord {
  return new route53.TxtRecord(scope, id, { zone, recordName: complete(name), values: [value], ttl: Duration.seconds(RECORD_TTL) });
}

/**
 * All records of a domain but the announcement, which must come later, in one resource: a stack has 500 of them.
 *
 * @param reporting - gives the text of the record at `_smtp._tls`, if there is to be one, once all constructs are there
 */
export function hostRecords(
  scope: Construct, domain: string, zone: route53.IHostedZone, distribution: cloudfront.IDistribution, reporting: () => string | undefined,
): route53.CfnRecordSetGroup {
  const alias = (type: route53.RecordType): route53.CfnRecordSetGroup.RecordSetProperty => ({
    name: complete(policyHostName(domain)),
    type,
    aliasTarget: { dnsName: distribution.distributionDomainName, hostedZoneId: targets.CloudFrontTarget.CLOUDFRONT_ZONE_ID },
  });
  const text = (value: string): route53.CfnRecordSetGroup.RecordSetProperty => ({
    name: complete(reportingName(domain)),
    type: route53.RecordType.TXT,
    ttl: String(RECORD_TTL),
    resourceRecords: [characterStrings(value)],
  });
  return new route53.CfnRecordSetGroup(scope, `Records-${policyHostName(domain)}`, {
    hostedZoneId: zone.hostedZoneId,
    recordSets: Lazy.any({
      produce: () => {
        const value = reporting();
        return [alias(route53.RecordType.A), alias(route53.RecordType.AAAA), ...value === undefined ? [] : [text(value)]];
      },
    }),
  });
}

/** With the dot at the end the name is complete, and the zone's own name is never asked for. */
function complete(name: string): string {
  return `${name}.`;
}
