// MtaSts beside other resources: users change its inner resources without special options, and their own resources stay unchanged.
import { describe, expect, test } from '@jest/globals';
import {
  App, Aspects, CfnOutput, CfnResource, NestedStack, RemovalPolicy, Stack, Tags,
  aws_cloudfront as cloudfront, aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_route53 as route53, aws_s3 as s3,
  custom_resources as cr,
} from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsPolicy } from '../../lib';
import { ENV, importedZone, oneDomain, testStack } from '../support/stack';

type Resources = Record<string, unknown>;

const policy = MtaStsPolicy.none();

interface Parts { readonly Resources: Resources; readonly Outputs: Resources }

/** Mapping that the provider framework of CDK makes once. */
const MAPPINGS = ['LatestNodeRuntimeMap'];

function parts(stack: Stack): Parts {
  const template = Template.fromStack(stack).toJSON() as Partial<Parts> & { Mappings?: object };
  const { Resources = {}, Outputs = {}, Mappings = {}, ...others } = template;
  // Only the parts that every stack of CDK has.
  expect(Object.keys(others).filter((name) => name !== 'Parameters' && name !== 'Rules')).toEqual([]);
  expect(Object.keys(Mappings).filter((name) => !MAPPINGS.includes(name))).toEqual([]);
  return { Resources, Outputs };
}

interface Resource { readonly Type: string; readonly Properties: unknown }

/** Returns the names that the stack gives to resources in AWS. Names of records, of domains and of policies inside a role do not count. */
function physicalNames({ Type, Properties }: Resource): string[] {
  if (/^(Custom|AWS::Route53|AWS::CertificateManager)::/.test(Type)) return [];
  const named = [...JSON.stringify(Properties).matchAll(/"((?:[A-Za-z]+)?Name)":"([^"]*)"/g)];
  return named.filter(([, key, name]) => !(Type === 'AWS::IAM::Role' && key === 'PolicyName' && name === 'Work')).map(([, , name = '']) => name);
}

/** Returns the members of `all` whose ids `others` has too. */
function among(others: Resources, all: Resources): Resources {
  return Object.fromEntries(Object.keys(others).map((id) => [id, all[id]]));
}

describe('inner resources', () => {
  test('a property override changes the distribution inside of MtaSts', () => {
    const stack = testStack();
    const distribution = oneDomain(stack).policyHost.distribution.node.defaultChild as cloudfront.CfnDistribution;
    distribution.addPropertyOverride('DistributionConfig.PriceClass', 'PriceClass_100');
    Template.fromStack(stack).hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({ PriceClass: 'PriceClass_100' }),
    });
  });

  test('a mixin changes the bucket inside of MtaSts', () => {
    const stack = testStack();
    oneDomain(stack).policyHost.bucket.with(new s3.mixins.BucketVersioning());
    Template.fromStack(stack).hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } });
  });

  test('an aspect over MtaSts changes the distribution inside', () => {
    const stack = testStack();
    Aspects.of(oneDomain(stack)).add({
      visit: (node) => {
        if (node instanceof cloudfront.CfnDistribution) node.addPropertyOverride('DistributionConfig.Comment', 'ours');
      },
    });
    Template.fromStack(stack).hasResourceProperties('AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike({ Comment: 'ours' }) });
  });

  test('tags of the stack reach every resource of MtaSts, also the function', () => {
    const stack = testStack();
    oneDomain(stack);
    Tags.of(stack).add('team', 'mail');
    for (const type of ['AWS::S3::Bucket', 'AWS::CloudFront::Distribution', 'AWS::CertificateManager::Certificate', 'AWS::Lambda::Function', 'AWS::IAM::Role']) {
      Template.fromStack(stack).allResourcesProperties(type, { Tags: Match.arrayWith([{ Key: 'team', Value: 'mail' }]) });
    }
  });

  test('a removal policy keeps the bucket inside of MtaSts', () => {
    const stack = testStack();
    oneDomain(stack).policyHost.bucket.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Template.fromStack(stack).hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain' });
  });

  test('a permissions boundary of the stack reaches every role of MtaSts', () => {
    const stack = testStack();
    oneDomain(stack);
    iam.PermissionsBoundary.of(stack).apply(iam.ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'boundary'));
    Template.fromStack(stack).allResourcesProperties('AWS::IAM::Role', { PermissionsBoundary: Match.anyValue() });
  });
});

