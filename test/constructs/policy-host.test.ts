import { describe, expect, test } from '@jest/globals';
import {
  App, CfnOutput, Lazy, Stack, Validations,
  aws_certificatemanager as acm, aws_ec2 as ec2, aws_route53 as route53, aws_s3 as s3,
} from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsDomains, MtaStsPolicy, PolicyHost } from '../../lib';
import type { PolicyHostProps } from '../../lib';
import { edgeFunctionCode } from '../../lib/private/policy-host/policy-distribution';
import { required } from '../support/required';
import { ENV, importedZone, oneDomain, testStack } from '../support/stack';

function hostTemplate(props: (stack: Stack) => Partial<PolicyHostProps> = () => ({})): Template {
  const stack = testStack();
  const hostedZone = importedZone(stack);
  const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }], ...props(stack) });
  oneDomain(stack, { hostedZone, policyHost });
  return Template.fromStack(stack);
}

describe('errors at synthesis', () => {
  test('PolicyHost refuses an empty list of domains', () => {
    expect(() => hostTemplate(() => ({ domains: [] }))).toThrow(/at least one domain/);
  });

  test('PolicyHost refuses a domain that is listed twice', () => {
    expect(() => hostTemplate((stack) => {
      const hostedZone = importedZone(stack, 'com');
      return { domains: ['example.com', 'xn--mller-kva.com', 'EXAMPLE.com'].map((domainName) => ({ hostedZone, domainName })) };
    })).toThrow(/each domain once, got example\.com twice/);
  });

  test('PolicyHost refuses a certificate of another Region', () => {
    const arn = 'arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
    expect(() => hostTemplate((stack) => ({ certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', arn) })))
      .toThrow(/must be of us-east-1.*got arn:aws:acm:eu-west-1/);
  });
});

describe('a given certificate', () => {
  const made = (domainName: string, subjectAlternativeNames?: string[]) => (stack: Stack): Partial<PolicyHostProps> =>
    ({ certificate: new acm.Certificate(stack, 'Certificate', { domainName, subjectAlternativeNames }) });

  test.each([
    ['the policy host', 'mta-sts.example.com', undefined],
    ['the policy host among other names', 'example.com', ['www.example.com', 'MTA-STS.example.com']],
    ['a wildcard that covers the policy host', '*.example.com', undefined],
  ])('PolicyHost accepts a certificate for %s', (_, name, others) => {
    hostTemplate(made(name, others)).resourceCountIs('AWS::CertificateManager::Certificate', 1);
  });

  test.each([
    ['only the domain itself', 'example.com'],
    ['a wildcard one label above', '*.com'],
    ['a wildcard below the policy host', '*.mta-sts.example.com'],
  ])('PolicyHost refuses a certificate for %s', (_, name) => {
    expect(() => hostTemplate(made(name))).toThrow(
      `\`certificate\` must cover mta-sts.example.com, got one for ${name}. Senders refuse a policy host whose certificate has another name `
      + '(RFC 8461 §3.3). Add the name, or leave `certificate` out to have one created');
  });

  test('PolicyHost refuses a certificate that a stack of another Region makes', () => {
    expect(() => hostTemplate(() => {
      const europe = new Stack(new App(), 'Europe', { env: { ...ENV, region: 'eu-west-1' } });
      return { certificate: new acm.Certificate(europe, 'Certificate', { domainName: 'mta-sts.example.com' }) };
    })).toThrow(/must be of us-east-1, got one that is made in eu-west-1\. .* or leave `certificate` out/);
  });

  test('PolicyHost accepts a certificate whose names are tokens', () => {
    expect(() => hostTemplate((stack) => ({
      certificate: new acm.Certificate(stack, 'Certificate', {
        domainName: Lazy.string({ produce: () => 'mta-sts.example.com' }),
        validation: acm.CertificateValidation.fromDns(importedZone(stack, 'token')),
      }),
    }))).not.toThrow();
  });
});

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

  test('100 domains with the longest names fit the 10 KB of an edge function', () => {
    const names = Array.from({ length: 100 }, (_, i) => `mta-sts.${String(i).padStart(56, 'd')}`);
    expect(Buffer.byteLength(edgeFunctionCode(names))).toBeLessThan(10_240);
  });

  test('PolicyHost warns of more than 10 names of a certificate, the quota of a new account', () => {
    const path = '/Test/Host';
    expect(Annotations.fromStack(hostOf(11)).findWarning(path, warning)).toHaveLength(1);
    expect(Annotations.fromStack(hostOf(10)).findWarning(path, warning)).toHaveLength(0);
    expect(Annotations.fromStack(hostOf(11, true)).findWarning(path, warning)).toHaveLength(0);
  });
});

describe('the bucket', () => {
  interface Statement { Effect: string; Action: unknown; Resource: unknown; Condition?: unknown; Principal: { AWS?: unknown; Service?: unknown } }

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

describe('the distribution', () => {
  const template = hostTemplate();
  const config = (expected: unknown): void => {
    template.hasResourceProperties('AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike(expected as Record<string, unknown>) });
  };

  test('the distribution refuses TLS below 1.2, and speaks IPv6, HTTP/2 and HTTP/3', () => {
    config({ ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.2_2021', SslSupportMethod: 'sni-only' }, IPV6Enabled: true, HttpVersion: 'http2and3' });
  });

  test('the distribution redirects HTTP, allows only GET and HEAD, and caches nothing', () => {
    config({ DefaultCacheBehavior: Match.objectLike({
      ViewerProtocolPolicy: 'redirect-to-https',
      AllowedMethods: ['GET', 'HEAD'],
      // CachingDisabled: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
      CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
    }) });
  });

  test('the distribution sends the managed security headers', () => {
    config({ DefaultCacheBehavior: Match.objectLike({ ResponseHeadersPolicyId: '67f7725c-6f97-4210-82d7-5512b31e9d03' }) });
  });

  test('the distribution runs the edge function on each request', () => {
    config({ DefaultCacheBehavior: Match.objectLike({ FunctionAssociations: [{ EventType: 'viewer-request', FunctionARN: Match.anyValue() }] }) });
    template.hasResourceProperties('AWS::CloudFront::Function', { FunctionConfig: { Runtime: 'cloudfront-js-2.0' } });
  });

  test('the distribution reads the bucket by origin access control', () => {
    const [id] = Object.keys(template.findResources('AWS::CloudFront::OriginAccessControl'));
    template.resourceCountIs('AWS::CloudFront::OriginAccessControl', 1);
    config({ Origins: [Match.objectLike({ OriginAccessControlId: { 'Fn::GetAtt': [id, 'Id'] }, S3OriginConfig: { OriginAccessIdentity: '' } })] });
  });

  test('the distribution answers only for the policy host, over IPv4 and IPv6', () => {
    config({ Aliases: ['mta-sts.example.com'] });
    const [id] = Object.keys(template.findResources('AWS::CloudFront::Distribution'));
    // The zone of all distributions (AWS General Reference, "Amazon CloudFront endpoints and quotas").
    const AliasTarget = { DNSName: { 'Fn::GetAtt': [id, 'DomainName'] }, HostedZoneId: 'Z2FDTNDATAQYW2' };
    template.hasResourceProperties('AWS::Route53::RecordSetGroup', {
      HostedZoneId: 'Z0123456789ABCDEFGHIJ',
      RecordSets: Match.arrayWith(['A', 'AAAA'].map((Type) => ({ Name: 'mta-sts.example.com.', Type, AliasTarget }))),
    });
  });
});

describe('a host and its domains', () => {
  const policy = MtaStsPolicy.none();

  test('MtaSts refuses a policy host of another stack', () => {
    const app = new App();
    const stack = new Stack(app, 'Test', { env: ENV });
    const hostedZone = importedZone(stack);
    const policyHost = new PolicyHost(new Stack(app, 'Hosts', { env: ENV }), 'Host', { domains: [{ hostedZone }] });
    expect(() => new MtaSts(stack, 'MtaSts', { hostedZone, policyHost, policy })).toThrow(/must be in the stack of the MtaSts that uses it/);
  });

  test('MtaSts refuses a policy host that has another zone for the domain', () => {
    const stack = testStack();
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }] });
    const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Twin', { hostedZoneId: 'Z9', zoneName: 'example.com' });
    expect(() => new MtaSts(stack, 'MtaSts', { hostedZone, policyHost, policy }))
      .toThrow(/must be the one that the PolicyHost has for example\.com, "Z0123456789ABCDEFGHIJ", got "Z9"/);
  });

  test('MtaSts refuses a second policy for a domain of a policy host', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] });
    oneDomain(stack, { hostedZone, policyHost });
    expect(() => new MtaSts(stack, 'Second', { hostedZone, policyHost, policy })).toThrow(/already published by Test\/MtaSts/);
  });

  test('PolicyHost warns of a domain without a policy', () => {
    const stack = testStack();
    new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }] });
    expect(Annotations.fromStack(stack).findWarning('/Test/Host', Match.stringLikeRegexp('^Test/Host lists example\\.com in `domains`, but no '
      + 'MtaSts publishes a policy there\\. Senders find no policy\\. Add an MtaSts with this `policyHost`\\. To remove a domain, take it out of `domains` in '
      + 'the deployment after this one'))).toHaveLength(1);
  });

  test('the warning about a domain without a policy can be acknowledged', () => {
    const stack = testStack();
    const host = new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }] });
    Validations.of(host).acknowledge({ id: 'cdk-mta-sts:unpublished', reason: 'leaves' });
    expect(Annotations.fromStack(stack).findWarning('/Test/Host', Match.stringLikeRegexp('no MtaSts publishes'))).toEqual([]);
  });

  test('Preflight checks a domain without a policy too, and may read its zone', () => {
    const stack = testStack();
    new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }] });
    expect(JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Role'))).toContain(':route53:::hostedzone/Z0123456789ABCDEFGHIJ');
    Template.fromStack(stack).hasResourceProperties('Custom::MtaStsPreflight', { Domains: [{
      DomainName: 'example.com',
      HostedZoneId: 'Z0123456789ABCDEFGHIJ',
      Policy: Match.absent(),
      Records: ['A', 'AAAA'].map((Type) => Match.objectLike({ Name: 'mta-sts.example.com', Type })),
    }] });
  });

  test('PolicyHost refuses a private zone', () => {
    const stack = testStack();
    const hostedZone = new route53.PrivateHostedZone(stack, 'Private', { zoneName: 'example.com', vpc: new ec2.Vpc(stack, 'Vpc') });
    expect(() => new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] })).toThrow(/must be public/);
  });
});

