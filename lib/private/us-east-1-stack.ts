// The us-east-1 stack for constructs of another Region: CloudFront accepts only certificates of us-east-1.
import {
  Aspects, CfnOutput, CfnWaitConditionHandle, Fn, Names, NestedStack, Stack, StackSynthesizer, Token, Validations,
  isReusableStackSynthesizer,
} from 'aws-cdk-lib';
import type { IReusableStackSynthesizer } from 'aws-cdk-lib';
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { Construct } from 'constructs';
import type { IConstruct } from 'constructs';
import { docsUrl } from '../contract/docs-url';
import { plainZone, zoneByOtherId } from './zone';

/** The Region whose certificates CloudFront accepts. */
export const CLOUDFRONT_REGION = 'us-east-1';

/** Maximum length of a stack name (AWS CloudFormation User Guide, "Understand CloudFormation quotas"). */
const MAX_STACK_NAME_LENGTH = 128;

const STACK_ID = 'MtaStsUsEast1';
const MARKER_ID = `${STACK_ID}Marker`;

/**
 * Returns the scope for the resources of a construct: the construct itself, or the same path in one us-east-1 stack inside a stack of
 * another Region. All resources are then in one stack, so their order is one graph and they are rolled back together.
 *
 * @param scope - construct of this package
 * @throws Error if the Region is known only at deployment, or if it is of another partition
 */
export function cloudFrontScope(scope: Construct): Construct {
  const stack = Stack.of(scope);
  const { region } = stack;
  const stackName = shownStack(stack);
  if (Token.isUnresolved(region)) {
    throw new Error(`${scope.node.path}: the stack '${stackName}' must name its Region. CloudFront accepts only certificates of `
      + `${CLOUDFRONT_REGION}, so the construct must know whether the stack is in another Region. Give the stack \`env: { account, region }\``);
  }
  if (region === CLOUDFRONT_REGION) return scope;
  const partition = otherPartition(region);
  if (partition !== undefined) {
    throw new Error(`${scope.node.path}: the stack '${stackName}' is in ${region}, of the partition ${partition}. CloudFront cannot use a certificate of `
      + `${CLOUDFRONT_REGION} there. Put MtaSts into an app for an account of the partition aws (the mail servers can stay `
      + 'where they are), or serve the policy from another host and get its records from `npx cdk-mta-sts records --policy`');
  }
  const outermost = outermostStack(stack);
  // CloudFormation accepts no template without a resource. This one does nothing.
  if (child(stack, MARKER_ID) === undefined) new CfnWaitConditionHandle(stack, MARKER_ID);
  // Every stack between the outermost stack and the scope is nested, so it has the same Region.
  const place = scope.node.scopes.slice(outermost.node.scopes.length)
    .reduce<Construct>((parent, { node: { id } }) => child(parent, id) ?? new Construct(parent, id), usEast1Stack(outermost));
  if (!placed.has(scope)) {
    placed.add(scope);
    Aspects.of(scope).add({
      visit: (node: IConstruct) => {
        if (node === scope) takeDependencies(scope, place);
      },
    });
  }
  return place;
}

/** Constructs whose resources are in the us-east-1 stack. */
const placed = new WeakSet<Construct>();

/** Copies the dependencies of a construct to its resources in the us-east-1 stack. */
function takeDependencies(scope: Construct, place: Construct): void {
  for (const other of scope.node.dependencies.map(mirrored)) {
    if (other !== undefined) place.node.addDependency(other);
  }
}

/** Returns the construct of the us-east-1 stack that contains the resources of a construct. Returns undefined if there is none. */
function mirrored(construct: IConstruct): Construct | undefined {
  const { scopes } = construct.node;
  const outermost = scopes.find((scope) => child(scope, STACK_ID) !== undefined);
  const inner = outermost && child(outermost, STACK_ID);
  if (outermost === undefined || scopes.includes(inner ?? outermost) || scopes.at(-1) === outermost) return undefined;
  return scopes.slice(scopes.indexOf(outermost) + 1)
    .reduce<Construct | undefined>((parent, { node: { id } }) => parent && child(parent, id), inner);
}