describe('a KMS key for the bucket', () => {
  interface Granted { Action: unknown; Principal: unknown }

  const withKey = (sourceArn: (distributionId: string) => string): Stack => {
    const stack = testStack();
    const { bucket, distribution, writer } = oneDomain(stack).policyHost;
    const key = new kms.Key(stack, 'Key');
    (bucket.node.defaultChild as s3.CfnBucket).bucketEncryption = {
      serverSideEncryptionConfiguration: [{ serverSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: key.keyArn } }],
    };
    key.addToResourcePolicy(new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('cloudfront.amazonaws.com')],
      actions: ['kms:Decrypt'],
      resources: ['*'],
      conditions: { ArnLike: { 'aws:SourceArn': sourceArn(distribution.distributionId) } },
    }));
    key.grant(writer, 'kms:GenerateDataKey', 'kms:Decrypt');
    return stack;
  };

  test('a KMS key for the bucket allows CloudFront and the role of the function', () => {
    const template = Template.fromStack(withKey(() => `arn:aws:cloudfront::${ENV.account}:distribution/*`));
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }) }] },
    });
    template.hasResourceProperties('AWS::KMS::Key', { KeyPolicy: Match.objectLike({ Statement: Match.arrayWith([
      Match.objectLike({
        Action: 'kms:Decrypt',
        Principal: { Service: 'cloudfront.amazonaws.com' },
        Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:cloudfront::${ENV.account}:distribution/*` } },
      }),
      Match.objectLike({
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Principal: { AWS: { 'Fn::GetAtt': [Match.stringLikeRegexp('^CdkMtaStsHandlerRole'), 'Arn'] } },
      }),
    ]) }) });
  });

  test('the key and the bucket grant the same principal the right to write files', () => {
    const template = Template.fromStack(withKey(() => `arn:aws:cloudfront::${ENV.account}:distribution/*`));
    const granted = (type: string, property: string, action: string): unknown => {
      const [resource] = Object.values(template.findResources(type)) as { Properties: Record<string, { Statement: Granted[] }> }[];
      return resource?.Properties[property]?.Statement.find(({ Action }) => [Action].flat().includes(action))?.Principal;
    };
    expect(granted('AWS::KMS::Key', 'KeyPolicy', 'kms:GenerateDataKey')).toEqual(granted('AWS::S3::BucketPolicy', 'PolicyDocument', 's3:PutObject'));
    expect(granted('AWS::S3::BucketPolicy', 'PolicyDocument', 's3:PutObject')).toBeDefined();
  });

  test('a KMS key of the same stack cannot name the distribution, because that would be a circle', () => {
    expect(() => Template.fromStack(withKey((id) => `arn:aws:cloudfront::${ENV.account}:distribution/${id}`))).toThrow(/dependency cycle/);
  });
});

describe('a large stack that it is added to', () => {
  /** Adds what large stacks have: hundreds of resources, functions, a custom resource with the same framework, outputs. */
  const fill = (stack: Stack): void => {
    Array.from({ length: 150 }, (_, i) => new s3.Bucket(stack, `Bucket${i}`, { enforceSSL: true }));
    const bucket = new s3.Bucket(stack, 'Bucket');
    new kms.Key(stack, 'Key');
    const fn = new lambda.Function(stack, 'Function', {
      runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code: lambda.Code.fromInline('exports.handler = async () => {};'),
    });
    const provider = new cr.Provider(stack, 'Provider', { onEventHandler: fn });
    new CfnResource(stack, 'Custom', { type: 'Custom::Thing', properties: { ServiceToken: provider.serviceToken } });
    new CfnOutput(stack, 'Published', { value: bucket.bucketName });
  };

  test('a large stack keeps every resource and every output when MtaSts is added', () => {
    const [before, after, last] = [testStack(), testStack(), testStack()];
    [before, after].forEach(fill);
    [after, last].forEach((stack) => oneDomain(stack));
    fill(last);
    const [old, now] = [parts(before), parts(after)];
    expect(Object.keys(old.Resources).length).toBeGreaterThan(300);
    // The order in the app does not matter.
    expect(parts(last).Resources).toEqual(now.Resources);
    expect(among(old.Resources, now.Resources)).toEqual(old.Resources);
    expect(among(old.Outputs, now.Outputs)).toEqual(old.Outputs);
    expect(Object.keys(now.Resources).length).toBe(Object.keys(old.Resources).length + 17);
  });

  test('MtaSts adds no resource and no output with a generic name', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    new MtaSts(stack, 'Published', { hostedZone, policy });
    const { Resources, Outputs } = parts(stack);
    expect([...Object.keys(Resources), ...Object.keys(Outputs)].filter((id) => !/^(Published|CdkMtaStsHandler)/.test(id))).toEqual([]);
  });

  test('MtaSts adds no resource with a physical name that another stack of the account can have', () => {
    const namesIn = (stackName: string): string[] => {
      const stack = new Stack(new App(), 'Test', { stackName, env: ENV });
      oneDomain(stack);
      return Object.values(parts(stack).Resources).flatMap((resource) => physicalNames(resource as Resource));
    };
    const [dev, prod] = [namesIn('mail-dev'), namesIn('mail-prod')];
    // Only the edge function and the origin access control need a name.
    expect([dev.length, prod.length]).toEqual([2, 2]);
    expect(dev.filter((name) => prod.includes(name))).toEqual([]);
  });

  test('two instances of MtaSts share one function, and removing one changes only the zones that its role may read', () => {
    const stackOf = (...zones: string[]): Resources => {
      const stack = testStack();
      zones.forEach((zoneName) => {
        const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, zoneName, { hostedZoneId: `Z-${zoneName}`, zoneName });
        new MtaSts(stack, `At-${zoneName}`, { hostedZone, policy });
      });
      return parts(stack).Resources;
    };
    const both = stackOf('example.com', 'example.net');
    expect(Object.values(both).filter((resource) => (resource as { Type: string }).Type === 'AWS::Lambda::Function')).toHaveLength(2);
    for (const left of [stackOf('example.com'), stackOf('example.net')]) {
      const changed = Object.keys(left).filter((id) => JSON.stringify(left[id]) !== JSON.stringify(both[id]));
      expect(changed).toEqual([expect.stringMatching(/^CdkMtaStsHandlerRole/)]);
    }
  });
});

describe('nested stacks, whose outputs `cdk deploy --outputs-file` leaves out', () => {
  const nestedIn = (parent: Stack, ...ids: string[]): Stack => ids.reduce((stack, id) => new NestedStack(stack, id), parent);

  test('the output of MtaSts in a nested stack is only in the outermost stack', () => {
    const stack = testStack();
    const nested = nestedIn(stack, 'Outer', 'Inner');
    const { output } = oneDomain(nested);
    const published = (of: Stack): string[] => Object.entries(parts(of).Outputs).filter(([, one]) => JSON.stringify(one).includes('mtaSts')).map(([name]) => name);
    expect(published(stack)).toEqual([stack.resolve(output.logicalId)]);
    expect(published(nested)).toEqual([]);
  });

  test('the manual records of MtaSts in a nested stack are an output of the outermost stack', () => {
    const stack = testStack();
    new MtaSts(nestedIn(stack, 'Nested'), 'MtaSts', { domainName: 'example.com', policy });
    const records = Object.entries(parts(stack).Outputs).filter(([name]) => /^MtaStsOutput.*Records/.test(name)).map(([, one]) => JSON.stringify(one));
    expect(records).toHaveLength(1);
    expect(records[0]).toContain('_mta-sts.example.com TXT ');
    expect(records[0]).toMatch(/\{"Fn::GetAtt":\["Nested\w+","Outputs\.\w+DomainName"\]\}/);
  });

  test('outputs of constructs with the same id have different names, which stay when another construct is added', () => {
    const outputsOf = (...places: string[][]): string[] => {
      const stack = testStack();
      places.forEach((ids, i) => {
        const nested = nestedIn(stack, ...ids);
        oneDomain(nested, { hostedZone: importedZone(nested, `domain${i}.example`) });
      });
      return Object.keys(parts(stack).Outputs);
    };
    const all = outputsOf(['One'], ['Two'], ['Three', 'One']);
    expect(new Set(all).size).toBe(3);
    expect(outputsOf(['Two'])).toEqual([all[1]]);
    expect(all.every((name) => name.startsWith('MtaStsOutput'))).toBe(true);
  });
});
