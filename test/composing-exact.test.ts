// What users adjust inside, and what stays exactly as it was: cases beside those of composing.test.ts.
import { describe, expect, test } from '@jest/globals';
import { App, NestedStack, Stack, Stage, aws_iam as iam, aws_kms as kms, aws_route53 as route53, aws_s3 as s3 } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsPolicy } from '../lib';
import { ENV, oneDomain, testStack } from './support/stack';

interface Resource { Type: string; DependsOn?: string[]; Properties: Record<string, unknown> }
type Resources = Record<string, Resource>;

function resourcesOf(stack: Stack): Resources {
  return Template.fromStack(stack).toJSON().Resources as Resources;
}

describe('a KMS key for the bucket', () => {
  const withKey = (sourceArn: (distributionId: string) => string): Stack => {
    const stack = testStack();
    const { bucket, distribution } = oneDomain(stack).policyHost;
    const key = new kms.Key(stack, 'Key');
    (bucket.node.defaultChild as s3.CfnBucket).bucketEncryption = {
      serverSideEncryptionConfiguration: [{ serverSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: key.keyArn } }],
    };
    key.addToResourcePolicy(new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('cloudfront.amazonaws.com')],
      actions: ['kms:Decrypt'],
      resources: ['*'],
      conditions: { ArnLike: { 'AWS:SourceArn': sourceArn(distribution.distributionId) } },
    }));
    const role = stack.node.findChild('CdkMtaStsHandler').node.findChild('Role');
    if (!(role instanceof iam.Role)) throw new Error('no role');
    key.grant(new iam.ArnPrincipal(role.roleArn), 'kms:GenerateDataKey');
    return stack;
  };

  test('is read by CloudFront and used by the function\'s role', () => {
    const template = Template.fromStack(withKey(() => `arn:aws:cloudfront::${ENV.account}:distribution/*`));
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }) }] },
    });
    template.hasResourceProperties('AWS::KMS::Key', { KeyPolicy: Match.objectLike({ Statement: Match.arrayWith([
      Match.objectLike({ Action: 'kms:Decrypt', Principal: { Service: 'cloudfront.amazonaws.com' } }),
      Match.objectLike({ Action: 'kms:GenerateDataKey', Principal: { AWS: { 'Fn::GetAtt': [Match.stringLikeRegexp('^CdkMtaStsHandlerRole'), 'Arn'] } } }),
    ]) }) });
  });

  test('of the same stack cannot name the distribution: that would be a circle', () => {
    expect(() => Template.fromStack(withKey((id) => `arn:aws:cloudfront::${ENV.account}:distribution/${id}`))).toThrow(/dependency cycle/);
  });
});

test('taking one of two domains away changes nothing of the other but the zones that the role may read', () => {
  const stackOf = (...zones: string[]): Resources => {
    const stack = testStack();
    zones.forEach((zoneName) => {
      const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, zoneName, { hostedZoneId: `Z-${zoneName}`, zoneName });
      new MtaSts(stack, `At-${zoneName}`, { hostedZone, policy: MtaStsPolicy.none() });
    });
    return resourcesOf(stack);
  };
  const both = stackOf('example.com', 'example.net');
  for (const left of [stackOf('example.com'), stackOf('example.net')]) {
    const changed = Object.keys(left).filter((id) => JSON.stringify(left[id]) !== JSON.stringify(both[id]));
    expect(changed).toEqual([expect.stringMatching(/^CdkMtaStsHandlerRole/)]);
  }
});

test('keeps what others have made exactly as it was', () => {
  const [before, after] = [testStack(), testStack()];
  [before, after].forEach((stack) => new s3.Bucket(stack, 'Bucket', { versioned: true }));
  oneDomain(after);
  const [old, now] = [resourcesOf(before), resourcesOf(after)];
  expect(Object.fromEntries(Object.keys(old).map((id) => [id, now[id]]))).toEqual(old);
});

describe('the order stays whole', () => {
  const waitless = (stack: Stack): string[] => {
    const resources = resourcesOf(stack);
    const [preflight] = Object.keys(resources).filter((id) => resources[id].Type === 'Custom::MtaStsPreflight');
    return Object.entries(resources).filter(([id, { DependsOn = [] }]) => id !== preflight && !DependsOn.includes(preflight))
      .map(([, { Type }]) => Type).sort();
  };
  const first = ['AWS::IAM::Role', 'AWS::IAM::Role', 'AWS::Lambda::Function', 'AWS::Lambda::Function', 'AWS::Logs::LogGroup'];

  test('in a nested stack, which holds all of it', () => {
    const stack = testStack();
    const nested = new NestedStack(stack, 'Nested');
    oneDomain(nested);
    expect(waitless(nested)).toEqual(first);
    expect(Object.values(resourcesOf(stack)).map(({ Type }) => Type)).toEqual(['AWS::CloudFormation::Stack']);
  });

  test('in a stage, with the same logical ids', () => {
    const stack = new Stack(new Stage(new App(), 'Prod'), 'Test', { env: ENV });
    oneDomain(stack);
    expect(waitless(stack)).toEqual(first);
    const plain = testStack();
    oneDomain(plain);
    expect(Object.keys(resourcesOf(stack))).toEqual(Object.keys(resourcesOf(plain)));
  });
});