/**
 * Returns a zone to which the resources in us-east-1 can refer.
 *
 * The id of a zone that is made in a stack of another Region becomes an output, and that stack is deployed first.
 *
 * @param scope - result of `cloudFrontScope()`
 */
export function zoneFrom(scope: Construct, zone: route53.IHostedZone): route53.IHostedZone {
  const stack = outermostStack(Stack.of(scope));
  const owner = outermostStack(Stack.of(zone));
  checkAccount(stack, owner, zone);
  if (!Token.isUnresolved(zone.hostedZoneId) || owner.region === stack.region) return plainZone(stack, zone);
  const id = `${Names.uniqueResourceName(zone, { maxLength: 200 })}Id`;
  return zoneByOtherId(stack, id, zone, () => {
    const output = new CfnOutput(owner, `MtaStsZone${id}`, { description: 'The hosted zone, for MtaSts in us-east-1', value: zone.hostedZoneId });
    output.overrideLogicalId(`MtaStsZone${id}`);
    stack.addStackDependency(owner, 'MtaSts needs the id of the hosted zone');
    return Fn.getStackOutput(owner.stackName, `MtaStsZone${id}`, owner.region);
  });
}

/** Beginnings of Region names in other partitions, for Regions that CDK does not know yet. */
const OTHER_PARTITIONS: [string, string][] = [
  ['cn-', 'aws-cn'], ['us-gov-', 'aws-us-gov'], ['us-iso-', 'aws-iso'], ['us-isob-', 'aws-iso-b'], ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'], ['eusc-', 'aws-eusc'],
];

function checkAccount(stack: Stack, owner: Stack, zone: route53.IHostedZone): void {
  if (Token.isUnresolved(stack.account) || Token.isUnresolved(owner.account) || stack.account === owner.account) return;
  throw new Error(`\`hostedZone\` ${zone.node.path} is of the account ${owner.account}, and the stack '${stack.stackName}' of `
    + `${stack.account} cannot create records there. Leave \`hostedZone\` out and create the records in a stack of ${owner.account}, or `
    + `delegate a zone of the mail domain to this account: ${docsUrl('guide/external-dns.md#a-zone-in-another-account')}`);
}

/** Returns the partition of a Region, if it is not `aws`: China, GovCloud, the isolated Regions and the European sovereign cloud. */
function otherPartition(region: string): string | undefined {
  const partition = RegionInfo.get(region).partition ?? OTHER_PARTITIONS.find(([start]) => region.startsWith(start))?.[1];
  return partition === 'aws' ? undefined : partition;
}

/** Returns the stack itself, or the outermost stack around a nested one. */
export function outermostStack(stack: Stack): Stack {
  return stack instanceof NestedStack && stack.nestedStackParent !== undefined ? outermostStack(stack.nestedStackParent) : stack;
}

/** Returns the name of a stack for messages. A nested stack has no name before it is deployed, so its path is used. */
export function shownStack({ stackName, node }: Stack): string {
  return Token.isUnresolved(stackName) ? node.path : stackName;
}

/** Returns the outermost stack that the user made around a construct, never the us-east-1 stack of this package. */
export function userStack(construct: IConstruct): Stack {
  const stack = outermostStack(Stack.of(construct));
  const { id, scope } = stack.node;
  return id === STACK_ID && scope instanceof Stack ? scope : stack;
}

