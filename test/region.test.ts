// Stacks of other Regions: all that CloudFront needs in one us-east-1 stack inside, in the order of one graph.
import { describe, expect, test } from '@jest/globals';
import { App, NestedStack, Stack, Stage, Tags, aws_iam as iam, aws_route53 as route53 } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { MtaSts, MtaStsPolicy, PolicyHost } from '../lib';
import { ENV, importedZone, oneDomain, testStack } from './support/stack';

const policy = MtaStsPolicy.none();

function stackIn(region: string, app: Construct = new App(), id = 'Mail'): Stack {
  return new Stack(app, id, { env: { ...ENV, region } });
}

function usEast1(stack: Stack): Stack {
  const inner = stack.node.findChild('MtaStsUsEast1');
  if (!(inner instanceof Stack)) throw new Error('is no stack');
  return inner;
}

function resources(stack: Stack): Record<string, unknown> {
  return Template.fromStack(stack).toJSON().Resources as Record<string, unknown>;
}

describe('in a stack of another Region', () => {
  test('every resource is in one us-east-1 stack of the same account, inside the stack', () => {
    const stack = stackIn('eu-central-1');
    oneDomain(stack);
    const inner = usEast1(stack);
    expect(inner).toMatchObject({ region: 'us-east-1', account: ENV.account, stackName: 'Mail-eu-central-1-mta-sts' });
    // CloudFormation takes no template without a resource.
    expect(Object.values(resources(stack))).toEqual([{ Type: 'AWS::CloudFormation::WaitConditionHandle' }]);
    Template.fromStack(inner).resourceCountIs('AWS::CloudFront::Distribution', 1);
  });

  test('the resources, their order and their logical ids are those of a stack in us-east-1', () => {
    const here = testStack();
    oneDomain(here);
    const stack = stackIn('eu-central-1');
    oneDomain(stack);
    const order = (all: Record<string, unknown>): unknown[] => Object.values(all).map((one) => (one as { DependsOn?: unknown }).DependsOn);
    expect(Object.keys(resources(usEast1(stack)))).toEqual(Object.keys(resources(here)));
    expect(order(resources(usEast1(stack)))).toEqual(order(resources(here)));
  });

  test('the stack is not empty, and tells where it all is', () => {
    const stack = stackIn('eu-central-1');
    oneDomain(stack);
    Template.fromStack(stack).hasOutput('MtaStsUsEast1Name', { Value: 'Mail-eu-central-1-mta-sts' });
  });

  test('deploying the stack deploys the us-east-1 stack first', () => {
    const stack = stackIn('eu-central-1');
    oneDomain(stack);
    expect(stack.dependencies).toEqual([]);
    Template.fromStack(stack);
    expect(stack.dependencies).toEqual([usEast1(stack)]);
  });

  test('several domains are in the same one, and share one function', () => {
    const stack = stackIn('eu-central-1');
    ['example.com', 'example.net'].forEach((zoneName, i) => {
      new MtaSts(new Construct(stack, `Part${i}`), 'MtaSts', { hostedZone: importedZone(stack, zoneName), policy });
    });
    Template.fromStack(usEast1(stack)).resourceCountIs('Custom::MtaStsPublication', 2);
    Template.fromStack(usEast1(stack)).resourceCountIs('AWS::Lambda::Function', 2);
  });

  test('a shared host is in it too', () => {
    const stack = stackIn('eu-central-1');
    const hostedZone = importedZone(stack);
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] });
    oneDomain(stack, { hostedZone, policyHost });
    Template.fromStack(usEast1(stack)).resourceCountIs('AWS::CloudFront::Distribution', 1);
    const [publication] = Object.values(Template.fromStack(usEast1(stack)).findResources('Custom::MtaStsPublication')) as { DependsOn: string[] }[];
    expect(publication.DependsOn.join(' ')).toMatch(/HostDistribution/);
  });

  test('tags, a permissions boundary and termination protection of the stack reach it', () => {
    const stack = new Stack(new App(), 'Mail', { env: { ...ENV, region: 'eu-central-1' }, terminationProtection: true });
    oneDomain(stack);
    Tags.of(stack).add('team', 'mail');
    iam.PermissionsBoundary.of(stack).apply(iam.ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'boundary'));
    const template = Template.fromStack(usEast1(stack));
    template.hasResourceProperties('AWS::S3::Bucket', { Tags: Match.arrayWith([{ Key: 'team', Value: 'mail' }]) });
    template.allResourcesProperties('AWS::IAM::Role', { PermissionsBoundary: Match.anyValue() });
    expect(usEast1(stack).terminationProtection).toBe(true);
  });

  test('stacks of one name in two Regions have two us-east-1 stacks', () => {
    const app = new App();
    const names = ['eu-central-1', 'ap-southeast-2'].map((region) => {
      const stack = new Stack(app, region, { stackName: 'Mail', env: { ...ENV, region } });
      new MtaSts(stack, 'MtaSts', { hostedZone: importedZone(stack, `${region}.example.com`), policy });
      return usEast1(stack).stackName;
    });
    expect(new Set(names).size).toBe(2);
  });
});

