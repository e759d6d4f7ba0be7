// Reads what a preview needs from any synthesized cloud assembly, without trusting it.
import { hostNameFault } from '../protocol/domain-name';
import { policyText } from '../protocol/policy-lines';
import { printable } from '../protocol/text';
import { readStacks } from './assembly-files';
import { readDistributions } from './distribution';
import type { Distribution } from './distribution';
import { PreviewError } from './errors';
import { Notes, Properties } from './evaluated';
import { readHostedZones, readRecordSets } from './record-sets';
import type { RecordSet } from './record-sets';
import { resourcesOf } from './stacks';
import type { Resource } from './stacks';

/** What a `Custom::MtaStsPublication` would write. */
export interface Publication {
  /** The resource in the template. */
  readonly path: string;
  /** The policy domain. */
  readonly domain: string;
  readonly policyId: string;
  readonly policyText: string;
  readonly bucketName: string;
  readonly objectKey: string;
  readonly zoneId?: string;
}

/** The part of an assembly that senders would see. */
export interface Assembly {
  /** Those with policy hosts among their aliases. */
  readonly distributions: readonly Distribution[];
  readonly publications: readonly Publication[];
  /** The names of the hosted zones that the template makes, by their ids. */
  readonly zones: ReadonlyMap<string, string>;
  readonly recordSets: readonly RecordSet[];
  readonly notes: Notes;
}

/** RFC 8461 §3.3. */
const POLICY_HOST = 'mta-sts.';

/**
 * Reads an assembly.
 *
 * @param app - the folder that `cdk synth` wrote
 * @throws PreviewError when it is no cloud assembly, or holds no policy host
 */
export function readAssembly(app: string): Assembly {
  const stacks = readStacks(app);
  const resources = resourcesOf(stacks);
  const notes = new Notes();
  const all = readDistributions(resources, notes);
  const distributions = all.filter(({ aliases }) => aliases.some((alias) => alias.startsWith(POLICY_HOST)));
  if (distributions.length === 0) {
    const names = stacks.map(({ name }) => printable(name)).join(', ');
    const found = all.flatMap(({ aliases }) => aliases).join(', ');
    throw new PreviewError(`no policy host in ${printable(app)}: none of its stacks (${names === '' ? 'it has none' : names}) has an `
      + `AWS::CloudFront::Distribution with an alias mta-sts.<domain>${found === '' ? '' : `, only with ${found}`}; `
      + 'add the construct MtaSts to the app and run `npx cdk synth` again');
  }
  return {
    distributions,
    publications: resources.filter(({ type }) => type === 'Custom::MtaStsPublication').flatMap((resource) => publication(resource, notes)),
    zones: readHostedZones(resources, notes),
    recordSets: readRecordSets(resources, notes),
    notes,
  };
}

function publication(resource: Resource, notes: Notes): Publication[] {
  const properties = Properties.of(resource, notes);
  const [domain, policyId, bucketName, objectKey] = ['DomainName', 'PolicyId', 'BucketName', 'ObjectKey']
    .map((name) => properties.in(name).required());
  const policy = properties.in('Policy');
  if (!policy.exists()) policy.note('is missing');
  const lines = policy.texts();
  if (domain === undefined || policyId === undefined || bucketName === undefined || objectKey === undefined) return [];
  if (lines.length === 0) return [];
  // The longest name below it is `_smtp._tls.`, and with that it must still be a name.
  const fault = hostNameFault(domain) ?? (domain.includes('.') && domain.length <= 242 ? undefined : 'is no mail domain');
  if (fault !== undefined) {
    notes.add(resource.path, `the domain ${JSON.stringify(printable(domain))} ${fault}; it is left out`);
    return [];
  }
  const zoneId = properties.in('HostedZoneId').text();
  return [{ path: resource.path, domain: domain.toLowerCase(), policyId, policyText: policyText(lines), bucketName, objectKey, zoneId }];
}
