// The bucket of a policy host: its rights and its access log.
import { describe, expect, test } from '@jest/globals';
import { App, Stack, aws_s3 as s3 } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { PolicyHost } from '../../../../lib';
import { hostTemplate } from '../../../support/policy-host';
import { ENV, importedZone, oneDomain, testStack } from '../../../support/stack';

describe('the bucket', () => {
  interface Statement {
    Effect: string;
    Action: unknown;
    Resource: unknown;
    Condition?: unknown;
    Principal: { AWS?: unknown; Service?: unknown };
  }

  const template = hostTemplate();

  /** Returns the statements of the bucket policy that allow something. */
  const allowed = (): Statement[] => {
    const all = template.findResources('AWS::S3::BucketPolicy') as Record<string, { Properties: { PolicyDocument: { Statement: Statement[] } } }>;
    return Object.values(all).flatMap(({ Properties }) => Properties.PolicyDocument.Statement).filter(({ Effect }) => Effect === 'Allow');
  };

  test('the policy bucket is private, encrypted and removed with the stack', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Delete',
      UpdateReplacePolicy: 'Delete',
      Properties: {
        BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      },
    });
  });

  test('the policy bucket refuses plain HTTP', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({
        Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      })]) },
    });
  });

  test('the policy bucket lets the function write policy files, delete those of removed domains, and keep publication histories', () => {
    const granted = allowed().filter(({ Principal }) => Principal.AWS !== undefined);
    const object = (key: string): unknown => ({ 'Fn::Join': ['', [expect.anything(), key]] });
    expect(granted.map(({ Action, Resource, Condition }) => [Action, Resource, Condition])).toEqual([
      ['s3:PutObject', object('/mta-sts.example.com/.well-known/mta-sts.txt'), undefined],
      ['s3:DeleteObject', object('/*/.well-known/mta-sts.txt'), undefined],
      [['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], object('/ledger/*'), undefined],
      ['s3:ListBucket', { 'Fn::GetAtt': [expect.any(String), 'Arn'] }, { StringLike: { 's3:prefix': 'ledger/*' } }],
      // These two rights empty a bucket with versioning.
      ['s3:DeleteObjectVersion', [object('/*/.well-known/mta-sts.txt'), object('/ledger/*')], undefined],
      ['s3:ListBucketVersions', { 'Fn::GetAtt': [expect.any(String), 'Arn'] }, { StringLike: { 's3:prefix': ['*/.well-known/mta-sts.txt', 'ledger/*'] } }],
    ]);
  });

  test('the bucket policy for a hundred domains with the longest names fits the 20 KB that S3 allows', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    const domains = Array.from({ length: 100 }, (_, i) => ({ hostedZone, domainName: `${String(i).padStart(44, 'd')}.example.com` }));
    const { bucket } = new PolicyHost(stack, 'Host', { domains });
    // Insert the values as CloudFormation does. It makes a bucket name of at most 63 characters.
    const text = JSON.stringify(stack.resolve(bucket.policy?.document))
      .replaceAll(/\{"Fn::GetAtt":\["HostBucket[^\]]*\]\}/g, `"arn:aws:s3:::${'b'.repeat(63)}"`)
      .replaceAll(/\{"Fn::Join":\["",\["([^"]*)","([^"]*)"\]\]\}/g, '"$1$2"');
    expect(text.match(/Fn::/g)?.length).toBeLessThan(10);
    expect(Buffer.byteLength(text)).toBeLessThan(20 * 1024);
  });

  test('the policy bucket lets CloudFront read only policy files, and only for this distribution', () => {
    const distribution = Object.keys(template.findResources('AWS::CloudFront::Distribution'))[0];
    expect(allowed().filter(({ Principal }) => Principal.Service !== undefined)).toEqual([{
      Effect: 'Allow',
      Action: 's3:GetObject',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Resource: { 'Fn::Join': ['', [expect.anything(), '/*/.well-known/mta-sts.txt']] },
      Condition: { StringEquals: { 'AWS:SourceArn': { 'Fn::Join': ['', [
        'arn:', { Ref: 'AWS::Partition' }, ':cloudfront::', expect.anything(), ':distribution/', { Ref: distribution },
      ]] } } },
    }]);
  });

  test('the policy bucket allows only the function and CloudFront', () => {
    expect(new Set(allowed().map(({ Principal }) => JSON.stringify(Principal)))).toEqual(new Set([
      expect.stringMatching(/^\{"AWS":\{"Fn::GetAtt":\["CdkMtaStsHandlerRole\w+","Arn"\]\}\}$/), '{"Service":"cloudfront.amazonaws.com"}',
    ]));
  });
});

