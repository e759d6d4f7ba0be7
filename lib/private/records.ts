// The records of a domain in Route 53, and the list of records that Preflight checks.
import { CfnResource, Duration, Lazy, aws_route53 as route53, aws_route53_targets as targets } from 'aws-cdk-lib';
import type { CustomResource, aws_cloudfront as cloudfront } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { MtaStsPolicy } from '../mta-sts-policy';
import { policyHostName } from '../protocol/policy/url';
import { characterStrings } from '../protocol/records/character-strings';
import { RECORD_TTL, reportingName, stsRecordName } from '../protocol/records/record-names';
import type { TlsReporting } from '../tls-reporting';

/**
 * Creates a TXT record.
 *
 * @param name - full name, without a dot at the end
 */
export function txtRecord(scope: Construct, id: string, zone: route53.IHostedZone, name: string, value: string): route53.TxtRecord {
  return new route53.TxtRecord(scope, id, { zone, recordName: absolute(name), values: [value], ttl: Duration.seconds(RECORD_TTL) });
}

/**
 * Creates the records of the policy host and of TLS reporting in one resource, because a stack can have only 500 resources. The `_mta-sts`
 * record is created later, by itself.
 *
 * @param reporting - returns the text of the `_smtp._tls` record, if there is one; called at synthesis
 */
export function hostRecords(
  scope: Construct, domain: string, zone: route53.IHostedZone, distribution: cloudfront.IDistribution, reporting: () => string | undefined,
): route53.CfnRecordSetGroup {
  const alias = (type: route53.RecordType): route53.CfnRecordSetGroup.RecordSetProperty => ({
    name: absolute(policyHostName(domain)),
    type,
    aliasTarget: { dnsName: distribution.distributionDomainName, hostedZoneId: targets.CloudFrontTarget.CLOUDFRONT_ZONE_ID },
  });
  const text = (value: string): route53.CfnRecordSetGroup.RecordSetProperty => ({
    name: absolute(reportingName(domain)),
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

/** Ends a name with a dot. CDK then takes it as complete and does not need the name of the zone. */
function absolute(name: string): string {
  return `${name}.`;
}

/** The construct that publishes the policy of a domain, with its resources. */
export interface Publisher {
  readonly construct: Construct;
  readonly domainName: string;
  readonly policy: MtaStsPolicy;
  /** Custom resource that writes the policy file. */
  readonly publication: CustomResource;
  /** Absent for external DNS. */
  readonly hostedZone?: route53.IHostedZone;
  /** The `_mta-sts` record. Absent for external DNS. */
  readonly stsRecord?: route53.TxtRecord;
  readonly tlsReporting?: TlsReporting;
}

/** A record set that the stack creates. */
export interface PlannedRecord {
  /** Full name, without a dot at the end. */
  readonly name: string;
  readonly type: route53.RecordType;
  /** Logical id of the resource that creates the record set. Preflight uses it to recognise records of this stack. */
  readonly logicalId: string;
}

/**
 * Returns the record sets that the stack creates for a domain.
 *
 * @param publisher - absent while no construct publishes the policy
 * @param host - records of the policy host and of TLS reporting; absent for external DNS
 */
export function plannedRecords(
  domainName: string, publisher: Publisher | undefined, host: route53.CfnRecordSetGroup | undefined,
): PlannedRecord[] {
  if (host === undefined) return [];
  const { A, AAAA, TXT } = route53.RecordType;
  const { stsRecord, tlsReporting } = publisher ?? {};
  const [policyHost, reporting] = [policyHostName(domainName), reportingName(domainName)];
  return [
    { name: policyHost, type: A, logicalId: host.logicalId },
    { name: policyHost, type: AAAA, logicalId: host.logicalId },
    ...stsRecord === undefined ? [] : [{ name: stsRecordName(domainName), type: TXT, logicalId: logicalIdOf(stsRecord) }],
    ...tlsReporting === undefined ? [] : [{ name: reporting, type: TXT, logicalId: host.logicalId }],
  ];
}

/** Returns the logical id of a construct's default child. */
export function logicalIdOf(construct: Construct): string {
  const resource = construct.node.defaultChild;
  if (CfnResource.isCfnResource(resource)) return resource.logicalId;
  throw new Error(`${construct.node.path} has no resource as its default child`);
}
