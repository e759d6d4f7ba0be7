import { describe, expect, test } from '@jest/globals';
import {
  App, CfnOutput, Lazy, Stack, Validations,
  aws_certificatemanager as acm, aws_ec2 as ec2, aws_route53 as route53, aws_s3 as s3,
} from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsDomains, MtaStsPolicy, PolicyHost } from '../../lib';
import type { PolicyHostProps } from '../../lib';
import { edgeFunctionCode } from '../../lib/private/policy-host/policy-distribution';
import { ENV, importedZone, oneDomain, testStack } from '../support/stack';

function hostTemplate(props: (stack: Stack) => Partial<PolicyHostProps> = () => ({})): Template {
  const stack = testStack();
  const hostedZone = importedZone(stack);
  const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }], ...props(stack) });
  oneDomain(stack, { hostedZone, policyHost });
  return Template.fromStack(stack);
}

describe('refuses', () => {
  test('no domains', () => {
    expect(() => hostTemplate(() => ({ domains: [] }))).toThrow(/at least one domain/);
  });

  test('a domain twice', () => {
    expect(() => hostTemplate((stack) => {
      const hostedZone = importedZone(stack, 'com');
      return { domains: ['example.com', 'xn--mller-kva.com', 'EXAMPLE.com'].map((domainName) => ({ hostedZone, domainName })) };
    })).toThrow(/each domain once, got example\.com twice/);
  });

  test('a certificate of another Region', () => {
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
    ['it among others', 'example.com', ['www.example.com', 'MTA-STS.example.com']],
    ['a wildcard over it', '*.example.com', undefined],
  ])('may be for %s', (_, name, others) => {
    hostTemplate(made(name, others)).resourceCountIs('AWS::CertificateManager::Certificate', 1);
  });

  test.each([
    ['the domain itself', 'example.com'],
    ['a wildcard one label above', '*.com'],
    ['a wildcard below it', '*.mta-sts.example.com'],
  ])('must not be for %s', (_, name) => {
    expect(() => hostTemplate(made(name))).toThrow(
      `\`certificate\` must cover mta-sts.example.com, got one for ${name}. Senders refuse a policy host whose certificate has another name `
      + '(RFC 8461 §3.3). Add the name, or leave `certificate` out to have one created');
  });

  test('must not be made in a stack of another Region', () => {
    expect(() => hostTemplate(() => {
      const europe = new Stack(new App(), 'Europe', { env: { ...ENV, region: 'eu-west-1' } });
      return { certificate: new acm.Certificate(europe, 'Certificate', { domainName: 'mta-sts.example.com' }) };
    })).toThrow(/must be of us-east-1, got one that is made in eu-west-1\. .* or leave `certificate` out/);
  });

  test('is taken on trust where its names are tokens', () => {
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

  test('is at most 100', () => {
    expect(() => hostOf(103)).toThrow('Test/Host: a PolicyHost serves at most 100 domains (the names of one certificate and of one distribution), '
      + 'got 103. Split `domains`: d100.example.com, d101.example.com, d102.example.com need another PolicyHost');
    expect(() => hostOf(104)).toThrow(/d102\.example\.com and 1 more need another PolicyHost/);
  });

  test('of 100 fits one stack of 500 resources and leaves room for others', () => {
    expect(Object.keys(Template.fromStack(hostOf(100)).toJSON().Resources as object)).toHaveLength(17 + 4 * 99);
  });

  test('is an error where its outputs are more than CloudFormation takes', () => {
    const stack = testStack();
    const domains = Array.from({ length: 100 }, (_, i) => ({ domainName: `d${i}.example.com` }));
    const policyHost = new PolicyHost(stack, 'Host', { domains });
    domains.forEach(({ domainName }) => new MtaSts(stack, domainName, { domainName, policyHost, policy: MtaStsPolicy.none() }));
    const errors = (): unknown[] => Annotations.fromStack(stack).findError('/Test/Host', Match.stringLikeRegexp('^the stack \'Test\' has 201 outputs, and '
      + 'CloudFormation allows 200\\. Each domain of Test/Host has one output, or two with external DNS\\. Split `domains` between PolicyHosts of several stacks'));
    new CfnOutput(stack, 'OneMore', { value: 'x' });
    expect(errors()).toHaveLength(1);
  });

  test('fits the 10 KB of an edge function with the longest names', () => {
    const names = Array.from({ length: 100 }, (_, i) => `mta-sts.${String(i).padStart(56, 'd')}`);
    expect(Buffer.byteLength(edgeFunctionCode(names))).toBeLessThan(10_240);
  });

  test('warns above 10, which is the quota of a new account', () => {
    const path = '/Test/Host';
    expect(Annotations.fromStack(hostOf(11)).findWarning(path, warning)).toHaveLength(1);
    expect(Annotations.fromStack(hostOf(10)).findWarning(path, warning)).toHaveLength(0);
    expect(Annotations.fromStack(hostOf(11, true)).findWarning(path, warning)).toHaveLength(0);
  });
});

describe('the bucket', () => {
  const template = hostTemplate();

  test('is private, encrypted and removed with the stack', () => {
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

  test('refuses plain HTTP', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({
        Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      })]) },
    });
  });

  test('lets the function write the policy file, delete that of a domain that has left as well, and keep ledgers', () => {
    interface Statement { Effect: string; Action: unknown; Resource: unknown; Condition?: unknown; Principal: { AWS?: unknown } }
    const [policy] = Object.values(template.findResources('AWS::S3::BucketPolicy')) as {
      Properties: { PolicyDocument: { Statement: Statement[] } };
    }[];
    const granted = policy.Properties.PolicyDocument.Statement.filter(({ Effect, Principal }) => Effect === 'Allow' && Principal.AWS !== undefined);
    const object = (key: string): unknown => ({ 'Fn::Join': ['', [expect.anything(), key]] });
    expect(granted.map(({ Action, Resource, Condition }) => [Action, Resource, Condition])).toEqual([
      ['s3:PutObject', object('/mta-sts.example.com/.well-known/mta-sts.txt'), undefined],
      ['s3:DeleteObject', object('/*/.well-known/mta-sts.txt'), undefined],
      [['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], object('/ledger/*'), undefined],
      ['s3:ListBucket', { 'Fn::GetAtt': [expect.any(String), 'Arn'] }, { StringLike: { 's3:prefix': 'ledger/*' } }],
      // So that a bucket with versioning can be emptied too.
      ['s3:DeleteObjectVersion', [object('/*/.well-known/mta-sts.txt'), object('/ledger/*')], undefined],
      ['s3:ListBucketVersions', { 'Fn::GetAtt': [expect.any(String), 'Arn'] }, { StringLike: { 's3:prefix': ['*/.well-known/mta-sts.txt', 'ledger/*'] } }],
    ]);
  });

  test('has a policy that fits the 20 KB that S3 allows, with the longest names of a hundred domains', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    const domains = Array.from({ length: 100 }, (_, i) => ({ hostedZone, domainName: `${String(i).padStart(44, 'd')}.example.com` }));
    const { bucket } = new PolicyHost(stack, 'Host', { domains });
    // As CloudFormation puts it together; of a bucket's name it makes 63 characters at most.
    const text = JSON.stringify(stack.resolve(bucket.policy?.document))
      .replaceAll(/\{"Fn::GetAtt":\["HostBucket[^\]]*\]\}/g, `"arn:aws:s3:::${'b'.repeat(63)}"`)
      .replaceAll(/\{"Fn::Join":\["",\["([^"]*)","([^"]*)"\]\]\}/g, '"$1$2"');
    expect(text.match(/Fn::/g)?.length).toBeLessThan(10);
    expect(Buffer.byteLength(text)).toBeLessThan(20 * 1024);
  });

  test('lets CloudFront read policy files for this distribution alone, and nothing else of the bucket', () => {
    const distribution = Object.keys(template.findResources('AWS::CloudFront::Distribution'))[0];
    const [policy] = Object.values(template.findResources('AWS::S3::BucketPolicy')) as {
      Properties: { PolicyDocument: { Statement: { Effect: string; Principal: { Service?: string } }[] } };
    }[];
    const granted = policy.Properties.PolicyDocument.Statement.filter(({ Effect, Principal }) => Effect === 'Allow' && Principal.Service !== undefined);
    expect(granted).toEqual([{
      Effect: 'Allow',
      Action: 's3:GetObject',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Resource: { 'Fn::Join': ['', [expect.anything(), '/*/.well-known/mta-sts.txt']] },
      Condition: { StringEquals: { 'AWS:SourceArn': { 'Fn::Join': ['', [
        'arn:', { Ref: 'AWS::Partition' }, ':cloudfront::', expect.anything(), ':distribution/', { Ref: distribution },
      ]] } } },
    }]);
  });

  test('is open to nobody beside the function and CloudFront', () => {
    const [policy] = Object.values(template.findResources('AWS::S3::BucketPolicy')) as {
      Properties: { PolicyDocument: { Statement: { Effect: string; Principal: object }[] } };
    }[];
    const allowed = policy.Properties.PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow').map(({ Principal }) => JSON.stringify(Principal));
    expect(new Set(allowed)).toEqual(new Set([
      expect.stringMatching(/^\{"AWS":\{"Fn::GetAtt":\["CdkMtaStsHandlerRole\w+","Arn"\]\}\}$/), '{"Service":"cloudfront.amazonaws.com"}',
    ]));
  });
});

