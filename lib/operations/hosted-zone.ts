// Reads a hosted zone and its record sets from the Route 53 API.
import { GetHostedZoneCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import type { ListResourceRecordSetsCommandInput, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { safeText } from '../util/safe-text';
import { awsCall, AwsCallFailed } from './context/aws-call';
import type { OperationContext } from './context/operation-context';
import { octalDecoded, plainName } from './dns-names';
import { deploymentFailure } from './failures';

/** A public hosted zone. */
export interface HostedZone {
  readonly id: string;
  /** In lower case, without a dot at the end. */
  readonly name: string;
  /** The names of the name servers in the delegation set. */
  readonly nameServers: readonly string[];
}

/** A record set of the zone. */
export interface RecordSet {
  readonly name: string;
  readonly type: string;
  /** Each value as the API returns it; the target of an alias as `alias to ...`. */
  readonly values: readonly string[];
  /** Tells weighted, latency-based and similar record sets of one name and type apart. */
  readonly setIdentifier?: string;
}

/**
 * Reads a public hosted zone.
 *
 * @throws DeploymentFailure where no such zone exists, or where it is private, so that senders on the internet would not see its records
 */
export async function readHostedZone(context: OperationContext, id: string): Promise<HostedZone> {
  const call = 'route53:GetHostedZone';
  const { HostedZone: zone, DelegationSet: delegation } = await awsCall(context, call, async (options) => {
    return context.services.route53.send(new GetHostedZoneCommand({ Id: id }), options);
  }).catch((error: unknown) => {
    if (!(error instanceof AwsCallFailed) || error.code !== 'NoSuchHostedZone') throw error;
    throw deploymentFailure('zone-not-found', `this account has no hosted zone ${id} (${error.message}). No record can be created. Pass the hosted zone that holds the `
      + 'records of the domain.');
  });
  const name = plainName(zone?.Name ?? '');
  if (zone?.Config?.PrivateZone === true) {
    throw deploymentFailure('zone-private', `the hosted zone ${id} (${safeText(name)}) is private. Senders on the internet cannot see its records. Pass the public hosted `
      + 'zone of the domain.');
  }
  const nameServers = (delegation?.NameServers ?? []).map(plainName);
  if (name === '' || nameServers.length === 0) {
    throw deploymentFailure('zone-unreadable', `${call} returned no name or no name servers for ${id}. A public hosted zone has both. Check the zone, and deploy again.`);
  }
  return { id, name, nameServers };
}

/** Returns all record sets at exactly this name. */
export async function recordSetsAt(context: OperationContext, zone: Pick<HostedZone, 'id'>, name: string): Promise<readonly RecordSet[]> {
  const found: RecordSet[] = [];
  let from: Partial<ListResourceRecordSetsCommandInput> | undefined = { StartRecordName: name };
  while (from !== undefined) {
    const input: ListResourceRecordSetsCommandInput = { HostedZoneId: zone.id, ...from };
    const page = await awsCall(context, 'route53:ListResourceRecordSets', async (options) => {
      return context.services.route53.send(new ListResourceRecordSetsCommand(input), options);
    });
    const sets = (page.ResourceRecordSets ?? []).map(toRecordSet);
    found.push(...sets.filter((set) => set.name === name));
    // The API sorts by reversed labels and starts at the requested name. The record sets of that name come first, all together.
    const hasMore = page.IsTruncated === true && plainName(page.NextRecordName ?? '') === name && sets.every((set) => set.name === name);
    from = hasMore
      ? { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType, StartRecordIdentifier: page.NextRecordIdentifier }
      : undefined;
  }
  return found;
}

/** Returns the text of a TXT value such as `"v=TLSRPTv1; " "rua=..."`: its strings without quotes, joined. */
export function joinedStrings(value: string): string {
  return value.replace(/^"|"$/g, '').replace(/"[ \t]+"/g, '');
}

function toRecordSet(set: ResourceRecordSet): RecordSet {
  const values = (set.ResourceRecords ?? []).map(({ Value: value }) => octalDecoded(value ?? ''));
  return {
    name: plainName(set.Name ?? ''),
    type: set.Type ?? '',
    values: set.AliasTarget === undefined ? values : [`alias to ${plainName(set.AliasTarget.DNSName ?? '')}`],
    setIdentifier: set.SetIdentifier,
  };
}
