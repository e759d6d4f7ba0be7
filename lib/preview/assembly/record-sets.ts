// Route 53 record sets and hosted zones of the template, and the records that a person shall make elsewhere.
import { characterStrings } from '../../protocol/records/character-strings';
import { UNPUBLISHED_RECORD, renderRecord } from '../../protocol/records/sts-record';
import { RECORD_TTL } from '../../protocol/records/record-names';
import type { Notes } from './evaluated';
import { Properties } from './evaluated';
import { bareName } from './record-values';
import type { Resource } from './stacks';

/** A record set as the template states it. */
export interface RecordSet {
  /** The resource in the template. */
  readonly path: string;
  /** The id of its hosted zone, or nothing where it is told by name. */
  readonly zoneId?: string;
  readonly zoneName?: string;
  /** Lower case, without the dot at its end. */
  readonly name: string;
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  readonly values: readonly string[];
  /** What an alias record points to. */
  readonly aliasTarget?: string;
}

/** Alias records have no TTL of their own; Route 53 answers those of CloudFront with a minute. */
const ALIAS_TTL = 60;

/** The names of the hosted zones that the template makes, by their ids. */
export function readHostedZones(resources: readonly Resource[], notes: Notes): ReadonlyMap<string, string> {
  const zones = resources.filter(({ type }) => type === 'AWS::Route53::HostedZone').map((resource) => {
    const name = Properties.of(resource, notes).in('Name').required();
    return [resource.id, bareName(name ?? '')] as const;
  });
  return new Map(zones.filter(([, name]) => name !== ''));
}

export function readRecordSets(resources: readonly Resource[], notes: Notes): readonly RecordSet[] {
  return resources.flatMap((resource) => {
    const properties = Properties.of(resource, notes);
    switch (resource.type) {
      case 'AWS::Route53::RecordSet': return recordSet(resource, properties, properties);
      case 'AWS::Route53::RecordSetGroup':
        return properties.in('RecordSets').items().flatMap((item) => recordSet(resource, item, properties));
      default: return [];
    }
  });
}

/**
 * What `MtaSts` says that is to be made by hand: read as if that was done, in a zone of the domain's name.
 *
 * @param id - that is published
 */
export function readRecordsByHand(publication: Properties, path: string, domain: string, id: string): readonly RecordSet[] {
  return publication.in('RecordsByHand').items().flatMap((record) => {
    const [name, type, value] = ['Name', 'Type', 'Value'].map((member) => record.in(member).required());
    if (name === undefined || type === undefined || value === undefined) return [];
    const text = value === UNPUBLISHED_RECORD ? renderRecord(id) : value;
    return [{ path, zoneName: domain, name: bareName(name), type, ttl: RECORD_TTL, values: [type === 'TXT' ? characterStrings(text) : text] }];
  });
}

/** @param zone - what names the zone: the record set itself, or the group it is in */
function recordSet(resource: Resource, properties: Properties, zone: Properties): RecordSet[] {
  const name = properties.in('Name').required();
  const type = properties.in('Type').required();
  if (name === undefined || type === undefined) return [];
  const zoneName = zone.in('HostedZoneName').text();
  const alias = properties.in('AliasTarget');
  const set = {
    path: resource.path,
    zoneId: zone.in('HostedZoneId').text(),
    zoneName: zoneName === undefined ? undefined : bareName(zoneName),
    name: bareName(name),
    type,
  };
  if (alias.exists()) {
    const aliasTarget = alias.in('DNSName').required();
    return aliasTarget === undefined ? [] : [{ ...set, ttl: ALIAS_TTL, values: [], aliasTarget: bareName(aliasTarget) }];
  }
  const ttl = Number(properties.in('TTL').text() ?? '');
  return [{ ...set, ttl: Number.isInteger(ttl) && ttl >= 0 && ttl < 2 ** 31 ? ttl : 300, values: properties.in('ResourceRecords').texts() }];
}
