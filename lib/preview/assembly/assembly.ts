// Reads what a preview needs from any synthesized cloud assembly, without trusting it.
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
import { readHostedZones, readRecordSets, readRecordsByHand } from './record-sets';
import type { RecordSet } from './record-sets';
import { resourcesOf } from './stacks';
import type { Resource } from './stacks';

/** What a `Custom::MtaStsPublication` would write. */
export interface Publication {
  /** The resource in the template. */
  readonly path: string;
  /** The policy domain. */
  readonly domain: string;
  /** Made for this preview, as the deployment will make another one. */
  readonly policyId: string;
  readonly policyText: string;
  /** Why the function would refuse it: a phrase. */
  readonly refused?: string;
  readonly bucketName: string;
  readonly objectKey: string;
  readonly zoneId?: string;
  /** Where DNS is elsewhere: what a person makes there. */
  readonly recordsByHand: readonly RecordSet[];
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
 * @param time - when its policies would be published, in milliseconds since the epoch; now, unless given
 * @throws PreviewError when it is no cloud assembly, or holds no policy host
 */
export function readAssembly(app: string, time = Date.now()): Assembly {
  const stacks = readStacks(app);
  const resources = resourcesOf(stacks, time);
  const notes = new Notes();
  const all = readDistributions(resources, notes);
  const distributions = all.filter(({ aliases }) => aliases.some((alias) => alias.startsWith(POLICY_HOST)));
  if (distributions.length === 0) {
    const names = stacks.map(({ name }) => safeText(name)).join(', ');
    const found = all.flatMap(({ aliases }) => aliases).join(', ');
    throw new PreviewError(`no policy host in ${safeText(app)}: none of its stacks (${names === '' ? 'it has none' : names}) has an `
      + `AWS::CloudFront::Distribution with an alias mta-sts.<domain>${found === '' ? '' : `, only with ${found}`}; `
      + 'add the construct MtaSts to the app and run `npx cdk synth` again');
  }
  const publications = resources.filter(({ type }) => type === PUBLICATION).flatMap((resource) => publication(resource, notes));
  const made = readRecordSets(resources, notes);
  return {
    distributions,
    publications,
    zones: readHostedZones(resources, notes),
    recordSets: [...made, ...leftToMake(publications.flatMap(({ recordsByHand }) => recordsByHand), made)],
    notes,
  };
}

/** Those that no stack of the app makes: one in another account may make them. */
function leftToMake(byHand: readonly RecordSet[], made: readonly RecordSet[]): readonly RecordSet[] {
  const names = new Set(made.map(({ name, type }) => `${name} ${type}`));
  return byHand.filter(({ name, type }) => !names.has(`${name} ${type}`));
}

function publication(resource: Resource, notes: Notes): Publication[] {
  const properties = Properties.of(resource, notes);
  const [domain, bucketName, objectKey] = ['DomainName', 'BucketName', 'ObjectKey'].map((name) => properties.in(name).required());
  const announced = announcedHash(properties);
  const file = properties.in('Policy');
  if (!file.exists()) file.note('is missing');
  const lines = file.texts();
  const policyId = resource.attribute('PolicyId');
  // Why the id of it is not known was said of the file itself.
  if (lines.length === 0 || typeof policyId !== 'string') return [];
  if (domain === undefined || announced === undefined || bucketName === undefined || objectKey === undefined) return [];
  // The longest name below it is `_smtp._tls.`, and with that it must still be a name.
  const fault = hostNameProblem(domain) ?? (domain.includes('.') && domain.length <= 242 ? undefined : 'is no mail domain');
  if (fault !== undefined) {
    notes.add(resource.path, `the domain ${JSON.stringify(safeText(domain))} ${fault}; it is left out`);
    return [];
  }
  const zoneId = properties.in('HostedZoneId').text();
  const recordsByHand = zoneId === undefined ? readRecordsByHand(properties, resource.path, domain.toLowerCase(), policyId) : [];
  const policy = { policyId, policyText: policyText(lines) };
  const hash = policyHash(policy.policyText);
  const refused = hash === announced ? undefined : `its policy has the hash ${hash}, but is announced as ${safeText(announced)}`;
  return [{ path: resource.path, domain: domain.toLowerCase(), ...policy, refused, bucketName, objectKey, zoneId, recordsByHand }];
}

/** What the text must be, so that the function knows that it arrived unchanged. */
function announcedHash(properties: Properties): string | undefined {
  // Releases before 0.2 named the id instead.
  const id = properties.in('PolicyId');
  if (id.exists()) return hashOfPolicyId(id.text() ?? '') ?? id.text();
  return properties.in('PolicyHash').required();
}