function usEast1Stack(outer: Stack): Stack {
  const known = child(outer, STACK_ID);
  if (known instanceof Stack) return known;
  // The name contains the Region: stacks of the same name in two Regions both get a stack in us-east-1.
  const suffix = `-${outer.region}-mta-sts`;
  const stackName = outer.stackName + suffix;
  if (stackName.length > MAX_STACK_NAME_LENGTH) {
    throw new Error(`the stack '${outer.stackName}' of ${outer.region} must have a name of at most ${MAX_STACK_NAME_LENGTH - suffix.length} characters, got `
      + `${outer.stackName.length}. Its stack in ${CLOUDFRONT_REGION} has the same name with '${suffix}' at the end, and CloudFormation allows `
      + `${MAX_STACK_NAME_LENGTH} characters. Give it a shorter \`stackName\`, or put MtaSts into a stack of ${CLOUDFRONT_REGION}`);
  }
  const stack = new Stack(outer, STACK_ID, {
    stackName,
    description: `MTA-STS for the stack ${outer.stackName} of ${outer.region}: CloudFront takes certificates of ${CLOUDFRONT_REGION} only`,
    env: { account: Token.isUnresolved(outer.account) ? undefined : outer.account, region: CLOUDFRONT_REGION },
    terminationProtection: outer.terminationProtection,
    // Tags of the properties of the outer stack. Its tags from aspects reach this stack without help.
    tags: outer.tags.tagValues(),
    synthesizer: givenSynthesizer(outer),
  });
  checkSynthesizer(stack, outer);
  // A reader of the outer stack can find the inner one.
  new CfnOutput(outer, `${STACK_ID}Name`, { description: `The stack of ${CLOUDFRONT_REGION} that holds MtaSts`, value: stack.stackName })
    .overrideLogicalId(`${STACK_ID}Name`);
  Aspects.of(outer).add({
    visit: (node: IConstruct) => {
      // `cdk deploy <outer stack>` must deploy both. With a zone of the outer stack, the inner stack comes second, and needs the outer one.
      if (node === outer && !needs(stack, outer)) outer.addStackDependency(stack, 'MtaSts belongs to both');
    },
  });
  return stack;
}

function needs(stack: Stack, other: Stack): boolean {
  return stack.dependencies.some((dependency) => dependency === other || needs(dependency, other));
}

function child(parent: IConstruct, id: string): Construct | undefined {
  const found = parent.node.tryFindChild(id);
  return found instanceof Construct ? found : undefined;
}

/**
 * Returns the synthesizer that the user gave to a stack or to its app, for use in another stack. The account is bootstrapped for the
 * qualifier and the roles of this synthesizer.
 *
 * A stack has a bound copy of the given synthesizer, and the copy cannot be bound to another stack. No API returns the given synthesizer,
 * but the synthesizers of CDK create the copy with the given one as its prototype.
 *
 * @returns undefined if the synthesizer is not known: the other stack then gets the synthesizer of the app, and `checkSynthesizer()` warns
 * if the two differ
 */
function givenSynthesizer(stack: Stack): IReusableStackSynthesizer | undefined {
  const given: unknown = Object.getPrototypeOf(stack.synthesizer);
  // The prototype of a class has its own `constructor`. Such a prototype is no synthesizer.
  const isOne = given instanceof StackSynthesizer && !Object.hasOwn(given, 'constructor');
  return isOne && isReusableStackSynthesizer(given) ? given : undefined;
}

/** Warns if the inner stack has another synthesizer than its outer stack. */
function checkSynthesizer(inner: Stack, outer: Stack): void {
  const [ours, theirs] = [inner.synthesizer, outer.synthesizer];
  if (ours.constructor === theirs.constructor && ours.bootstrapQualifier === theirs.bootstrapQualifier) return;
  Validations.of(inner).addWarning('cdk-mta-sts:synthesizer',
    `the stack '${inner.stackName}' has the synthesizer of the app (${described(inner)}), not that of the stack '${outer.stackName}' `
    + `(${described(outer)}), which works for one stack only. Give the app a reusable synthesizer `
    + '(`defaultStackSynthesizer`), or bootstrap the account for both');
}

function described({ synthesizer }: Stack): string {
  const { bootstrapQualifier } = synthesizer;
  return `${synthesizer.constructor.name}, ${bootstrapQualifier === undefined ? 'no qualifier' : `qualifier ${bootstrapQualifier}`}`;
}
