// The certificate of a policy host that the user gives.
import { describe, expect, test } from '@jest/globals';
import { App, Lazy, Stack, aws_certificatemanager as acm } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import type { PolicyHostProps } from '../../../../lib';
import { hostTemplate } from '../../../support/policy-host';
import { ENV, importedZone } from '../../../support/stack';

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

  test('PolicyHost refuses a certificate of another Region', () => {
    const arn = 'arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
    expect(() => hostTemplate((stack) => ({ certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', arn) })))
      .toThrow(/must be of us-east-1.*got arn:aws:acm:eu-west-1/);
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

  test('the distribution uses a given certificate of us-east-1', () => {
    const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
    const template = hostTemplate((stack) => ({ certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', arn) }));
    template.resourceCountIs('AWS::CertificateManager::Certificate', 0);
    template.hasResourceProperties('Custom::MtaStsPreflight', { Certificate: 'given' });
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({ ViewerCertificate: Match.objectLike({ AcmCertificateArn: arn }) }),
    });
  });
});
