// Does a record of somebody else stand where ours will? Nothing is ever overwritten.
import { policyHostName } from '../../protocol/policy/url';
import { stsRecordName, reportingName } from '../../protocol/records/record-names';
import { safeText } from '../../util/safe-text';
import { parseTlsRpt } from '../../protocol/records/tls-rpt';
import { parentNamesWithin } from '../dns-names';
import { joinedStrings, recordSetsAt } from '../hosted-zone';
import type { HostedZone, RecordSet } from '../hosted-zone';
import type { PlannedRecord } from '../../functions/deployment/properties';
import type { OperationContext } from '../context/operation-context';
import { ownsRecord } from '../stack';
import { checkFailed, good, asWarnings } from './check-result';
import type { CheckResult } from './check-result';

/** What the hosted zone holds, by name. */
export type Listings = ReadonlyMap<string, readonly RecordSet[]>;

/** Whose the record sets may be. */
export interface Ownership {
  readonly stackId: string;
  readonly domain: string;
  /** What the stack will make. */
  readonly planned: readonly PlannedRecord[];
  /** What the stack made by the properties before this update. */
  readonly made: readonly PlannedRecord[];
  /** Whether this update goes to another hosted zone, in which nothing is ours yet. */
  readonly newZone: boolean;
  /** Whether this update only asks less of senders than before. */
  readonly asksLess: boolean;
}

/** Lists the names of the planned records, the policy host, and every name between them and the zone's own. */
export async function listNames(context: OperationContext, zone: HostedZone, domain: string, planned: readonly PlannedRecord[]): Promise<Listings> {
  const names = [policyHostName(domain), ...planned.map(({ name }) => name)];
  const wanted = new Set(names.flatMap((name) => parentNamesWithin(name, zone.name)));
  return new Map(await Promise.all([...wanted].map(async (name) => [name, await recordSetsAt(context, zone, name)] as const)));
}

/** Finds record sets at the planned names that this stack does not own, and names that are delegated away. */
export async function checkOwnership(context: OperationContext, zone: HostedZone, listings: Listings, ownership: Ownership): Promise<CheckResult> {
  const policyHost = policyHostName(ownership.domain);
  const names = new Set([policyHost, ...ownership.planned.map(({ name }) => name)]);
  const findings = await Promise.all([...listings].flatMap(([name, sets]) => sets.map(async (set): Promise<CheckResult | undefined> => {
    if (set.type === 'NS') return judged(set, delegatedAway(zone, set), ownership);
    // CAA beside our records is legal and a good idea.
    if (!names.has(name) || (set.type === 'CAA' && name === policyHost)) return undefined;
    return await isOurs(context, set, ownership) ? undefined : judged(set, foreign(zone, set, ownership), ownership);
  })));
  const found = findings.filter((finding) => finding !== undefined);
  return found.length > 0
    ? { failures: found.flatMap(({ failures: faults }) => faults), warnings: found.flatMap(({ warnings }) => warnings) }
    : good('no foreign record stands in the way');
}

/** An update that only asks less changes nothing but the record with the id, which fails beside a CNAME and beside weighted ones. */
function judged({ name, type }: RecordSet, fault: string, { domain, asksLess }: Ownership): CheckResult {
  const isInTheWay = name === stsRecordName(domain) && (type === 'TXT' || type === 'CNAME');
  return asksLess && !isInTheWay ? asWarnings(checkFailed(fault)) : checkFailed(fault);
}

async function isOurs(context: OperationContext, set: RecordSet, { stackId, planned, made, newZone }: Ownership): Promise<boolean> {
  // Ours are simple record sets; one that is weighted or the like cannot be.
  if (newZone || set.setIdentifier !== undefined) return false;
  const same = ({ name, type }: PlannedRecord): boolean => name === set.name && type === set.type;
  const record = planned.find(same);
  const before = made.find(same);
  // Of another logical id it is another resource, which CloudFormation would try to make beside the one that stands there.
  if (before !== undefined && (record === undefined || record.logicalId === before.logicalId)) return true;
  return record !== undefined && ownsRecord(context, stackId, record.logicalId, set.name);
}

function foreign(zone: HostedZone, set: RecordSet, { planned }: Ownership): string {
  const values = set.values.map((value) => safeText(value, 80)).join(', ');
  const instead = set.name.startsWith(reportingName('')) ? reportingInstead(set) : `delete it if it is no longer needed: ${NO_IMPORT}`;
  // To CloudFormation a construct with another id is another resource, and it makes the new one before it deletes the old.
  const renamed = planned.some(({ name, type }) => name === set.name && type === set.type)
    ? '; where a construct of this stack was renamed, give it its old id back; to another PolicyHost a domain moves in two deployments, the first without it'
    : '';
  const identifier = set.setIdentifier === undefined ? '' : ` (${safeText(set.setIdentifier)})`;
  return `a record that this stack did not make stands at ${safeText(set.name)} in the hosted zone ${zone.id}: ${safeText(set.type)} `
    + `${safeText(values, 200)}${identifier}; ${instead}${renamed}`;
}

/** https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/560 */
const NO_IMPORT = 'CloudFormation cannot import record sets, so it cannot be taken over as it is';

/** Senders report once a day: minutes without the record lose nothing. */
function reportingInstead({ values }: RecordSet): string {
  const { record } = parseTlsRpt(values.map(joinedStrings));
  const uris = record === undefined ? '' : ` as \`TlsReporting.to(${record.rua.map((uri) => `'${safeText(uri, 200)}'`).join(', ')})\``;
  return `leave \`tlsReporting\` out to keep it; or give what it says${uris} and delete it just before the next deployment, which makes it anew: ${NO_IMPORT}`;
}

function delegatedAway(zone: HostedZone, set: RecordSet): string {
  return `${safeText(set.name)} is delegated away from the hosted zone ${zone.id} (${zone.name}) by an NS record, ${safeText(set.values.join(', '), 200)}: `
    + 'nobody would see records there; pass the hosted zone that it is delegated to, or delete the NS record';
}