describe('the distribution', () => {
  const template = hostTemplate();
  const config = (expected: unknown): void => {
    template.hasResourceProperties('AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike(expected as Record<string, unknown>) });
  };

  test('speaks TLS 1.2 or later, IPv6, HTTP/2 and HTTP/3', () => {
    config({ ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.2_2021', SslSupportMethod: 'sni-only' }, IPV6Enabled: true, HttpVersion: 'http2and3' });
  });

  test('redirects HTTP, allows GET and HEAD, caches nothing', () => {
    config({ DefaultCacheBehavior: Match.objectLike({
      ViewerProtocolPolicy: 'redirect-to-https',
      AllowedMethods: ['GET', 'HEAD'],
      // CachingDisabled: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
      CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
    }) });
  });

  test('sends the managed security headers', () => {
    config({ DefaultCacheBehavior: Match.objectLike({ ResponseHeadersPolicyId: '67f7725c-6f97-4210-82d7-5512b31e9d03' }) });
  });

  test('runs the edge function on each request', () => {
    config({ DefaultCacheBehavior: Match.objectLike({ FunctionAssociations: [{ EventType: 'viewer-request', FunctionARN: Match.anyValue() }] }) });
    template.hasResourceProperties('AWS::CloudFront::Function', { FunctionConfig: { Runtime: 'cloudfront-js-2.0' } });
  });

  test('reads the bucket by origin access control', () => {
    const [id] = Object.keys(template.findResources('AWS::CloudFront::OriginAccessControl'));
    template.resourceCountIs('AWS::CloudFront::OriginAccessControl', 1);
    config({ Origins: [Match.objectLike({ OriginAccessControlId: { 'Fn::GetAtt': [id, 'Id'] }, S3OriginConfig: { OriginAccessIdentity: '' } })] });
  });

  test('answers for the policy host alone, over IPv4 and IPv6', () => {
    config({ Aliases: ['mta-sts.example.com'] });
    const [id] = Object.keys(template.findResources('AWS::CloudFront::Distribution'));
    // The one zone of all distributions, AWS General Reference, "Amazon CloudFront endpoints and quotas".
    const AliasTarget = { DNSName: { 'Fn::GetAtt': [id, 'DomainName'] }, HostedZoneId: 'Z2FDTNDATAQYW2' };
    template.hasResourceProperties('AWS::Route53::RecordSetGroup', {
      HostedZoneId: 'Z0123456789ABCDEFGHIJ',
      RecordSets: Match.arrayWith(['A', 'AAAA'].map((Type) => ({ Name: 'mta-sts.example.com.', Type, AliasTarget }))),
    });
  });
});

describe('what a host and its domains must agree on', () => {
  const policy = MtaStsPolicy.none();

  test('the stack', () => {
    const app = new App();
    const stack = new Stack(app, 'Test', { env: ENV });
    const hostedZone = importedZone(stack);
    const policyHost = new PolicyHost(new Stack(app, 'Hosts', { env: ENV }), 'Host', { domains: [{ hostedZone }] });
    expect(() => new MtaSts(stack, 'MtaSts', { hostedZone, policyHost, policy })).toThrow(/must be in the stack of the MtaSts that uses it/);
  });

  test('the hosted zone', () => {
    const stack = testStack();
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }] });
    const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Twin', { hostedZoneId: 'Z9', zoneName: 'example.com' });
    expect(() => new MtaSts(stack, 'MtaSts', { hostedZone, policyHost, policy }))
      .toThrow(/must be the one that the PolicyHost has for example\.com, "Z0123456789ABCDEFGHIJ", got "Z9"/);
  });

  test('one policy for each domain', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] });
    oneDomain(stack, { hostedZone, policyHost });
    expect(() => new MtaSts(stack, 'Second', { hostedZone, policyHost, policy })).toThrow(/already published by Test\/MtaSts/);
  });

  test('that a domain without a policy is about to leave, which is a warning', () => {
    const stack = testStack();
    new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }] });
    expect(Annotations.fromStack(stack).findWarning('/Test/Host', Match.stringLikeRegexp('^Test/Host lists example\\.com in `domains`, but no '
      + 'MtaSts publishes a policy there: senders find none; add one \\(`policyHost`\\), or, if a domain is to leave, take it out of `domains` in '
      + 'the deployment after this one'))).toHaveLength(1);
  });

  test('which can be acknowledged', () => {
    const stack = testStack();
    const host = new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }] });
    Validations.of(host).acknowledge({ id: 'cdk-mta-sts:unpublished', reason: 'leaves' });
    expect(Annotations.fromStack(stack).findWarning('/Test/Host', Match.stringLikeRegexp('no MtaSts publishes'))).toEqual([]);
  });

  test('that Preflight looks at a domain without a policy too, before its certificate is asked for, and may read its zone', () => {
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

  test('public zones', () => {
    const stack = testStack();
    const hostedZone = new route53.PrivateHostedZone(stack, 'Private', { zoneName: 'example.com', vpc: new ec2.Vpc(stack, 'Vpc') });
    expect(() => new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] })).toThrow(/must be public/);
  });
});