describe('a zone', () => {
  test('of the stack itself tells its id by an output, and the stack is deployed first', () => {
    const stack = stackIn('eu-central-1');
    const hostedZone = new route53.PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' });
    oneDomain(stack, { hostedZone });
    const inner = usEast1(stack);
    const id = Template.fromStack(stack).findOutputs('*', { Value: { Ref: Match.stringLikeRegexp('^Zone') } });
    const [name] = Object.keys(id);
    Template.fromStack(inner).hasResourceProperties('Custom::MtaStsPublication', {
      HostedZoneId: { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: name, Region: 'eu-central-1' } },
    });
    expect(inner.dependencies).toContain(stack);
    expect(stack.dependencies).not.toContain(inner);
  });

  test('of the stack serves several domains by one output', () => {
    const stack = stackIn('eu-central-1');
    const hostedZone = new route53.PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' });
    new MtaSts(stack, 'One', { hostedZone, policy });
    new MtaSts(stack, 'Two', { hostedZone, domainName: 'lists.example.com', policy });
    expect(Object.keys(Template.fromStack(stack).findOutputs('*', { Value: { Ref: Match.stringLikeRegexp('^Zone') } }))).toHaveLength(1);
  });

  test('of a third stack in another Region is deployed before it', () => {
    const app = new App();
    const zones = stackIn('eu-west-1', app, 'Zones');
    const hostedZone = new route53.PublicHostedZone(zones, 'Zone', { zoneName: 'example.com' });
    const stack = stackIn('eu-central-1', app);
    oneDomain(stack, { hostedZone });
    expect(usEast1(stack).dependencies).toContain(zones);
    Template.fromStack(usEast1(stack)).hasResourceProperties('Custom::MtaStsPublication', {
      HostedZoneId: { 'Fn::GetStackOutput': Match.objectLike({ StackName: 'Zones', Region: 'eu-west-1' }) },
    });
  });

  test('of a stack in us-east-1 is referred to as CDK does', () => {
    const app = new App();
    const hostedZone = new route53.PublicHostedZone(stackIn('us-east-1', app, 'Zones'), 'Zone', { zoneName: 'example.com' });
    const stack = stackIn('eu-central-1', app);
    oneDomain(stack, { hostedZone });
    expect(JSON.stringify(resources(usEast1(stack)))).not.toContain('Fn::GetStackOutput');
  });

  test('of another Region serves a stack of us-east-1 too', () => {
    const app = new App();
    const hostedZone = new route53.PublicHostedZone(stackIn('eu-west-1', app, 'Zones'), 'Zone', { zoneName: 'example.com' });
    const stack = new Stack(app, 'Mail', { env: ENV });
    oneDomain(stack, { hostedZone });
    Template.fromStack(stack).hasResourceProperties('Custom::MtaStsPublication', {
      HostedZoneId: { 'Fn::GetStackOutput': Match.objectLike({ StackName: 'Zones', Region: 'eu-west-1' }) },
    });
  });
});

describe('where stacks may be', () => {
  test('a nested stack of another Region has it inside its outermost stack', () => {
    const stack = stackIn('eu-central-1');
    const nested = new NestedStack(stack, 'Nested');
    oneDomain(nested);
    Template.fromStack(usEast1(stack)).resourceCountIs('Custom::MtaStsPublication', 1);
    Template.fromStack(nested).resourceCountIs('AWS::CloudFormation::WaitConditionHandle', 1);
  });

  test('a nested stack of us-east-1 holds it itself', () => {
    const nested = new NestedStack(testStack(), 'Nested');
    oneDomain(nested);
    Template.fromStack(nested).resourceCountIs('Custom::MtaStsPublication', 1);
  });

  test('a stage has both stacks in its own assembly', () => {
    const app = new App();
    const stage = new Stage(app, 'Prod', { env: { ...ENV, region: 'eu-central-1' } });
    oneDomain(new Stack(stage, 'Mail'));
    expect(app.synth().getNestedAssembly('assembly-Prod').stacks.map(({ stackName }) => stackName).sort())
      .toEqual(['Prod-Mail', 'Prod-Mail-eu-central-1-mta-sts']);
  });

  test('a stack that names its Region and not its account', () => {
    const stack = new Stack(new App(), 'Mail', { env: { region: 'eu-central-1' } });
    oneDomain(stack);
    expect(usEast1(stack).environment).toBe('aws://unknown-account/us-east-1');
  });

  test('no stack that names no Region', () => {
    expect(() => oneDomain(new Stack(new App(), 'Test'))).toThrow(
      /^Test\/MtaSts: the stack 'Test' must name its Region, since CloudFront takes certificates of us-east-1 only .*give it `env: \{ account, region \}`$/);
  });

  test.each([
    ['cn-north-1', 'aws-cn'], ['us-gov-west-1', 'aws-us-gov'], ['us-iso-east-1', 'aws-iso'], ['us-isob-east-1', 'aws-iso'], ['eusc-de-east-1', 'aws-eusc'],
  ])('no stack of %s', (region, partition) => {
    expect(() => oneDomain(stackIn(region))).toThrow(new RegExp(
      `the stack 'Mail' is in ${region}, of the partition ${partition}, where CloudFront cannot serve .*an app for an account of the partition aws`));
  });
});
