// Creates the hosted zones of mail domains, with the records that exist before a deployment.
import {
  ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, DeleteHostedZoneCommand, ListResourceRecordSetsCommand,
} from '@aws-sdk/client-route-53';
import type { ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import { MAIL_HOSTS } from '../addresses';

export const DOMAIN = 'example.test';

/** Name of its TXT record. */
export const RECORD_NAME = `_mta-sts.${DOMAIN}`;

/**
 * Creates the zone of example.test.
 *
 * @returns the id of the zone, as the CDK context takes it
 */
export async function createDomain(route53: Route53Client): Promise<string> {
  const hosts = [...MAIL_HOSTS].filter(([name]) => name.endsWith(`.${DOMAIN}`));
  return createZone(route53, DOMAIN, [...hosts.map(([name, address]) => record(name, 'A', address)), record(DOMAIN, 'MX', '10 mx1.example.test.')]);
}

/**
 * Creates a hosted zone with record sets.
 *
 * @returns the id of the zone
 */
export async function createZone(route53: Route53Client, name: string, sets: readonly ResourceRecordSet[]): Promise<string> {
  const { HostedZone: zone } = await route53.send(new CreateHostedZoneCommand({ Name: name, CallerReference: `${name} ${Date.now()}` }));
  const id = zone?.Id?.replace('/hostedzone/', '');
  if (id === undefined) throw new Error(`the emulator created no hosted zone ${name}`);
  await put(route53, id, sets);
  return id;
}

/** Deletes a hosted zone with its record sets. */
export async function deleteZone(route53: Route53Client, id: string): Promise<void> {
  const { ResourceRecordSets: sets = [] } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: id }));
  const deletable = sets.filter(({ Type: type }) => type !== 'NS' && type !== 'SOA');
  if (deletable.length > 0) {
    const changes = deletable.map((set) => ({ Action: 'DELETE' as const, ResourceRecordSet: set }));
    await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: id, ChangeBatch: { Changes: changes } }));
  }
  await route53.send(new DeleteHostedZoneCommand({ Id: id }));
}

/** Creates or replaces record sets. */
export async function put(route53: Route53Client, zoneId: string, sets: readonly ResourceRecordSet[]): Promise<void> {
  await route53.send(new ChangeResourceRecordSetsCommand({
    HostedZoneId: zoneId,
    ChangeBatch: { Changes: sets.map((set) => ({ Action: 'UPSERT', ResourceRecordSet: set })) },
  }));
}

export function record(name: string, type: 'A' | 'MX' | 'TXT' | 'CAA', ...values: string[]): ResourceRecordSet {
  return { Name: name, Type: type, TTL: 60, ResourceRecords: values.map((value) => ({ Value: value })) };
}