describe('the access log of the policy bucket', () => {
  const logged = (template: Template): unknown[] => {
    const buckets = Object.values(template.findResources('AWS::S3::Bucket')) as { Properties?: { LoggingConfiguration?: unknown } }[];
    return buckets.map(({ Properties }) => Properties?.LoggingConfiguration).filter((one) => one !== undefined);
  };
  const logs = (scope: Stack): s3.Bucket => new s3.Bucket(scope, 'Logs', { objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED });

  test('the access log of the policy bucket goes into the given bucket, where S3 may only write', () => {
    const template = hostTemplate((stack) => ({ accessLogBucket: logs(stack) }));
    expect(logged(template)).toEqual([{ DestinationBucketName: { Ref: expect.stringMatching(/^Logs/) }, LogFilePrefix: 'mta-sts-policy-bucket/' }]);
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      Bucket: { Ref: Match.stringLikeRegexp('^Logs') },
      PolicyDocument: { Statement: [{
        Effect: 'Allow',
        Action: 's3:PutObject',
        Principal: { Service: 'logging.s3.amazonaws.com' },
        Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^Logs'), 'Arn'] }, '/mta-sts-policy-bucket/*']] },
        Condition: { StringEquals: { 'aws:SourceAccount': ENV.account } },
      }] },
    });
  });

  test('the access log of the policy bucket is the same with the feature flag for it', () => {
    const of = (context: Record<string, unknown>): unknown => {
      const stack = testStack({ context });
      const hostedZone = importedZone(stack);
      oneDomain(stack, { hostedZone, policyHost: new PolicyHost(stack, 'Host', { domains: [{ hostedZone }], accessLogBucket: logs(stack) }) });
      return Template.fromStack(stack).toJSON();
    };
    expect(of({ '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true })).toEqual(of({}));
  });

  test('the access log of the policy bucket can go into a bucket of another stack, which does not depend on this stack', () => {
    const app = new App();
    const accessLogBucket = logs(new Stack(app, 'Logs', { env: ENV }));
    const stack = new Stack(app, 'Test', { env: ENV });
    const hostedZone = importedZone(stack);
    oneDomain(stack, { hostedZone, policyHost: new PolicyHost(stack, 'Host', { domains: [{ hostedZone }], accessLogBucket }) });
    expect(logged(Template.fromStack(stack))).toHaveLength(1);
    expect(stack.dependencies.map(({ stackName }) => stackName)).toEqual(['Logs']);
  });

  test('the access log of the policy bucket can go into a bucket with a KMS key, which S3 may use', () => {
    const template = hostTemplate((stack) => ({
      accessLogBucket: new s3.Bucket(stack, 'Logs', {
        objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED, encryption: s3.BucketEncryption.KMS,
      }),
    }));
    template.hasResourceProperties('AWS::KMS::Key', { KeyPolicy: Match.objectLike({ Statement: Match.arrayWith([
      Match.objectLike({ Principal: { Service: 'logging.s3.amazonaws.com' } }),
    ]) }) });
  });

  test.each([
    ['an imported bucket', (stack: Stack) => s3.Bucket.fromBucketName(stack, 'Logs', 'logs')],
    ['a bucket of another Region', (stack: Stack) => {
      return new s3.Bucket(new Stack(stack, 'Europe', { env: { ...ENV, region: 'eu-west-1' } }), 'Logs', {
        bucketName: 'logs', objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
      });
    }],
  ])('the access log of the policy bucket does not go into %s', (_, accessLogBucket) => {
    const template = hostTemplate((stack) => ({ accessLogBucket: accessLogBucket(stack) }));
    expect(logged(template)).toEqual([]);
  });
});
