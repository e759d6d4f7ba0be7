// Hosted zones as users give them: their name in A-labels, their id without the API's prefix, and whether senders can see them.
import { CfnResource, Reference, Stack, Token, Tokenization, aws_route53 as route53 } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { overriddenProperty } from './escape-hatch';
import { toALabels, withoutDots } from '../protocol/domain-name';
import { safeText } from '../util/safe-text';

/** Of the API's own form of an id, `/hostedzone/Z1`, and of an ARN. */
const ID_PREFIX = /^(?:arn:[^:]*:route53:::|\/)?hostedzone\//;

/** Names of records begin with these, and no mail domain does. */
const RECORD_LABELS = /^(?:mta-sts\.|_[^.]*\.)+/;

/** The context of `HostedZone.fromLookup()`: `hosted-zone:account=1:domainName=example.com:privateZone=true:region=us-east-1`. */
const PRIVATE_LOOKUP = /^hosted-zone:.*:privateZone=true(?::|$)/;

/**
 * The zone's name in lower-case A-labels, without a dot at the end.
 *
 * @returns nothing where it is known only at deployment, or not at all: a zone that is imported by its id alone
 */
export function zoneNameOf(zone: route53.IHostedZone): string | undefined {
  const { name } = givenName(zone);
  if (name === undefined || Token.isUnresolved(name)) return undefined;
  const bare = withoutDots(name);
  return toALabels(bare) || bare.toLowerCase();
}

/** What is left of a name without the labels of records: `example.com` of `_mta-sts.example.com`; nothing where it has none. */
export function withoutRecordLabels(name: string): string | undefined {
  const bare = name.replace(RECORD_LABELS, '');
  // A name with an underscore is in no A-labels yet.
  return bare === name ? undefined : toALabels(bare) || bare;
}

/** The same zone, with an id that CloudFormation, IAM and Certificate Manager all take. */
export function plainZone(stack: Stack, zone: route53.IHostedZone): route53.IHostedZone {
  const { hostedZoneId: written } = zone;
  if (Token.isUnresolved(written) || !ID_PREFIX.test(written)) return zone;
  const hostedZoneId = written.replace(ID_PREFIX, '');
  return zoneByOtherId(stack, `CdkMtaStsZone-${hostedZoneId}`, zone, () => hostedZoneId);
}

/**
 * The same zone under another id: one for each stack.
 *
 * @param hostedZoneId - is asked once
 */
export function zoneByOtherId(stack: Stack, id: string, zone: route53.IHostedZone, hostedZoneId: () => string): route53.IHostedZone {
  const known = stack.node.tryFindChild(id);
  if (known !== undefined && isZone(known)) return known;
  const { name } = givenName(zone);
  return name === undefined
    ? route53.HostedZone.fromHostedZoneId(stack, id, hostedZoneId())
    : route53.HostedZone.fromHostedZoneAttributes(stack, id, { hostedZoneId: hostedZoneId(), zoneName: name });
}

/** @throws where a zone is private, or cannot be that of a mail domain */
export function requireMailZone(zone: route53.IHostedZone): void {
  if (zone.hostedZoneId === '') throw new Error(`\`hostedZone\` ${zone.node.path} has an empty id; write the zone's own, such as Z0123456789ABCDEFGHIJ`);
  if (isPrivate(zone)) throw new Error(privateZoneFault(zone));
  const name = zoneNameOf(zone);
  const domain = name === undefined ? undefined : withoutRecordLabels(name);
  if (domain === undefined) return;
  throw new Error(`\`hostedZone\` must be the zone of the mail domain, got ${shown(name ?? '')}, where records of it stand; pass the zone of `
    + `${domain === '' ? 'the domain' : shown(domain)}; where that is not in Route 53, give MtaSts a \`domainName\` and no \`hostedZone\``);
}

export function isZone(construct: IConstruct): construct is route53.IHostedZone {
  return 'hostedZoneId' in construct;
}

