// The records of a domain that every construct makes alike: their names, their TTL, and how a TXT record is made.
import { Duration, aws_route53 as route53 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Short, so that senders hear of a change within minutes. */
export const RECORD_TTL = Duration.minutes(5);

/** Where the policy's id is announced (RFC 8461 §3.1). */
export function announcementName(domain: string): string {
  return `_mta-sts.${domain}`;
}

/** Where senders read whom to report to (RFC 8460 §3). */
export function reportingName(domain: string): string {
  return `_smtp._tls.${domain}`;
}

/** @param name - the whole name, without a dot at the end */
export function txtRecord(scope: Construct, id: string, zone: route53.IHostedZone, name: string, value: string): route53.TxtRecord {
  // With the dot at the end the name is complete, and the zone's own name is never asked for.
  return new route53.TxtRecord(scope, id, { zone, recordName: `${name}.`, values: [value], ttl: RECORD_TTL });
}
