// The mail domain before anybody deploys: a hosted zone with its MX records.
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand } from '@aws-sdk/client-route-53';
import type { ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import { MAIL_HOSTS } from './addresses';

export const DOMAIN = 'example.test';

/** @returns the id of the zone, as context takes it */
export async function createDomain(route53: Route53Client): Promise<string> {
  const { HostedZone: zone } = await route53.send(new CreateHostedZoneCommand({ Name: DOMAIN, CallerReference: String(Date.now()) }));
  const id = zone?.Id?.replace('/hostedzone/', '');
  if (id === undefined) throw new Error('the emulator made no hosted zone');
  const hosts = [...MAIL_HOSTS].filter(([name]) => name.endsWith(`.${DOMAIN}`));
  await put(route53, id, hosts.map(([name, address]) => record(name, 'A', address)));
  await put(route53, id, [record(DOMAIN, 'MX', '10 mx1.example.test.')]);
  return id;
}

/** Makes record sets, or changes them to this. */
export async function put(route53: Route53Client, zoneId: string, sets: readonly ResourceRecordSet[]): Promise<void> {
  await route53.send(new ChangeResourceRecordSetsCommand({
    HostedZoneId: zoneId,
    ChangeBatch: { Changes: sets.map((set) => ({ Action: 'UPSERT', ResourceRecordSet: set })) },
  }));
}

export function record(name: string, type: 'A' | 'MX' | 'TXT' | 'CAA', ...values: string[]): ResourceRecordSet {
  return { Name: name, Type: type, TTL: 60, ResourceRecords: values.map((value) => ({ Value: value })) };
}
