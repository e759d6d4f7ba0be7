// The us-east-1 stack for a construct that lives elsewhere: CloudFront takes certificates of that Region only.
import { Aspects, CfnOutput, CfnWaitConditionHandle, Fn, Names, NestedStack, Stack, Token } from 'aws-cdk-lib';
import type { aws_route53 as route53 } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { Construct } from 'constructs';
import type { IConstruct } from 'constructs';
import { checkSynthesizer, givenSynthesizer } from './same-synthesizer';
import { plainZone, zoneByOtherId } from './zone';

/** The one Region whose certificates CloudFront takes. */
export const CLOUDFRONT_REGION = 'us-east-1';

/** AWS CloudFormation User Guide, "Understand CloudFormation quotas". */
const LONGEST_STACK_NAME = 128;

const STACK_ID = 'MtaStsUsEast1';
const MARKER_ID = `${STACK_ID}Marker`;

/**
 * Where the resources of a construct of ours belong: in itself, or, where its stack is of another Region, at the same path in
 * one us-east-1 stack inside that stack. There the order of all of them stays one graph, and one unit of rollback.
 *
 * @param scope - a construct of ours
 * @throws where the Region is known only at deployment, or CloudFront has no distributions with names of their own there
 */
export function cloudFrontScope(scope: Construct): Construct {
  const stack = Stack.of(scope);
  const { region } = stack;
  const stackName = shownStack(stack);
  if (Token.isUnresolved(region)) {
    throw new Error(`${scope.node.path}: the stack '${stackName}' must name its Region, since CloudFront takes certificates of `
      + `${CLOUDFRONT_REGION} only and the construct must know whether it is elsewhere; give it \`env: { account, region }\``);
  }
  if (region === CLOUDFRONT_REGION) return scope;
  const partition = otherPartition(region);
  if (partition !== undefined) {
    throw new Error(`${scope.node.path}: the stack '${stackName}' is in ${region}, of the partition ${partition}, where CloudFront cannot serve a `
      + `policy by a certificate of ${CLOUDFRONT_REGION}; put MtaSts into an app for an account of the partition aws (the mail itself may stay `
      + 'where it is), or serve the policy elsewhere and make its records with `npx cdk-mta-sts records --policy`');
  }
  const outermost = outermostStack(stack);
  // CloudFormation takes no template without a resource, and this one does nothing.
  if (child(stack, MARKER_ID) === undefined) new CfnWaitConditionHandle(stack, MARKER_ID);
  // A nested stack has the Region of its parents, and a stack below ours is of us-east-1 itself.
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

/** Those that have a place elsewhere. */
const placed = new WeakSet<Construct>();

/** What `scope.node.addDependency()` was told counts for the resources, which are elsewhere. */
function takeDependencies(scope: Construct, place: Construct): void {
  for (const other of scope.node.dependencies.map(mirrored)) {
    if (other !== undefined) place.node.addDependency(other);
  }
}

/** The place of a construct, or of what is below it, in the us-east-1 stack; nothing where it has none. */
function mirrored(construct: IConstruct): Construct | undefined {
  const { scopes } = construct.node;
  const outermost = scopes.find((scope) => child(scope, STACK_ID) !== undefined);
  const inner = outermost && child(outermost, STACK_ID);
  if (outermost === undefined || scopes.includes(inner ?? outermost) || scopes.at(-1) === outermost) return undefined;
  return scopes.slice(scopes.indexOf(outermost) + 1)
    .reduce<Construct | undefined>((parent, { node: { id } }) => parent && child(parent, id), inner);
}

/**
 * The zone as a scope of another Region can refer to it.
 *
 * A zone that is made in a stack of another Region tells its id by an output, and that stack is deployed first.
 *
 * @param scope - what `cloudFrontScope()` gave
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

/** How the names of the Regions begin that are in a partition of their own, for those that CDK does not know yet. */
const OTHER_PARTITIONS: [string, string][] = [
  ['cn-', 'aws-cn'], ['us-gov-', 'aws-us-gov'], ['us-iso-', 'aws-iso'], ['us-isob-', 'aws-iso-b'], ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'], ['eusc-', 'aws-eusc'],
];

function checkAccount(stack: Stack, owner: Stack, zone: route53.IHostedZone): void {
  if (Token.isUnresolved(stack.account) || Token.isUnresolved(owner.account) || stack.account === owner.account) return;
  throw new Error(`\`hostedZone\` ${zone.node.path} is of the account ${owner.account}, and the stack '${stack.stackName}' of `
    + `${stack.account}, which can make no records there; leave \`hostedZone\` out and make the records in a stack of ${owner.account}, or let `
    + 'that delegate a zone of the mail domain to this account (README, "A zone in another account")');
}

/** China, GovCloud, the isolated Regions and the European sovereign cloud: another partition, with accounts of its own. */
function otherPartition(region: string): string | undefined {
  const partition = RegionInfo.get(region).partition ?? OTHER_PARTITIONS.find(([start]) => region.startsWith(start))?.[1];
  return partition === 'aws' ? undefined : partition;
}

/** The stack itself, or that in which it is nested. */
export function outermostStack(stack: Stack): Stack {
  return stack instanceof NestedStack && stack.nestedStackParent !== undefined ? outermostStack(stack.nestedStackParent) : stack;
}

/** What a stack is called in a message: a nested one has no name before it is deployed. */
export function shownStack({ stackName, node }: Stack): string {
  return Token.isUnresolved(stackName) ? node.path : stackName;
}

/** The outermost stack that the user made for a construct: not ours of us-east-1, which is inside that. */
export function userStack(construct: IConstruct): Stack {
  const stack = outermostStack(Stack.of(construct));
  const { id, scope } = stack.node;
  return id === STACK_ID && scope instanceof Stack ? scope : stack;
}

function usEast1Stack(outer: Stack): Stack {
  const known = child(outer, STACK_ID);
  if (known instanceof Stack) return known;
  // Also by the Region: a stack of the same name may be in another one, and both come to us-east-1.
  const suffix = `-${outer.region}-mta-sts`;
  const stackName = outer.stackName + suffix;
  if (stackName.length > LONGEST_STACK_NAME) {
    throw new Error(`the stack '${outer.stackName}' of ${outer.region} must have a name of at most ${LONGEST_STACK_NAME - suffix.length} characters, got `
      + `${outer.stackName.length}: its part of ${CLOUDFRONT_REGION} is a stack with '${suffix}' behind it, and CloudFormation takes `
      + `${LONGEST_STACK_NAME}; give it a shorter \`stackName\`, or put MtaSts into a stack of ${CLOUDFRONT_REGION}`);
  }
  const stack = new Stack(outer, STACK_ID, {
    stackName,
    description: `MTA-STS for the stack ${outer.stackName} of ${outer.region}: CloudFront takes certificates of ${CLOUDFRONT_REGION} only`,
    env: { account: Token.isUnresolved(outer.account) ? undefined : outer.account, region: CLOUDFRONT_REGION },
    terminationProtection: outer.terminationProtection,
    // Those of its properties; what an aspect gives the outer stack reaches this one by itself.
    tags: outer.tags.tagValues(),
    synthesizer: givenSynthesizer(outer),
  });
  checkSynthesizer(stack, outer);
  // Whoever looks into the one shall find the other.
  new CfnOutput(outer, `${STACK_ID}Name`, { description: `The stack of ${CLOUDFRONT_REGION} that holds MtaSts`, value: stack.stackName })
    .overrideLogicalId(`${STACK_ID}Name`);
  Aspects.of(outer).add({
    visit: (node: IConstruct) => {
      // `cdk deploy <the outer stack>` shall deploy both, where the inner one does not have to come second: with a zone of the outer one.
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
