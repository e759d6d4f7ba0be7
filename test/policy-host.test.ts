import { describe, expect, test } from '@jest/globals';
import { App, Stack, aws_certificatemanager as acm, aws_s3 as s3 } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { PolicyHost } from '../lib';
import type { PolicyHostProps } from '../lib';
import { ENV, importedZone, oneDomain, testStack } from './support/stack';

function hostTemplate(props: (stack: Stack) => Partial<PolicyHostProps> = () => ({})): Template {
  const stack = testStack();
  new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }], ...props(stack) });
  return Template.fromStack(stack);
}

describe('refuses', () => {
  test('another Region', () => {
    const stack = new Stack(new App(), 'Test', { env: { ...ENV, region: 'eu-west-1' } });
    expect(() => new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack) }] })).toThrow(/must be in us-east-1/);
  });

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

  test('lets the function write and delete the policy file and nothing else', () => {
    const [policy] = Object.values(template.findResources('AWS::S3::BucketPolicy')) as {
      Properties: { PolicyDocument: { Statement: { Effect: string; Action: unknown; Resource: unknown; Principal: { AWS?: unknown } }[] } };
    }[];
    const granted = policy.Properties.PolicyDocument.Statement.filter(({ Effect, Principal }) => Effect === 'Allow' && Principal.AWS !== undefined);
    expect(granted).toHaveLength(1);
    expect(granted[0].Action).toEqual(['s3:DeleteObject', 's3:PutObject']);
    expect(JSON.stringify(granted[0].Resource)).toContain('/mta-sts.example.com/.well-known/mta-sts.txt');
    expect(JSON.stringify(granted[0].Resource)).not.toContain('*');
  });

  test('lets only this distribution read', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({
        Effect: 'Allow',
        Action: 's3:GetObject',
        Principal: { Service: 'cloudfront.amazonaws.com' },
        Condition: { StringEquals: { 'AWS:SourceArn': Match.anyValue() } },
      })]) },
    });
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
    template.resourceCountIs('AWS::CloudFront::OriginAccessControl', 1);
    config({ Origins: [Match.objectLike({ OriginAccessControlId: Match.anyValue(), S3OriginConfig: { OriginAccessIdentity: '' } })] });
  });

  test('answers for the policy host alone, over IPv4 and IPv6', () => {
    config({ Aliases: ['mta-sts.example.com'] });
    for (const Type of ['A', 'AAAA']) {
      template.hasResourceProperties('AWS::Route53::RecordSet', { Name: 'mta-sts.example.com.', Type, AliasTarget: Match.anyValue() });
    }
  });
});

describe('what can be given', () => {
  test('a certificate of us-east-1', () => {
    const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
    const template = hostTemplate((stack) => ({ certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', arn) }));
    template.resourceCountIs('AWS::CertificateManager::Certificate', 0);
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
});