describe('a changed host', () => {
  const policy = MtaStsPolicy.none();
  const resources = (props?: (stack: Stack) => Partial<PolicyHostProps>): unknown[] => {
    const template = hostTemplate(props);
    return ['Custom::MtaStsPublication', 'Custom::MtaStsVerification'].map((type) => {
      const found = Object.values(template.findResources(type)) as { Properties: { PolicyHost: unknown } }[];
      return required(found.at(0)).Properties.PolicyHost;
    });
  };

  test('a host with another certificate or web ACL is proved live and verified again', () => {
    const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
    const webAclArn = 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/senders/11111111-2222-3333-4444-555555555555';
    const all = [resources(), resources(() => ({ webAclArn })),
      resources((stack) => ({ certificate: acm.Certificate.fromCertificateArn(stack, 'Given', arn) }))];
    expect(all[0]).toEqual(resources());
    for (const resource of [0, 1]) {
      expect(new Set(all.map((one) => JSON.stringify(one[resource]))).size).toBe(3);
    }
  });

  test('a host with another edge function is proved live again, and one with another domain is not', () => {
    const stack = testStack();
    const domains = ['example.com', 'example.net'].map((zoneName) => ({ hostedZone: importedZone(stack, zoneName) }));
    const policyHost = new PolicyHost(stack, 'Host', { domains });
    domains.forEach(({ hostedZone }, i) => new MtaSts(stack, `MtaSts${i}`, { hostedZone, policyHost, policy }));
    expect(policyHost._fingerprint.Edge).toMatch(/^[0-9a-f]{32}$/);
    expect(resources()[0]).toMatchObject({ Edge: policyHost._fingerprint.Edge });
  });
});

