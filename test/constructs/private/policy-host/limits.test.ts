// Limits of a policy host that synthesis checks: the number of domains and outputs, and the bucket for access logs.
import { describe, expect, test } from '@jest/globals';
import { CfnOutput, aws_certificatemanager as acm, aws_s3 as s3 } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsPolicy, PolicyHost } from '../../../../lib';
import { importedZone, testStack } from '../../../support/stack';

describe('the number of domains', () => {
  const hostOf = (count: number, certificate = false): Stack => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    const domains = Array.from({ length: count }, (_, i) => ({ hostedZone, domainName: `d${i}.example.com` }));
    const policyHost = new PolicyHost(stack, 'Host', {
      domains,
      certificate: certificate
        ? acm.Certificate.fromCertificateArn(stack, 'Given', 'arn:aws:acm:us-east-1:123456789012:certificate/1')
        : undefined,
    });
    domains.forEach(({ domainName }, i) =>
      new MtaSts(stack, `MtaSts${i}`, { hostedZone, domainName, policyHost, policy: MtaStsPolicy.none() }));
    return stack;
  };
  const warning = Match.stringLikeRegexp('^the certificate of Test/Host has 11 names, and the default quota of an account is 10\\. Without a higher quota the deployment fails');

  test('PolicyHost refuses more than 100 domains', () => {
    expect(() => hostOf(103)).toThrow('Test/Host: a PolicyHost serves at most 100 domains (the names of one certificate and of one distribution), '
      + 'got 103. Split `domains`: d100.example.com, d101.example.com, d102.example.com need another PolicyHost');
    expect(() => hostOf(104)).toThrow(/d102\.example\.com and 1 more need another PolicyHost/);
  });

  test('100 domains fit one stack of 500 resources and leave room for others', () => {
    expect(Object.keys(Template.fromStack(hostOf(100)).toJSON().Resources as object)).toHaveLength(17 + 4 * 99);
  });

  test('PolicyHost refuses more outputs than CloudFormation allows', () => {
    const stack = testStack();
    const domains = Array.from({ length: 100 }, (_, i) => ({ domainName: `d${i}.example.com` }));
    const policyHost = new PolicyHost(stack, 'Host', { domains });
    domains.forEach(({ domainName }) => new MtaSts(stack, domainName, { domainName, policyHost, policy: MtaStsPolicy.none() }));
    const errors = (): unknown[] => Annotations.fromStack(stack).findError('/Test/Host', Match.stringLikeRegexp('^the stack \'Test\' has 201 outputs, and '
      + 'CloudFormation allows 200\\. Each domain of Test/Host has one output, or two with external DNS\\. Split `domains` between PolicyHosts of several stacks'));
    new CfnOutput(stack, 'OneMore', { value: 'x' });
    expect(errors()).toHaveLength(1);
  });

  test('PolicyHost warns of more than 10 names of a certificate, the quota of a new account', () => {
    const path = '/Test/Host';
    expect(Annotations.fromStack(hostOf(11)).findWarning(path, warning)).toHaveLength(1);
    expect(Annotations.fromStack(hostOf(10)).findWarning(path, warning)).toHaveLength(0);
    expect(Annotations.fromStack(hostOf(11, true)).findWarning(path, warning)).toHaveLength(0);
  });
});

describe('a bucket for access logs', () => {
  const withLogs = (props: s3.BucketProps, change: (bucket: s3.Bucket) => void = () => undefined, context = {}): (() => Template) => {
    const stack = testStack({ context });
    const accessLogBucket = new s3.Bucket(stack, 'Logs', props);
    change(accessLogBucket);
    return () => {
      new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }], accessLogBucket });
      return Template.fromStack(stack);
    };
  };
  const cfn = (bucket: s3.Bucket): s3.CfnBucket => bucket.node.defaultChild as s3.CfnBucket;
  const problem = '`accessLogBucket` Test/Logs has no access control lists, because its `objectOwnership` is ';
  const fix = '. CloudFront needs them to write logs. Write `objectOwnership: ObjectOwnership.OBJECT_WRITER` or `ObjectOwnership.BUCKET_OWNER_PREFERRED`';

  test('PolicyHost refuses a bucket for access logs without access control lists, the default of S3', () => {
    expect(withLogs({})).toThrow(`${problem}missing, which means BUCKET_OWNER_ENFORCED${fix}`);
    expect(withLogs({ accessControl: s3.BucketAccessControl.PRIVATE })).toThrow(problem);
    expect(withLogs({ objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED })).toThrow(`${problem}BUCKET_OWNER_ENFORCED${fix}`);
    expect(withLogs({}, undefined, { '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true })).toThrow(problem);
  });

  test.each<[string, s3.BucketProps, ((bucket: s3.Bucket) => void)?]>([
    ['the object ownership of the writer', { objectOwnership: s3.ObjectOwnership.OBJECT_WRITER }],
    ['the preferred object ownership of the bucket owner', { objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED }],
    ['an access control list', { accessControl: s3.BucketAccessControl.LOG_DELIVERY_WRITE }],
    ['access control lists by a property of the resource', {}, (bucket) => {
      cfn(bucket).ownershipControls = { rules: [{ objectOwnership: 'BucketOwnerPreferred' }] };
    }],
    ['access control lists by an override', {}, (bucket) => {
      cfn(bucket).addPropertyOverride('OwnershipControls.Rules', [{ ObjectOwnership: 'ObjectWriter' }]);
    }],
  ])('PolicyHost accepts a bucket for access logs with %s', (_, ...[props, change]) => {
    expect(withLogs(props, change)).not.toThrow();
  });

  test('PolicyHost refuses a bucket for access logs if an escape hatch removes the access control lists, before or after', () => {
    const enforce = (bucket: s3.Bucket): void => {
      cfn(bucket).addPropertyOverride('OwnershipControls.Rules', [{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    };
    expect(withLogs({ objectOwnership: s3.ObjectOwnership.OBJECT_WRITER }, enforce)).toThrow(problem);
    const stack = testStack();
    const accessLogBucket = new s3.Bucket(stack, 'Logs', { objectOwnership: s3.ObjectOwnership.OBJECT_WRITER });
    new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }], accessLogBucket });
    enforce(accessLogBucket);
    expect(() => Template.fromStack(stack)).toThrow(`[Test/Host] ${problem}`);
  });

  test('PolicyHost accepts an imported bucket for access logs', () => {
    const stack = testStack();
    const accessLogBucket = s3.Bucket.fromBucketName(stack, 'Logs', 'logs');
    expect(() => new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }], accessLogBucket })).not.toThrow();
  });
});
