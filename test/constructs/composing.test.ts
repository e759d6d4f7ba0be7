// MtaSts among other things: what users adjust inside it without an option of ours, and what it leaves alone in their stacks.
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

/** CDK's own, made once by its provider framework. */
const MAPPINGS = ['LatestNodeRuntimeMap'];

function parts(stack: Stack): Parts {
  const template = Template.fromStack(stack).toJSON() as Partial<Parts> & { Mappings?: object };
  const { Resources = {}, Outputs = {}, Mappings = {}, ...others } = template;
  // Nothing but what every stack of CDK has.
  expect(Object.keys(others).filter((name) => name !== 'Parameters' && name !== 'Rules')).toEqual([]);
  expect(Object.keys(Mappings).filter((name) => !MAPPINGS.includes(name))).toEqual([]);
  return { Resources, Outputs };
}

interface Resource { readonly Type: string; readonly Properties: unknown }

/** Every name that the stack itself gives to something in AWS: not those of records, of domains and of policies inside a role. */
function physicalNames({ Type, Properties }: Resource): string[] {
  if (/^(Custom|AWS::Route53|AWS::CertificateManager)::/.test(Type)) return [];
  const named = [...JSON.stringify(Properties).matchAll(/"((?:[A-Za-z]+)?Name)":"([^"]*)"/g)];
  return named.filter(([, key, name]) => !(Type === 'AWS::IAM::Role' && key === 'PolicyName' && name === 'Work')).map(([, , name]) => name);
}

/** Of all, those whose ids the others have too. */
function among(others: Resources, all: Resources): Resources {
  return Object.fromEntries(Object.keys(others).map((id) => [id, all[id]]));
}