describe('given resources', () => {
  test('the distribution uses a given certificate of us-east-1', () => {
    const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
    const template = hostTemplate((stack) => ({ certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', arn) }));
    template.resourceCountIs('AWS::CertificateManager::Certificate', 0);
    template.hasResourceProperties('Custom::MtaStsPreflight', { Certificate: 'given' });
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({ ViewerCertificate: Match.objectLike({ AcmCertificateArn: arn }) }),
    });
  });

  test('the distribution uses a given bucket for access logs and a given web ACL', () => {
    const webAclArn = 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/senders/11111111-2222-3333-4444-555555555555';
    const template = hostTemplate((stack) => ({
      accessLogBucket: new s3.Bucket(stack, 'Logs', { objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED }),
      webAclArn,
    }));
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({ Logging: Match.objectLike({ Bucket: Match.anyValue() }), WebACLId: webAclArn }),
    });
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

describe('rights', () => {
  test('the roles have rights on named resources, without wildcards and managed policies', () => {
    const stack = testStack();
    oneDomain(stack);
    const roles = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role'));
    expect(roles).toHaveLength(2);
    for (const { Properties } of roles as { Properties: { ManagedPolicyArns?: unknown; Policies: unknown } }[]) {
      expect(Properties.ManagedPolicyArns).toBeUndefined();
      expect(JSON.stringify(Properties.Policies)).not.toContain('*');
    }
    Template.fromStack(stack).resourceCountIs('AWS::IAM::Policy', 0);
  });

  describe('fit a role', () => {
    /** Maximum characters of the inline policies of a role, without white space (IAM and AWS STS quotas). */
    const MAX_CHARACTERS = 10_240;

    const deployed: Record<string, string> = {
      'AWS::Partition': 'aws',
      'AWS::StackId': `arn:aws:cloudformation:us-east-1:123456789012:stack/${'s'.repeat(128)}/11111111-2222-3333-4444-555555555555`,
    };

    /** Returns the deployed value, with the longest names of the stack and of the log group. */
    function evaluated(value: unknown): unknown {
      if (Array.isArray(value)) return value.map(evaluated);
      if (typeof value !== 'object' || value === null) return value;
      const [key, argument] = (Object.entries(value) as [string, unknown][]).at(0) ?? [];
      if (key === 'Ref') return deployed[String(argument)];
      if (key === 'Fn::GetAtt') return `arn:aws:logs:us-east-1:123456789012:log-group:${'l'.repeat(512)}:*`;
      if (key === 'Fn::Join') return (evaluated(argument) as [string, string[]])[1].join('');
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, evaluated(one)]));
    }

    function largest(count: number): number {
      const stack = testStack({ context: { '@aws-cdk/core:stackResourceLimit': 0 } });
      const domains = Array.from({ length: count }, (_, i) => ({
        hostedZone: route53.HostedZone.fromHostedZoneAttributes(stack, `Zone${i}`, {
          hostedZoneId: `Z${String(i).padStart(20, 'A')}`, zoneName: `example${i}.com`,
        }),
      }));
      new MtaStsDomains(stack, 'Mail', { domains, policy: MtaStsPolicy.none() });
      const roles = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role')) as { Properties: { Policies: { PolicyDocument: unknown }[] } }[];
      return Math.max(...roles.map(({ Properties: { Policies } }) => Policies.map(({ PolicyDocument }) => JSON.stringify(evaluated(PolicyDocument))).join('').length));
    }

    test('the rights for 100 domains in 100 zones fit a role', () => {
      const [ten, hundred] = [largest(10), largest(100)];
      // Each zone is listed once: 21 characters of its id, and the rest of its ARN, quotes and comma.
      expect(hundred - ten).toBe(90 * '"arn:aws:route53:::hostedzone/Z01234567890123456789",'.length);
      expect(hundred).toBeLessThan(MAX_CHARACTERS);
    }, 60_000);
  });
});
