// Stacks of other Regions: all resources are in one inner stack of us-east-1, in the order of one graph.
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import {
  App, CfnOutput,
  CliCredentialsStackSynthesizer, DefaultStackSynthesizer, LegacyStackSynthesizer, NestedStack, Stack, StackSynthesizer, Stage, Tags,
  cx_api,
  aws_iam as iam, aws_route53 as route53, aws_s3 as s3,
} from 'aws-cdk-lib';
import type { DockerImageAssetLocation, FileAssetLocation, ISynthesisSession, IStackSynthesizer } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { MtaSts, MtaStsPolicy, PolicyHost } from '../../../lib';
import { required } from '../../support/items';
import { ENV, importedZone, oneDomain, testStack } from '../../support/stack';

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

describe('a stack of another Region', () => {
  test('every resource of a stack of another Region is in one inner us-east-1 stack of the same account', () => {
    const stack = stackIn('eu-central-1');
    oneDomain(stack);
    const inner = usEast1(stack);
    expect(inner).toMatchObject({ region: 'us-east-1', account: ENV.account, stackName: 'Mail-eu-central-1-mta-sts' });
    // CloudFormation accepts no template without a resource.
    expect(Object.values(resources(stack))).toEqual([{ Type: 'AWS::CloudFormation::WaitConditionHandle' }]);
    Template.fromStack(inner).resourceCountIs('AWS::CloudFront::Distribution', 1);
  });

  test('the us-east-1 stack has the resources, the order and the logical ids of a stack in us-east-1', () => {
    const here = testStack();
    oneDomain(here);
    const stack = stackIn('eu-central-1');
    oneDomain(stack);
    const order = (all: Record<string, unknown>): unknown[] => Object.values(all).map((one) => (one as { DependsOn?: unknown }).DependsOn);
    expect(Object.keys(resources(usEast1(stack)))).toEqual(Object.keys(resources(here)));
    expect(order(resources(usEast1(stack)))).toEqual(order(resources(here)));
  });

  test('the outer stack has the name of its us-east-1 stack as an output', () => {
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

  test('several domains of a stack share one us-east-1 stack and one function', () => {
    const stack = stackIn('eu-central-1');
    ['example.com', 'example.net'].forEach((zoneName, i) => {
      new MtaSts(new Construct(stack, `Part${i}`), 'MtaSts', { hostedZone: importedZone(stack, zoneName), policy });
    });
    Template.fromStack(usEast1(stack)).resourceCountIs('Custom::MtaStsPublication', 2);
    Template.fromStack(usEast1(stack)).resourceCountIs('AWS::Lambda::Function', 2);
  });

  test('the id of the publication can be an output of the stack of `output`', () => {
    for (const isNested of [false, true]) {
      const stack = stackIn('eu-central-1');
      const { output, policyId } = oneDomain(isNested ? new NestedStack(stack, 'Nested') : stack);
      new CfnOutput(Stack.of(output), 'Id', { value: policyId });
      const { Outputs } = Template.fromStack(usEast1(stack)).toJSON() as { Outputs: Record<string, { Value: unknown }> };
      expect(Outputs.Id?.Value).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/Publication/), 'PolicyId'] });
      Template.fromStack(stack).resourceCountIs('Custom::CrossRegionExportReader', 0);
    }
  });

  test('a shared host is in the us-east-1 stack too', () => {
    const stack = stackIn('eu-central-1');
    const hostedZone = importedZone(stack);
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] });
    oneDomain(stack, { hostedZone, policyHost });
    Template.fromStack(usEast1(stack)).resourceCountIs('AWS::CloudFront::Distribution', 1);
    const publications = Object.values(Template.fromStack(usEast1(stack)).findResources('Custom::MtaStsPublication')) as { DependsOn: string[] }[];
    expect(publications.map(({ DependsOn }) => DependsOn.join(' '))).toEqual([expect.stringMatching(/HostDistribution/)]);
  });

  test('the us-east-1 stack gets tags, permissions boundary and termination protection of its outer stack', () => {
    const stack = new Stack(new App(), 'Mail', { env: { ...ENV, region: 'eu-central-1' }, terminationProtection: true });
    oneDomain(stack);
    Tags.of(stack).add('team', 'mail');
    iam.PermissionsBoundary.of(stack).apply(iam.ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'boundary'));
    const template = Template.fromStack(usEast1(stack));
    template.hasResourceProperties('AWS::S3::Bucket', { Tags: Match.arrayWith([{ Key: 'team', Value: 'mail' }]) });
    template.allResourcesProperties('AWS::IAM::Role', { PermissionsBoundary: Match.anyValue() });
    expect(usEast1(stack).terminationProtection).toBe(true);
  });

  test('stacks with the same name in two Regions have two us-east-1 stacks', () => {
    const app = new App();
    const names = ['eu-central-1', 'ap-southeast-2'].map((region) => {
      const stack = new Stack(app, region, { stackName: 'Mail', env: { ...ENV, region } });
      new MtaSts(stack, 'MtaSts', { hostedZone: importedZone(stack, `${region}.example.com`), policy });
      return usEast1(stack).stackName;
    });
    expect(new Set(names).size).toBe(2);
  });
});