describe('a host that changes is proved and verified anew', () => {
  const policy = MtaStsPolicy.none();
  const resources = (props?: (stack: Stack) => Partial<PolicyHostProps>): unknown[] => {
    const template = hostTemplate(props);
    return ['Custom::MtaStsPublication', 'Custom::MtaStsVerification'].map((type) => {
      const [{ Properties }] = Object.values(template.findResources(type)) as { Properties: { PolicyHost: unknown } }[];
      return Properties.PolicyHost;
    });
  };

  test('with another certificate or web ACL', () => {
    const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
    const webAclArn = 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/senders/11111111-2222-3333-4444-555555555555';
    const all = [resources(), resources(() => ({ webAclArn })),
      resources((stack) => ({ certificate: acm.Certificate.fromCertificateArn(stack, 'Given', arn) }))];
    expect(all[0]).toEqual(resources());
    for (const resource of [0, 1]) {
      expect(new Set(all.map((one) => JSON.stringify(one[resource]))).size).toBe(3);
    }
  });

  test('with another edge function, and not with another domain', () => {
    const stack = testStack();
    const domains = ['example.com', 'example.net'].map((zoneName) => ({ hostedZone: importedZone(stack, zoneName) }));
    const policyHost = new PolicyHost(stack, 'Host', { domains });
    domains.forEach(({ hostedZone }, i) => new MtaSts(stack, `MtaSts${i}`, { hostedZone, policyHost, policy }));
    expect(policyHost._fingerprint.Edge).toMatch(/^[0-9a-f]{32}$/);
    expect(resources()[0]).toMatchObject({ Edge: policyHost._fingerprint.Edge });
  });
});

