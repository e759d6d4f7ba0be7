// Do the planned names hold records that this stack did not create? The deployment never overwrites one.
import { policyHostName } from '../../protocol/policy/url';
import { stsRecordName, reportingName } from '../../protocol/records/record-names';
import { parseTlsRpt } from '../../protocol/records/tls-rpt';
import { safeText } from '../../util/safe-text';
import type { OperationContext } from '../context/operation-context';
import { parentNamesWithin } from '../dns-names';
import type { Problem } from '../failures';
import { joinedStrings, recordSetsAt } from '../hosted-zone';
import type { HostedZone, RecordSet } from '../hosted-zone';
import { ownsRecord } from '../stack';
import { asWarnings, checkPassed } from './check-result';
import type { CheckResult } from './check-result';
import type { PlannedDomain, PlannedRecord } from './domain-plan';

/** The record sets of the hosted zone, by name. */
export type Listings = ReadonlyMap<string, readonly RecordSet[]>;

/** The hosted zone of a domain, and the plan to compare it with. */
export interface OwnershipInput {
  readonly zone: HostedZone;
  readonly listings: Listings;
  readonly planned: PlannedDomain;
  readonly stackId: string;
}

/** Lists the names of the planned records, the policy host, and every name between them and the name of the zone. */
export async function listNames(
  context: OperationContext, zone: HostedZone, domain: string, planned: readonly PlannedRecord[],
): Promise<Listings> {
  const names = [policyHostName(domain), ...planned.map(({ name }) => name)];
  const wanted = new Set(names.flatMap((name) => parentNamesWithin(name, zone.name)));
  return new Map(await Promise.all([...wanted].map(async (name) => [name, await recordSetsAt(context, zone, name)] as const)));
}

/** Finds record sets at the planned names that this stack does not own, and names that are delegated away. */
export async function checkOwnership(context: OperationContext, input: OwnershipInput): Promise<CheckResult> {
  const { zone, listings, planned } = input;
  const policyHost = policyHostName(planned.domain);
  const names = new Set([policyHost, ...planned.records.map(({ name }) => name)]);
  const results = await Promise.all([...listings].flatMap(([name, sets]) => sets.map(async (set): Promise<CheckResult | undefined> => {
    if (set.type === 'NS') return conflict(set, { code: 'name-delegated-away', message: delegatedAway(zone, set) }, planned);
    // CAA records at the policy host are legal, and a good idea.
    if (!names.has(name) || (set.type === 'CAA' && name === policyHost)) return undefined;
    return await isOwn(context, set, input) ? undefined : conflict(set, { code: 'record-exists', message: foreignRecord(zone, set, planned) }, planned);
  })));
  const found = results.filter((result) => result !== undefined);
  return found.length > 0
    ? { failures: found.flatMap(({ failures }) => failures), warnings: found.flatMap(({ warnings }) => warnings) }
    : checkPassed('no foreign record has a planned name');
}

/** A relaxing update changes only the record with the id. That change fails beside a CNAME or a weighted record. */
function conflict({ name, type }: RecordSet, problem: Problem, { domain, relaxesPolicy }: PlannedDomain): CheckResult {
  const blocksId = name === stsRecordName(domain) && (type === 'TXT' || type === 'CNAME');
  const result: CheckResult = { failures: [problem], warnings: [] };
  return relaxesPolicy && !blocksId ? asWarnings(result) : result;
}

async function isOwn(context: OperationContext, set: RecordSet, { stackId, planned }: OwnershipInput): Promise<boolean> {
  // The stack makes simple record sets, so a weighted one or the like is not its own.
  if (planned.changesZone || set.setIdentifier !== undefined) return false;
  const isSame = ({ name, type }: PlannedRecord): boolean => name === set.name && type === set.type;
  const record = planned.records.find(isSame);
  const before = planned.recordsBefore.find(isSame);
  // Another logical id is another resource. CloudFormation would try to create it beside the existing record.
  if (before !== undefined && (record === undefined || record.logicalId === before.logicalId)) return true;
  return record !== undefined && ownsRecord(context, stackId, record.logicalId, set.name);
}

function foreignRecord(zone: HostedZone, set: RecordSet, { records }: PlannedDomain): string {
  const values = set.values.map((value) => safeText(value, 80)).join(', ');
  const identifier = set.setIdentifier === undefined ? '' : ` (${safeText(set.setIdentifier)})`;
  const fix = set.name.startsWith(reportingName('')) ? reportingFix(set) : 'Delete it if it is no longer needed.';
  // CloudFormation treats a construct with another id as another resource, and creates it before it deletes the old one.
  const renamed = records.some(({ name, type }) => name === set.name && type === set.type)
    ? ' If a construct of this stack was renamed, give it its old id back. To move a domain to another PolicyHost, use two deployments, the first one without the domain.'
    : '';
  return `this stack did not create the record at ${safeText(set.name)} in the hosted zone ${zone.id}: ${safeText(set.type)} ${safeText(values, 200)}${identifier}. `
    + `${NO_IMPORT} ${fix}${renamed}`;
}

/** https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/560 */
const NO_IMPORT = 'CloudFormation can neither overwrite nor import it.';

/** Senders report once a day, so minutes without the record lose nothing. */
function reportingFix({ values }: RecordSet): string {
  const { record } = parseTlsRpt(values.map(joinedStrings));
  const uris = record === undefined ? 'its value' : `\`TlsReporting.to(${record.rua.map((uri) => `'${safeText(uri, 200)}'`).join(', ')})\``;
  return `To keep it, leave out \`tlsReporting\`. Or set \`tlsReporting\` to ${uris} and delete the record just before the next deployment, which creates it again.`;
}

function delegatedAway(zone: HostedZone, set: RecordSet): string {
  return `${safeText(set.name)} is delegated away from the hosted zone ${zone.id} (${zone.name}) by an NS record (${safeText(set.values.join(', '), 200)}). `
    + 'Senders would not see records there. Pass the hosted zone that it is delegated to, or delete the NS record (RFC 1034 §4.2.1).';
}
