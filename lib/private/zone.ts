// Hosted zones that users give: name in A-labels, id without prefix, and checks that senders can see the zone.
import { CfnResource, Reference, Stack, Token, Tokenization, aws_route53 as route53 } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { overriddenProperty } from './escape-hatch';
import { toALabels, withoutDots } from '../protocol/domain-name';
import { safeText } from '../util/safe-text';

/** Prefix of an id in the API, `/hostedzone/Z1`, and in an ARN. */
const ID_PREFIX = /^(?:arn:[^:]*:route53:::|\/)?hostedzone\//;

/** Labels at the beginning of record names. No mail domain begins with them. */
const RECORD_LABELS = /^(?:mta-sts\.|_[^.]*\.)+/;

/** Context key of `HostedZone.fromLookup()`: `hosted-zone:account=1:domainName=example.com:privateZone=true:region=us-east-1`. */
const PRIVATE_LOOKUP = /^hosted-zone:.*:privateZone=true(?::|$)/;

/**
 * Returns the name of the zone in lower-case A-labels, without a dot at the end.
 *
 * @returns undefined if the name is known only at deployment, or not at all, as for a zone that is imported by its id
 */
export function zoneNameOf(zone: route53.IHostedZone): string | undefined {
  const { name } = givenName(zone);
  if (name === undefined || Token.isUnresolved(name)) return undefined;
  const undotted = withoutDots(name);
  return toALabels(undotted) || undotted.toLowerCase();
}

/** Removes the labels of records: `_mta-sts.example.com` becomes `example.com`. Returns undefined for a name without such labels. */
export function withoutRecordLabels(name: string): string | undefined {
  const rest = name.replace(RECORD_LABELS, '');
  // A name with an underscore was not converted to A-labels before.
  return rest === name ? undefined : toALabels(rest) || rest;
}

/** Returns the zone with an id without prefix: CloudFormation, IAM and Certificate Manager all accept only that form. */
export function plainZone(stack: Stack, zone: route53.IHostedZone): route53.IHostedZone {
  const { hostedZoneId: written } = zone;
  if (Token.isUnresolved(written) || !ID_PREFIX.test(written)) return zone;
  const hostedZoneId = written.replace(ID_PREFIX, '');
  return zoneByOtherId(stack, `CdkMtaStsZone-${hostedZoneId}`, zone, () => hostedZoneId);
}

/**
 * Returns the zone under another id, once for each stack.
 *
 * @param hostedZoneId - returns the id; called once
 */
export function zoneByOtherId(stack: Stack, id: string, zone: route53.IHostedZone, hostedZoneId: () => string): route53.IHostedZone {
  const known = stack.node.tryFindChild(id);
  if (known !== undefined && isZone(known)) return known;
  const { name } = givenName(zone);
  return name === undefined
    ? route53.HostedZone.fromHostedZoneId(stack, id, hostedZoneId())
    : route53.HostedZone.fromHostedZoneAttributes(stack, id, { hostedZoneId: hostedZoneId(), zoneName: name });
}

/** @throws Error if the zone is private, or cannot be the zone of a mail domain */
export function requireMailZone(zone: route53.IHostedZone): void {
  if (zone.hostedZoneId === '') throw new Error(`\`hostedZone\` ${zone.node.path} has an empty id. Write the id of the zone, for example Z0123456789ABCDEFGHIJ`);
  if (isPrivate(zone)) throw new Error(privateZoneProblem(zone));
  const name = zoneNameOf(zone);
  const domain = name === undefined ? undefined : withoutRecordLabels(name);
  if (domain === undefined) return;
  throw new Error(`\`hostedZone\` must be the zone of the mail domain, got ${quote(name ?? '')}, a name of its records. Pass the zone of `
    + `${domain === '' ? 'the domain' : quote(domain)}. If that zone is not in Route 53, give MtaSts a \`domainName\` and no \`hostedZone\``);
}

/** Returns whether a construct is a hosted zone. */
export function isZone(construct: IConstruct): construct is route53.IHostedZone {
  return 'hostedZoneId' in construct;
}

/** Returns whether a zone is private, as far as synthesis knows. */
export function isPrivate(zone: route53.IHostedZone): boolean {
  return zone instanceof route53.PrivateHostedZone || givenName(zone).isPrivate || hasVpcs(zone) || isLookedUpAsPrivate(zone);
}

/** Returns the message for a private zone. */
export function privateZoneProblem(zone: route53.IHostedZone): string {
  return `\`hostedZone\` must be public, got a private hosted zone, ${zone.node.path}. Senders on the internet cannot see its records. Pass the `
    + 'public zone of the domain';
}

interface GivenName {
  /** Name as given: it may be in Unicode, end in a dot, or be a token. */
  readonly name?: string;
  /** Whether the zone was imported as a private one. */
  readonly isPrivate: boolean;
}

function givenName(zone: route53.IHostedZone): GivenName {
  try {
    return { name: zone.zoneName, isPrivate: false };
  } catch (error) {
    // Zones of HostedZone.fromHostedZoneId() and PrivateHostedZone.fromPrivateHostedZoneId() have no name, so they throw an error here. The
    // message of the second error names its method.
    return { isPrivate: error instanceof Error && error.message.includes('fromPrivateHostedZoneId') };
  }
}

/** Returns the resource of a zone that the app makes, also if the zone is imported by the id of that resource. */
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

/** Returns whether `HostedZone.fromLookup()` looked up a private zone. Only its context key shows that. */
function isLookedUpAsPrivate(zone: route53.IHostedZone): boolean {
  const { hostedZoneId: id, node } = zone;
  if (Token.isUnresolved(id)) return false;
  const context = Object.entries(node.getAllContext() as Record<string, unknown>);
  if (context.some(([key, value]) => PRIVATE_LOOKUP.test(key) && idOf(value) === id.replace(ID_PREFIX, ''))) return true;
  // Before the CDK CLI has looked up the zone, it has no id. Zones with the same name in one stack then look the same.
  const asked = id === NOT_LOOKED_UP ? missingContext(Stack.of(zone)).filter((key) => isLookupOf(key, givenName(zone).name)) : [];
  return asked.length > 0 && asked.every((key) => PRIVATE_LOOKUP.test(key));
}

/** Id that CDK uses until the CDK CLI has looked up the zone. */
const NOT_LOOKED_UP = 'DUMMY';

function isLookupOf(key: string, name = ''): boolean {
  return key.startsWith('hosted-zone:') && `${key}:`.includes(`:domainName=${name}:`);
}

function idOf(value: unknown): string | undefined {
  const id: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'Id') : undefined;
  return typeof id === 'string' ? id.replace(ID_PREFIX, '') : undefined;
}

/** Returns the context keys that a stack has asked the CDK CLI for. No API returns them. Returns nothing if CDK stores them elsewhere. */
function missingContext(stack: Stack): string[] {
  const missing: unknown = Reflect.get(stack, '_missingContext');
  const all: unknown[] = Array.isArray(missing) ? missing : [];
  return all.map((one) => typeof one === 'object' && one !== null ? String(Reflect.get(one, 'key')) : '');
}

function quote(name: string): string {
  return safeText(JSON.stringify(name));
}