describe('what can be given', () => {
  test('a certificate of us-east-1', () => {
    const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
    const template = hostTemplate((stack) => ({ certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', arn) }));
    template.resourceCountIs('AWS::CertificateManager::Certificate', 0);
    template.hasResourceProperties('Custom::MtaStsPreflight', { Certificate: 'given' });
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({ ViewerCertificate: Match.objectLike({ AcmCertificateArn: arn }) }),
    });
  });

  test('a bucket for access logs and a web ACL', () => {
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

  test('goes into the bucket for access logs, which lets S3 write it and nothing else', () => {
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

  test('is the same with the feature flag for it', () => {
    const of = (context: Record<string, unknown>): unknown => {
      const stack = testStack({ context });
      const hostedZone = importedZone(stack);
      oneDomain(stack, { hostedZone, policyHost: new PolicyHost(stack, 'Host', { domains: [{ hostedZone }], accessLogBucket: logs(stack) }) });
      return Template.fromStack(stack).toJSON();
    };
    expect(of({ '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true })).toEqual(of({}));
  });

  test('goes into a bucket of another stack of the same Region, whose stack does not need this one', () => {
    const app = new App();
    const accessLogBucket = logs(new Stack(app, 'Logs', { env: ENV }));
    const stack = new Stack(app, 'Test', { env: ENV });
    const hostedZone = importedZone(stack);
    oneDomain(stack, { hostedZone, policyHost: new PolicyHost(stack, 'Host', { domains: [{ hostedZone }], accessLogBucket }) });
    expect(logged(Template.fromStack(stack))).toHaveLength(1);
    expect(stack.dependencies.map(({ stackName }) => stackName)).toEqual(['Logs']);
  });

  test('may be encrypted by a key, which S3 may use', () => {
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
    ['an imported bucket, which may not let S3 write', (stack: Stack) => s3.Bucket.fromBucketName(stack, 'Logs', 'logs')],
    ['a bucket of another Region, which S3 does not take', (stack: Stack) => {
      return new s3.Bucket(new Stack(stack, 'Elsewhere', { env: { ...ENV, region: 'eu-west-1' } }), 'Logs', {
        bucketName: 'logs', objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
      });
    }],
  ])('does not go into %s', (_, accessLogBucket) => {
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
  const fault = '`accessLogBucket` Test/Logs has no access control lists, because its `objectOwnership` is ';
  const wayOut = '. CloudFront needs them to write logs. Write `objectOwnership: ObjectOwnership.OBJECT_WRITER` or `ObjectOwnership.BUCKET_OWNER_PREFERRED`';

  test('is refused if it has no access control lists, which is what S3 does by default', () => {
    expect(withLogs({})).toThrow(`${fault}missing, which means BUCKET_OWNER_ENFORCED${wayOut}`);
    expect(withLogs({ accessControl: s3.BucketAccessControl.PRIVATE })).toThrow(fault);
    expect(withLogs({ objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED })).toThrow(`${fault}BUCKET_OWNER_ENFORCED${wayOut}`);
    expect(withLogs({}, undefined, { '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true })).toThrow(fault);
  });

  test.each<[string, s3.BucketProps, ((bucket: s3.Bucket) => void)?]>([
    ['objects of their writer', { objectOwnership: s3.ObjectOwnership.OBJECT_WRITER }],
    ['objects of the bucket\'s owner, if the writer says so', { objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED }],
    ['an access control list of its own', { accessControl: s3.BucketAccessControl.LOG_DELIVERY_WRITE }],
    ['them by a property of the resource', {}, (bucket) => {
      cfn(bucket).ownershipControls = { rules: [{ objectOwnership: 'BucketOwnerPreferred' }] };
    }],
    ['them by an override', {}, (bucket) => {
      cfn(bucket).addPropertyOverride('OwnershipControls.Rules', [{ ObjectOwnership: 'ObjectWriter' }]);
    }],
  ])('is taken with %s', (_, ...[props, change]) => {
    expect(withLogs(props, change)).not.toThrow();
  });

  test('is refused if an escape hatch takes the lists away, before or after', () => {
    const enforce = (bucket: s3.Bucket): void => {
      cfn(bucket).addPropertyOverride('OwnershipControls.Rules', [{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    };
    expect(withLogs({ objectOwnership: s3.ObjectOwnership.OBJECT_WRITER }, enforce)).toThrow(fault);
    const stack = testStack();
    const accessLogBucket = new s3.Bucket(stack, 'Logs', { objectOwnership: s3.ObjectOwnership.OBJECT_WRITER });
    new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }], accessLogBucket });
    enforce(accessLogBucket);
    expect(() => Template.fromStack(stack)).toThrow(`[Test/Host] ${fault}`);
  });

  test('is taken on trust if it is imported', () => {
    const stack = testStack();
    const accessLogBucket = s3.Bucket.fromBucketName(stack, 'Logs', 'logs');
    expect(() => new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }], accessLogBucket })).not.toThrow();
  });
});

describe('rights', () => {
  test('name each resource: no wildcard, no managed policy', () => {
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
    /** IAM and AWS STS quotas: the inline policies of a role together, white space not counted. */
    const MOST = 10_240;

    const deployed: Record<string, string> = {
      'AWS::Partition': 'aws',
      'AWS::StackId': `arn:aws:cloudformation:us-east-1:123456789012:stack/${'s'.repeat(128)}/11111111-2222-3333-4444-555555555555`,
    };

    /** As it is deployed, with the longest names of the stack and of the log group. */
    function evaluated(value: unknown): unknown {
      if (Array.isArray(value)) return value.map(evaluated);
      if (typeof value !== 'object' || value === null) return value;
      const [[key, argument]] = Object.entries(value) as [string, unknown][];
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

    test('with 100 domains in 100 zones, as many as a host serves', () => {
      const [ten, hundred] = [largest(10), largest(100)];
      // Each zone is in it, once: 21 characters of its id, and the rest of its ARN, quotes and comma.
      expect(hundred - ten).toBe(90 * '"arn:aws:route53:::hostedzone/Z01234567890123456789",'.length);
      expect(hundred).toBeLessThan(MOST);
    }, 60_000);
  });
});