describe('the synthesizer', () => {
  /** Returns the us-east-1 stack as the CDK CLI deploys it, and its assets. */
  const deployed = (app: App): { stack: cx_api.CloudFormationStackArtifact; files: string } => {
    const stack = app.synth().getStackByName('Mail-eu-central-1-mta-sts');
    const assets = stack.dependencies.find((artifact) => artifact instanceof cx_api.AssetManifestArtifact);
    return { stack, files: readFileSync(assets?.file ?? '', 'utf8') };
  };
  const qualified = (): DefaultStackSynthesizer => new DefaultStackSynthesizer({ qualifier: 'abc', deployRoleArn: 'arn:aws:iam::${AWS::AccountId}:role/ours-${AWS::Region}' });
  const mail = (app: App, synthesizer?: IStackSynthesizer): Stack => {
    const stack = new Stack(app, 'Mail', { env: { ...ENV, region: 'eu-central-1' }, synthesizer });
    oneDomain(stack);
    return stack;
  };

  test.each([
    ['to the stack', () => new App(), qualified()],
    ['to the app', () => new App({ defaultStackSynthesizer: qualified() }), undefined],
  ])('a synthesizer that is given %s also decides roles, qualifier and buckets of the us-east-1 stack', (_, appOf, synthesizer) => {
    const app = appOf();
    mail(app, synthesizer);
    const { stack, files } = deployed(app);
    expect(stack.assumeRoleArn).toBe('arn:aws:iam::123456789012:role/ours-us-east-1');
    expect(stack.cloudFormationExecutionRoleArn).toMatch(/role\/cdk-abc-cfn-exec-role-123456789012-us-east-1$/);
    expect(stack.stackTemplateAssetObjectUrl).toMatch(/^s3:\/\/cdk-abc-assets-123456789012-us-east-1\//);
    expect(files).toMatch(/"bucketName": "cdk-abc-assets-123456789012-us-east-1"/);
    expect(files).not.toMatch(/hnb659fds/);
    Template.fromJSON(stack.template as object).allResourcesProperties('AWS::Lambda::Function', { Code: Match.objectLike({ S3Bucket: 'cdk-abc-assets-123456789012-us-east-1' }) });
  });

  test('a synthesizer that is given to a stack still deploys that stack to its own Region', () => {
    const app = new App();
    mail(app, qualified());
    const stack = app.synth().getStackByName('Mail');
    expect(stack.assumeRoleArn).toBe('arn:aws:iam::123456789012:role/ours-eu-central-1');
    expect(stack.stackTemplateAssetObjectUrl).toMatch(/^s3:\/\/cdk-abc-assets-123456789012-eu-central-1\//);
  });

  test('the default synthesizer of CDK is used for the us-east-1 stack if none is given', () => {
    const app = new App();
    mail(app);
    expect(deployed(app).stack.cloudFormationExecutionRoleArn).toMatch(/role\/cdk-hnb659fds-cfn-exec-role-123456789012-us-east-1$/);
  });

  test('a synthesizer for one stack only is not used for the us-east-1 stack, with a warning', () => {
    /** A synthesizer of a user, written by the interface. */
    class Once extends StackSynthesizer {
      public addFileAsset(): FileAssetLocation { return { bucketName: 'b', objectKey: 'k', httpUrl: 'h', s3ObjectUrl: 's' }; }
      public addDockerImageAsset(): DockerImageAssetLocation { return { repositoryName: 'r', imageUri: 'i' }; }
      public synthesize(session: ISynthesisSession): void {
        this.synthesizeTemplate(session);
        this.emitArtifact(session);
      }
    }
    const warning = Match.stringLikeRegexp("^the stack 'Mail-eu-central-1-mta-sts' has the synthesizer of the app \\(DefaultStackSynthesizer, qualifier "
      + "hnb659fds\\), not that of the stack 'Mail' \\(Once, no qualifier\\), which works for one stack only\\. Give the app a reusable synthesizer");
    const path = '/Mail/MtaStsUsEast1';
    expect(Annotations.fromStack(usEast1(mail(new App(), new Once()))).findWarning(path, warning)).toHaveLength(1);
    for (const synthesizer of [undefined, qualified(), new LegacyStackSynthesizer(), new CliCredentialsStackSynthesizer()]) {
      expect(Annotations.fromStack(usEast1(mail(new App(), synthesizer))).findWarning(path, Match.stringLikeRegexp('synthesized as'))).toHaveLength(0);
    }
  });
});

describe('the us-east-1 stack', () => {
  const dependsOn = (stack: Stack, type: string, id: RegExp): string => {
    const all = Object.entries(Template.fromStack(stack).findResources(type) as Record<string, { DependsOn?: string[] }>);
    return JSON.stringify(required(all.find(([name]) => id.test(name)))[1].DependsOn);
  };

  test('a dependency between constructs is also one in the us-east-1 stack', () => {
    const stack = stackIn('eu-central-1');
    const domains = ['example.com', 'example.net'].map((name) => ({ hostedZone: importedZone(stack, name) }));
    const policyHost = new PolicyHost(stack, 'Host', { domains });
    const [first, second] = domains.map(({ hostedZone }) => new MtaSts(stack, hostedZone.zoneName, { hostedZone, policyHost, policy }));
    required(second).node.addDependency(required(first));
    // This construct has no resources in the us-east-1 stack.
    first?.node.addDependency(new Construct(stack, 'Other'));
    expect(dependsOn(usEast1(stack), 'Custom::MtaStsPublication', /^examplenet/)).toContain('examplecomPublication');
    expect(dependsOn(usEast1(stack), 'Custom::MtaStsPublication', /^examplecom/)).not.toContain('examplenet');
  });

  test('the us-east-1 stack gets the tags of the properties of its outer stack', () => {
    const stack = new Stack(new App(), 'Mail', { env: { ...ENV, region: 'eu-central-1' }, tags: { team: 'mail' } });
    oneDomain(stack);
    expect(usEast1(stack).tags.tagValues()).toEqual({ team: 'mail' });
  });

  test('PolicyHost refuses a bucket for access logs that the outer stack makes', () => {
    const stack = stackIn('eu-central-1');
    const accessLogBucket = new s3.Bucket(stack, 'Logs');
    expect(() => new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }], accessLogBucket }))
      .toThrow(/^`accessLogBucket` Mail\/Logs is made in the stack 'Mail' of eu-central-1, .*deploy that stack first, and import the bucket by `Bucket.fromBucketName\(\)`$/);
    const imported = s3.Bucket.fromBucketName(stack, 'Imported', 'logs');
    expect(() => new PolicyHost(stack, 'Other', { domains: [{ hostedZone: importedZone(stack, 'example.net') }], accessLogBucket: imported })).not.toThrow();
  });
});

