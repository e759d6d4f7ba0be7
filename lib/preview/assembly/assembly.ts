// Reads the distributions, publications and records of a synthesized cloud assembly. No part of it is trusted.
import { hostNameProblem } from '../../protocol/domain-name';
import { hashOfPolicyId, policyHash } from '../../protocol/policy/id';
import { policyText } from '../../contract/custom-resources';
import { safeText } from '../../util/safe-text';
import { readStacks } from './files';
import { readDistributions } from '../edge/distribution';
import type { Distribution } from '../edge/distribution';
import { PreviewError } from '../errors';
import { Notes, Properties } from './evaluated';
import { PUBLICATION } from './published-id';
import { readHostedZones, readRecordSets, readManualRecords } from './record-sets';
import type { RecordSet } from './record-sets';
import { readResources } from './stacks';
import type { Resource } from './stacks';

/** The policy that a `Custom::MtaStsPublication` would publish. */
export interface Publication {
  /** The resource in the template, as `Stack/LogicalId`. */
  readonly path: string;
  /** The policy domain. */
  readonly domain: string;
  /** Id of this preview. A deployment creates another id. */
  readonly policyId: string;
  readonly policyText: string;
  /** Why the Publication would refuse this policy, as a clause. */
  readonly refused?: string;
  readonly bucketName: string;
  readonly objectKey: string;
  readonly zoneId?: string;
  /** Records that a person creates in external DNS. */
  readonly manualRecords: readonly RecordSet[];
}

/** The parts of an assembly that senders see after a deployment. */
export interface Assembly {
  /** The distributions with a policy host among their aliases. */
  readonly distributions: readonly Distribution[];
  readonly publications: readonly Publication[];
  /** Names of the hosted zones in the templates, by zone id. */
  readonly zones: ReadonlyMap<string, string>;
  readonly recordSets: readonly RecordSet[];
  readonly notes: Notes;
}

/** 253, the maximum length of a DNS name, minus the longest prefix of a record name: `_smtp._tls.`. */
const MAX_DOMAIN_LENGTH = 242;

/** First label of a policy host (RFC 8461 §3.3). */
const POLICY_HOST_PREFIX = 'mta-sts.';

/**
 * Reads an assembly.
 *
 * @param app - the folder that `cdk synth` wrote
 * @param time - time of the publication, in milliseconds since the epoch; the default is now
 * @throws PreviewError if the folder is not a cloud assembly, or has no policy host
 */
export function readAssembly(app: string, time = Date.now()): Assembly {
  const stacks = readStacks(app);
  const resources = readResources(stacks, time);
  const notes = new Notes();
  const all = readDistributions(resources, notes);
  const distributions = all.filter(({ aliases }) => aliases.some((alias) => alias.startsWith(POLICY_HOST_PREFIX)));
  if (distributions.length === 0) {
    const names = stacks.map(({ name }) => safeText(name)).join(', ');
    const found = all.flatMap(({ aliases }) => aliases).join(', ');
    throw new PreviewError(`no policy host in ${safeText(app)}: no AWS::CloudFront::Distribution has an alias mta-sts.<domain> `
      + `(stacks: ${names === '' ? 'none' : names}; aliases: ${found === '' ? 'none' : found}). `
      + 'Add the construct MtaSts to the app and run `npx cdk synth` again');
  }
  const publications = resources.filter(({ type }) => type === PUBLICATION).flatMap((resource) => readPublication(resource, notes));
  const recordSets = readRecordSets(resources, notes);
  return {
    distributions,
    publications,
    zones: readHostedZones(resources, notes),
    recordSets: [...recordSets, ...withoutKnown(publications.flatMap(({ manualRecords }) => manualRecords), recordSets)],
    notes,
  };
}

/** Removes the manual records that a stack of the app creates. A stack for another account may do so. */
function withoutKnown(manualRecords: readonly RecordSet[], recordSets: readonly RecordSet[]): readonly RecordSet[] {
  const names = new Set(recordSets.map(({ name, type }) => `${name} ${type}`));
  return manualRecords.filter(({ name, type }) => !names.has(`${name} ${type}`));
}

function readPublication(resource: Resource, notes: Notes): Publication[] {
  const properties = Properties.of(resource, notes);
  const [domain, bucketName, objectKey] = ['DomainName', 'BucketName', 'ObjectKey'].map((name) => properties.member(name).required());
  const expectedHash = readPolicyHash(properties);
  const file = properties.member('Policy');
  if (!file.exists()) file.note('is missing');
  const lines = file.texts();
  const policyId = resource.attribute('PolicyId');
  // If the id cannot be computed, a note about `Policy` already says why.
  if (lines.length === 0 || typeof policyId !== 'string') return [];
  if (domain === undefined || expectedHash === undefined || bucketName === undefined || objectKey === undefined) return [];
  const problem = hostNameProblem(domain) ?? (domain.includes('.') && domain.length <= MAX_DOMAIN_LENGTH ? undefined : 'is not a mail domain');
  if (problem !== undefined) {
    notes.add(resource.path, `the domain ${JSON.stringify(safeText(domain))} ${problem}. It is left out`);
    return [];
  }
  const zoneId = properties.member('HostedZoneId').text();
  const manualRecords = zoneId === undefined ? readManualRecords(properties, resource.path, domain.toLowerCase(), policyId) : [];
  const policy = { policyId, policyText: policyText(lines) };
  const hash = policyHash(policy.policyText);
  const refused = hash === expectedHash ? undefined : `its policy has the hash ${hash}, but the template gives ${safeText(expectedHash)}`;
  return [{ path: resource.path, domain: domain.toLowerCase(), ...policy, refused, bucketName, objectKey, zoneId, manualRecords }];
}

/** Returns the hash that the template gives for the policy. The Publication compares it, to detect a changed policy. */
function readPolicyHash(properties: Properties): string | undefined {
  // Releases before 0.2 wrote the id instead.
  const id = properties.member('PolicyId');
  if (id.exists()) return hashOfPolicyId(id.text() ?? '') ?? id.text();
  return properties.member('PolicyHash').required();
}