describe('what is inside is adjusted', () => {
  test('by a property of the resource', () => {
    const stack = testStack();
    const distribution = oneDomain(stack).policyHost.distribution.node.defaultChild as cloudfront.CfnDistribution;
    distribution.addPropertyOverride('DistributionConfig.PriceClass', 'PriceClass_100');
    Template.fromStack(stack).hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({ PriceClass: 'PriceClass_100' }),
    });
  });

  test('by a mixin', () => {
    const stack = testStack();
    oneDomain(stack).policyHost.bucket.with(new s3.mixins.BucketVersioning());
    Template.fromStack(stack).hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } });
  });

  test('by an aspect over the construct', () => {
    const stack = testStack();
    Aspects.of(oneDomain(stack)).add({
      visit: (node) => {
        if (node instanceof cloudfront.CfnDistribution) node.addPropertyOverride('DistributionConfig.Comment', 'ours');
      },
    });
    Template.fromStack(stack).hasResourceProperties('AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike({ Comment: 'ours' }) });
  });

  test('by tags of the stack, which reach the function as well', () => {
    const stack = testStack();
    oneDomain(stack);
    Tags.of(stack).add('team', 'mail');
    for (const type of ['AWS::S3::Bucket', 'AWS::CloudFront::Distribution', 'AWS::CertificateManager::Certificate', 'AWS::Lambda::Function', 'AWS::IAM::Role']) {
      Template.fromStack(stack).allResourcesProperties(type, { Tags: Match.arrayWith([{ Key: 'team', Value: 'mail' }]) });
    }
  });

  test('by a removal policy', () => {
    const stack = testStack();
    oneDomain(stack).policyHost.bucket.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Template.fromStack(stack).hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain' });
  });

  test('by a permissions boundary', () => {
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

  test('is read by CloudFront and used by the function\'s role', () => {
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

  test('is granted to him who may write the files, by the key as by the bucket', () => {
    const template = Template.fromStack(withKey(() => `arn:aws:cloudfront::${ENV.account}:distribution/*`));
    const granted = (type: string, property: string, action: string): unknown => {
      const [{ Properties }] = Object.values(template.findResources(type)) as { Properties: Record<string, { Statement: Granted[] }> }[];
      return Properties[property].Statement.find(({ Action }) => [Action].flat().includes(action))?.Principal;
    };
    expect(granted('AWS::KMS::Key', 'KeyPolicy', 'kms:GenerateDataKey')).toEqual(granted('AWS::S3::BucketPolicy', 'PolicyDocument', 's3:PutObject'));
    expect(granted('AWS::S3::BucketPolicy', 'PolicyDocument', 's3:PutObject')).toBeDefined();
  });

  test('of the same stack cannot name the distribution: that would be a circle', () => {
    expect(() => Template.fromStack(withKey((id) => `arn:aws:cloudfront::${ENV.account}:distribution/${id}`))).toThrow(/dependency cycle/);
  });
});

describe('a large stack that it is added to', () => {
  /** Of what people have: hundreds of resources, functions, a custom resource with the same framework, outputs. */
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

  test('keeps every resource and every output as it was', () => {
    const [before, after, last] = [testStack(), testStack(), testStack()];
    [before, after].forEach(fill);
    [after, last].forEach((stack) => oneDomain(stack));
    fill(last);
    const [old, now] = [parts(before), parts(after)];
    expect(Object.keys(old.Resources).length).toBeGreaterThan(300);
    // Whichever of them stands first in the app.
    expect(parts(last).Resources).toEqual(now.Resources);
    expect(among(old.Resources, now.Resources)).toEqual(old.Resources);
    expect(among(old.Outputs, now.Outputs)).toEqual(old.Outputs);
    expect(Object.keys(now.Resources).length).toBe(Object.keys(old.Resources).length + 17);
  });

  test('gets no resource and no output with a generic name', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    new MtaSts(stack, 'Announced', { hostedZone, policy });
    const { Resources, Outputs } = parts(stack);
    expect([...Object.keys(Resources), ...Object.keys(Outputs)].filter((id) => !/^(Announced|CdkMtaStsHandler)/.test(id))).toEqual([]);
  });

  test('gets no resource with a physical name that another stack of the account could have too', () => {
    const namesIn = (stackName: string): string[] => {
      const stack = new Stack(new App(), 'Test', { stackName, env: ENV });
      oneDomain(stack);
      return Object.values(parts(stack).Resources).flatMap((resource) => physicalNames(resource as Resource));
    };
    const [dev, prod] = [namesIn('mail-dev'), namesIn('mail-prod')];
    // The edge function and the distribution's access to the bucket cannot go without.
    expect([dev.length, prod.length]).toEqual([2, 2]);
    expect(dev.filter((name) => prod.includes(name))).toEqual([]);
  });

  test('has one function for two instances, and taking one away changes nothing of the other but the zones that the role may read', () => {
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

describe('in a nested stack, whose outputs `cdk deploy --outputs-file` leaves out', () => {
  const nestedIn = (parent: Stack, ...ids: string[]): Stack => ids.reduce((stack, id) => new NestedStack(stack, id), parent);

  test('the output is in the outermost stack, and in no other', () => {
    const stack = testStack();
    const nested = nestedIn(stack, 'Outer', 'Inner');
    const { output } = oneDomain(nested);
    const told = (of: Stack): string[] => Object.entries(parts(of).Outputs).filter(([, one]) => JSON.stringify(one).includes('mtaSts')).map(([name]) => name);
    expect(told(stack)).toEqual([stack.resolve(output.logicalId)]);
    expect(told(nested)).toEqual([]);
  });

  test('so are the records to make by hand, with what only the nested stack knows', () => {
    const stack = testStack();
    new MtaSts(nestedIn(stack, 'Nested'), 'MtaSts', { domainName: 'example.com', policy });
    const records = Object.entries(parts(stack).Outputs).filter(([name]) => /^MtaStsOutput.*Records/.test(name)).map(([, one]) => JSON.stringify(one));
    expect(records).toHaveLength(1);
    expect(records[0]).toContain('_mta-sts.example.com TXT ');
    expect(records[0]).toMatch(/\{"Fn::GetAtt":\["Nested\w+","Outputs\.\w+DomainName"\]\}/);
  });

  test('outputs of constructs of the same id have names of their own, which do not change when another comes', () => {
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