/** As far as synthesis knows. */
export function isPrivate(zone: route53.IHostedZone): boolean {
  return zone instanceof route53.PrivateHostedZone || givenName(zone).isPrivate || hasVpcs(zone) || isLookedUpAsPrivate(zone);
}

export function privateZoneFault(zone: route53.IHostedZone): string {
  return `\`hostedZone\` must be public, got a private hosted zone, ${zone.node.path}: senders on the internet could not see its records; pass the `
    + 'public zone of the domain';
}

interface GivenName {
  /** As it was given: in Unicode, with a dot at the end or a token. */
  readonly name?: string;
  /** Whether the zone was imported as a private one. */
  readonly isPrivate: boolean;
}

function givenName(zone: route53.IHostedZone): GivenName {
  try {
    return { name: zone.zoneName, isPrivate: false };
  } catch (error) {
    // HostedZone.fromHostedZoneId() throws here: it knows no name. So does PrivateHostedZone.fromPrivateHostedZoneId(), and says who it is.
    return { isPrivate: error instanceof Error && error.message.includes('fromPrivateHostedZoneId') };
  }
}

/** The resource of a zone that is made in the app, also where the zone is imported by the id of that resource. */
function madeHere({ hostedZoneId: id, node }: route53.IHostedZone): CfnResource | undefined {
  const named: unknown = Tokenization.reverseString(id).firstToken;
  const made: unknown = node.defaultChild ?? (Reference.isReference(named) ? named.target : undefined);
  return CfnResource.isCfnResource(made) && made.cfnResourceType === 'AWS::Route53::HostedZone' ? made : undefined;
}

function hasVpcs(zone: route53.IHostedZone): boolean {
  const made = madeHere(zone);
  if (made === undefined) return false;
  const vpcs: unknown = overriddenProperty(made, 'VPCs') ?? Stack.of(made).resolve(Reflect.get(made, 'vpcs'));
  return Array.isArray(vpcs) && vpcs.length > 0;
}

/** `HostedZone.fromLookup()` with `privateZone` gives a zone like any other; what it asked for stands in the context, or is missing. */
function isLookedUpAsPrivate(zone: route53.IHostedZone): boolean {
  const { hostedZoneId: id, node } = zone;
  if (Token.isUnresolved(id)) return false;
  const context = Object.entries(node.getAllContext() as Record<string, unknown>);
  if (context.some(([key, value]) => PRIVATE_LOOKUP.test(key) && idOf(value) === id.replace(ID_PREFIX, ''))) return true;
  // Before the CDK command has looked it up, no zone has an id: those of one name in one stack cannot be told apart.
  const asked = id === NOT_LOOKED_UP ? missingContext(Stack.of(zone)).filter((key) => isLookupOf(key, givenName(zone).name)) : [];
  return asked.length > 0 && asked.every((key) => PRIVATE_LOOKUP.test(key));
}

/** What CDK gives as an id until the CDK command has looked it up. */
const NOT_LOOKED_UP = 'DUMMY';

function isLookupOf(key: string, name = ''): boolean {
  return key.startsWith('hosted-zone:') && `${key}:`.includes(`:domainName=${name}:`);
}

function idOf(value: unknown): string | undefined {
  const id: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'Id') : undefined;
  return typeof id === 'string' ? id.replace(ID_PREFIX, '') : undefined;
}

/** The keys of what a stack has asked the CDK command for. No API tells; where it is kept otherwise, nothing is told here either. */
function missingContext(stack: Stack): string[] {
  const missing: unknown = Reflect.get(stack, '_missingContext');
  const all: unknown[] = Array.isArray(missing) ? missing : [];
  return all.map((one) => typeof one === 'object' && one !== null ? String(Reflect.get(one, 'key')) : '');
}

function shown(name: string): string {
  return safeText(JSON.stringify(name));
}
