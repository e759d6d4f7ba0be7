// A policy host and its domains: what both must agree on, and when files are proved live again.
import { describe, expect, test } from '@jest/globals';
import { App, Stack, Validations, aws_certificatemanager as acm, aws_ec2 as ec2, aws_route53 as route53 } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsPolicy, PolicyHost } from '../../lib';
import type { PolicyHostProps } from '../../lib';
import { hostTemplate } from '../support/policy-host';
import { firstItem } from '../support/items';
import { ENV, importedZone, oneDomain, testStack } from '../support/stack';

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
      return firstItem(found).Properties.PolicyHost;
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
