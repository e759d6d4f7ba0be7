// Reads a hosted zone and its record sets from the Route 53 API.
import { GetHostedZoneCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import type { ListResourceRecordSetsCommandInput, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { safeText } from '../util/safe-text';
import { awsCall, AwsCallFailed } from './context/aws-call';
import { octalDecoded, plainName } from './dns-names';
import type { OperationContext } from './context/operation-context';

/** A public hosted zone. */
export interface HostedZone {
  readonly id: string;
  /** Lower case, without a dot at the end. */
  readonly name: string;
  /** The names of the delegation set's name servers. */
  readonly nameServers: readonly string[];
}

/** A record set as it stands in the zone. */
export interface RecordSet {
  readonly name: string;
  readonly type: string;
  /** Each value as the API gives it; an alias's target as `alias to ...`. */
  readonly values: readonly string[];
  /** Of weighted, latency-based and other record sets that share name and type. */
  readonly setIdentifier?: string;
}

/**
 * @throws where there is no such zone, or it is private: senders on the internet would not see its records
 */
export async function readHostedZone(context: OperationContext, id: string): Promise<HostedZone> {
  const call = 'route53:GetHostedZone';
  const { HostedZone: zone, DelegationSet: delegation } = await awsCall(context, call, async (options) => {
    return context.services.route53.send(new GetHostedZoneCommand({ Id: id }), options);
  }).catch((error: unknown) => {
    if (!(error instanceof AwsCallFailed) || error.code !== 'NoSuchHostedZone') throw error;
    throw new Error(`there is no hosted zone ${id} in this account (${error.message}); pass the zone that holds the domain's records`);
  });
  const name = plainName(zone?.Name ?? '');
  if (zone?.Config?.PrivateZone === true) {
    throw new Error(`the hosted zone ${id} (${safeText(name)}) is private, and senders on the internet cannot see its records; `
      + 'pass the public hosted zone of the domain');
  }
  const nameServers = (delegation?.NameServers ?? []).map(plainName);
  if (name === '' || nameServers.length === 0) {
    throw new Error(`${call} gave no name or no name servers for ${id}; a public hosted zone has both`);
  }
  return { id, name, nameServers };
}

/** All record sets at exactly this name. */
export async function recordSetsAt(context: OperationContext, zone: Pick<HostedZone, 'id'>, name: string): Promise<readonly RecordSet[]> {
  const found: RecordSet[] = [];
  let from: Partial<ListResourceRecordSetsCommandInput> | undefined = { StartRecordName: name };
  while (from !== undefined) {
    const input: ListResourceRecordSetsCommandInput = { HostedZoneId: zone.id, ...from };
    const page = await awsCall(context, 'route53:ListResourceRecordSets', async (options) => {
      return context.services.route53.send(new ListResourceRecordSetsCommand(input), options);
    });
    const sets = (page.ResourceRecordSets ?? []).map(recordSet);
    found.push(...sets.filter((set) => set.name === name));
    // The API sorts by reversed labels and begins at the name asked for: its record sets come first, and all together.
    const more = page.IsTruncated === true && plainName(page.NextRecordName ?? '') === name && sets.every((set) => set.name === name);
    from = more
      ? { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType, StartRecordIdentifier: page.NextRecordIdentifier }
      : undefined;
  }
  return found;
}

/** The text of a TXT value, `"v=TLSRPTv1; " "rua=..."`: its strings without quotes, put together. */
export function joinedStrings(value: string): string {
  return value.replace(/^"|"$/g, '').replace(/"[ \t]+"/g, '');
}

function recordSet(set: ResourceRecordSet): RecordSet {
  const values = (set.ResourceRecords ?? []).map(({ Value: value }) => octalDecoded(value ?? ''));
  return {
    name: plainName(set.Name ?? ''),
    type: set.Type ?? '',
    values: set.AliasTarget === undefined ? values : [`alias to ${plainName(set.AliasTarget.DNSName ?? '')}`],
    setIdentifier: set.SetIdentifier,
  };
}
