// Reads the Route 53 record sets and hosted zones of the template, and the manual records for external DNS.
import { characterStrings } from '../../protocol/records/character-strings';
import { UNPUBLISHED_RECORD, renderRecord } from '../../protocol/records/sts-record';
import { RECORD_TTL } from '../../protocol/records/record-names';
import type { Notes } from './evaluated';
import { Properties } from './evaluated';
import { bareName } from './record-values';
import type { Resource } from './stacks';

/** A record set as in the template. */
export interface RecordSet {
  /** The resource in the template, as `Stack/LogicalId`. */
  readonly path: string;
  /** Id of the hosted zone. Missing if the template gives its name instead. */
  readonly zoneId?: string;
  readonly zoneName?: string;
  /** In lower case, without the trailing dot. */
  readonly name: string;
  readonly type: string;
  /** In seconds. */
  readonly ttl: number;
  readonly values: readonly string[];
  /** Target of an alias record. */
  readonly aliasTarget?: string;
}

/** TTL that Route 53 gives to alias records of CloudFront. They have no TTL in the template. */
const ALIAS_TTL_SECONDS = 60;

/** Returns the names of the hosted zones in the template, by zone id. */
export function readHostedZones(resources: readonly Resource[], notes: Notes): ReadonlyMap<string, string> {
  const zones = resources.filter(({ type }) => type === 'AWS::Route53::HostedZone').map((resource) => {
    const name = Properties.of(resource, notes).member('Name').required();
    return [resource.id, bareName(name ?? '')] as const;
  });
  return new Map(zones.filter(([, name]) => name !== ''));
}

/** Returns the record sets of the template, single ones and those in groups. */
export function readRecordSets(resources: readonly Resource[], notes: Notes): readonly RecordSet[] {
  return resources.flatMap((resource) => {
    const properties = Properties.of(resource, notes);
    switch (resource.type) {
      case 'AWS::Route53::RecordSet': return readRecordSet(resource, properties, properties);
      case 'AWS::Route53::RecordSetGroup':
        return properties.member('RecordSets').items().flatMap((item) => readRecordSet(resource, item, properties));
      default: return [];
    }
  });
}

/**
 * Reads the manual records of a publication, as if a person had created them in a zone with the name of the domain.
 *
 * @param id - the id of the publication
 */
export function readManualRecords(publication: Properties, path: string, domain: string, id: string): readonly RecordSet[] {
  return publication.member('RecordsByHand').items().flatMap((record) => {
    const [name, type, value] = ['Name', 'Type', 'Value'].map((member) => record.member(member).required());
    if (name === undefined || type === undefined || value === undefined) return [];
    const text = value === UNPUBLISHED_RECORD ? renderRecord(id) : value;
    return [{ path, zoneName: domain, name: bareName(name), type, ttl: RECORD_TTL, values: [type === 'TXT' ? characterStrings(text) : text] }];
  });
}

/**
 * Reads one record set.
 *
 * @param zone - the properties that name the zone: of the record set itself, or of its group
 */
function readRecordSet(resource: Resource, properties: Properties, zone: Properties): RecordSet[] {
  const name = properties.member('Name').required();
  const type = properties.member('Type').required();
  if (name === undefined || type === undefined) return [];
  const zoneName = zone.member('HostedZoneName').text();
  const alias = properties.member('AliasTarget');
  const set = {
    path: resource.path,
    zoneId: zone.member('HostedZoneId').text(),
    zoneName: zoneName === undefined ? undefined : bareName(zoneName),
    name: bareName(name),
    type,
  };
  if (alias.exists()) {
    const aliasTarget = alias.member('DNSName').required();
    return aliasTarget === undefined ? [] : [{ ...set, ttl: ALIAS_TTL_SECONDS, values: [], aliasTarget: bareName(aliasTarget) }];
  }
  const ttl = Number(properties.member('TTL').text() ?? '');
  return [{ ...set, ttl: Number.isInteger(ttl) && ttl >= 0 && ttl < 2 ** 31 ? ttl : 300, values: properties.member('ResourceRecords').texts() }];
}