describe('zones of other stacks', () => {
  test('a zone of another account is refused with two fixes', () => {
    const app = new App();
    const zones = new Stack(app, 'Zones', { env: { account: '210987654321', region: 'us-east-1' } });
    const hostedZone = new route53.PublicHostedZone(zones, 'Zone', { zoneName: 'example.com' });
    expect(() => oneDomain(new Stack(app, 'Mail', { env: ENV }), { hostedZone })).toThrow('`hostedZone` Zones/Zone is of the account 210987654321, and the '
      + 'stack \'Mail\' of 123456789012 cannot create records there. Leave `hostedZone` out and create the records in a stack of 210987654321, or '
      + 'delegate a zone of the mail domain to this account: https://github.com/cdk-mta-sts/cdk-mta-sts/blob/main/docs/guide/external-dns.md#a-zone-in-another-account');
  });

  test('a zone of the outer stack passes its id by an output, and the outer stack is deployed first', () => {
    const stack = stackIn('eu-central-1');
    const hostedZone = new route53.PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' });
    oneDomain(stack, { hostedZone });
    const inner = usEast1(stack);
    const [name] = Object.keys(Template.fromStack(stack).findOutputs('*', { Value: { Ref: Match.stringLikeRegexp('^Zone') } }));
    Template.fromStack(inner).hasResourceProperties('Custom::MtaStsPublication', {
      HostedZoneId: { 'Fn::GetStackOutput': { StackName: 'Mail', OutputName: name, Region: 'eu-central-1' } },
    });
    expect(inner.dependencies).toContain(stack);
    expect(stack.dependencies).not.toContain(inner);
  });

  test('a zone of the outer stack passes its id to several domains by one output', () => {
    const stack = stackIn('eu-central-1');
    const hostedZone = new route53.PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' });
    new MtaSts(stack, 'One', { hostedZone, policy });
    new MtaSts(stack, 'Two', { hostedZone, domainName: 'lists.example.com', policy });
    expect(Object.keys(Template.fromStack(stack).findOutputs('*', { Value: { Ref: Match.stringLikeRegexp('^Zone') } }))).toHaveLength(1);
  });

  test('a zone of a third stack in another Region is deployed before the us-east-1 stack', () => {
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

  test('a zone of a stack in us-east-1 passes its id by a reference of CDK', () => {
    const app = new App();
    const hostedZone = new route53.PublicHostedZone(stackIn('us-east-1', app, 'Zones'), 'Zone', { zoneName: 'example.com' });
    const stack = stackIn('eu-central-1', app);
    oneDomain(stack, { hostedZone });
    expect(JSON.stringify(resources(usEast1(stack)))).not.toContain('Fn::GetStackOutput');
  });

  test('a zone of another Region passes its id to a stack of us-east-1 by an output', () => {
    const app = new App();
    const hostedZone = new route53.PublicHostedZone(stackIn('eu-west-1', app, 'Zones'), 'Zone', { zoneName: 'example.com' });
    const stack = new Stack(app, 'Mail', { env: ENV });
    oneDomain(stack, { hostedZone });
    Template.fromStack(stack).hasResourceProperties('Custom::MtaStsPublication', {
      HostedZoneId: { 'Fn::GetStackOutput': Match.objectLike({ StackName: 'Zones', Region: 'eu-west-1' }) },
    });
  });
});

describe('places of stacks', () => {
  test('a nested stack of another Region has its us-east-1 stack inside of the outermost stack', () => {
    const stack = stackIn('eu-central-1');
    const nested = new NestedStack(stack, 'Nested');
    oneDomain(nested);
    Template.fromStack(usEast1(stack)).resourceCountIs('Custom::MtaStsPublication', 1);
    Template.fromStack(nested).resourceCountIs('AWS::CloudFormation::WaitConditionHandle', 1);
  });

  test('a nested stack of us-east-1 has its resources itself', () => {
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

  test('a stack that names only its Region has a us-east-1 stack without an account', () => {
    const stack = new Stack(new App(), 'Mail', { env: { region: 'eu-central-1' } });
    oneDomain(stack);
    expect(usEast1(stack).environment).toBe('aws://unknown-account/us-east-1');
  });

  test('MtaSts refuses a stack that names no Region', () => {
    expect(() => oneDomain(new Stack(new App(), 'Test'))).toThrow(
      /^Test\/MtaSts: the stack 'Test' must name its Region\. CloudFront accepts only certificates of us-east-1, .*Give the stack `env: \{ account, region \}`$/);
  });

  test.each([
    ['cn-north-1', 'aws-cn'], ['us-gov-west-1', 'aws-us-gov'], ['us-iso-east-1', 'aws-iso'], ['us-isob-east-1', 'aws-iso-b'],
    ['eu-isoe-west-1', 'aws-iso-e'], ['us-isof-south-1', 'aws-iso-f'], ['eusc-de-east-1', 'aws-eusc'],
    // These Regions do not exist yet.
    ['cn-south-9', 'aws-cn'], ['us-gov-south-9', 'aws-us-gov'], ['us-iso-north-9', 'aws-iso'], ['us-isob-north-9', 'aws-iso-b'],
    ['eu-isoe-north-9', 'aws-iso-e'], ['us-isof-north-9', 'aws-iso-f'], ['eusc-fr-west-9', 'aws-eusc'],
  ])('MtaSts refuses a stack of %s, which is in the partition %s', (region, partition) => {
    expect(() => oneDomain(stackIn(region))).toThrow(new RegExp(
      `the stack 'Mail' is in ${region}, of the partition ${partition}\. CloudFront cannot use .*an app for an account of the partition aws`));
  });

  test.each(['mx-central-1', 'eu-north-9'])('MtaSts accepts a stack of %s, which is in the partition aws or unknown', (region) => {
    expect(() => oneDomain(stackIn(region))).not.toThrow();
  });
});
