// Who publishes the policy of a domain on a host, and which record sets the stack makes for it.
import { CfnResource, aws_route53 as route53 } from 'aws-cdk-lib';
import type { CustomResource } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { MtaStsPolicy } from '../mta-sts-policy';
import type { PlannedRecord } from './preflight';
import { policyHostName } from '../protocol/policy/url';
import { stsRecordName, reportingName } from '../protocol/records/record-names';
import type { TlsReporting } from '../tls-reporting';

/** What a host is told of a domain that it serves. */
export interface Publisher {
  readonly construct: Construct;
  readonly domainName: string;
  readonly policy: MtaStsPolicy;
  /** What puts its file there. */
  readonly publication: CustomResource;
  /** None where DNS is elsewhere. */
  readonly hostedZone?: route53.IHostedZone;
  readonly announcement?: route53.TxtRecord;
  readonly tlsReporting?: TlsReporting;
}

/**
 * @param publisher - none yet, or no more
 * @param host - the records of the host and of its reporting; none where DNS is elsewhere
 */
export function plannedRecords(
  domainName: string, publisher: Publisher | undefined, host: route53.CfnRecordSetGroup | undefined,
): PlannedRecord[] {
  if (host === undefined) return [];
  const { A, AAAA, TXT } = route53.RecordType;
  const { announcement, tlsReporting } = publisher ?? {};
  const [policyHost, reporting] = [policyHostName(domainName), reportingName(domainName)];
  return [
    { name: policyHost, type: A, logicalId: host.logicalId },
    { name: policyHost, type: AAAA, logicalId: host.logicalId },
    ...announcement === undefined ? [] : [{ name: stsRecordName(domainName), type: TXT, logicalId: logicalIdOf(announcement) }],
    ...tlsReporting === undefined ? [] : [{ name: reporting, type: TXT, logicalId: host.logicalId }],
  ];
}

/** Of the one resource of a construct. */
export function logicalIdOf(construct: Construct): string {
  const resource = construct.node.defaultChild;
  if (CfnResource.isCfnResource(resource)) return resource.logicalId;
  throw new Error(`${construct.node.path} holds no resource of its own`);
}
