// A domain that uses the policy of a provider, by two CNAME records (RFC 8461 §8.2).
import { describe, expect, test } from '@jest/globals';
import { App, Aws, Stack, aws_ec2 as ec2, aws_route53 as route53 } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { DelegatedMtaSts, TlsReporting } from '../../lib';
import type { DelegatedMtaStsProps } from '../../lib';
import { firstItem } from '../support/items';
import { ENV, importedZone, testStack } from '../support/stack';

const tlsReporting = TlsReporting.to('mailto:tls-reports@example.com');

function delegated(stack: Stack, props: Partial<DelegatedMtaStsProps> = {}): DelegatedMtaSts {
  const hostedZone = props.hostedZone ?? importedZone(stack);
  return new DelegatedMtaSts(stack, 'MtaSts', { hostedZone, provider: 'provider.example', ...props });
}

function recordsOf(stack: Stack): unknown[] {
  const all = Template.fromStack(stack).findResources('AWS::Route53::RecordSet') as Record<string, { Properties: Record<string, unknown> }>;
  return Object.values(all).map(({ Properties: { Name, Type, ResourceRecords, TTL } }) => ({ Name, Type, ResourceRecords, TTL }));
}

const CNAMES = [
  { Name: 'mta-sts.example.com.', Type: 'CNAME', ResourceRecords: ['mta-sts.provider.example'], TTL: '300' },
  { Name: '_mta-sts.example.com.', Type: 'CNAME', ResourceRecords: ['_mta-sts.provider.example'], TTL: '300' },
];

describe('errors at synthesis', () => {
  test.each([
    ['', /`provider` "" is empty; a host name is expected\. Expected: the whole domain whose policy is used, for example provider\.example/],
    ['not a host', /`provider` "not a host" contains ` `; only letters, digits, hyphens and dots are allowed\. Expected: the whole domain/],
    ['provider.example.', /`provider` "provider\.example\." ends with a dot; write `provider\.example`\. Expected/],
    ['192.0.2.1', /`provider` "192\.0\.2\.1" is an IPv4 address; a host name is expected/],
    ['_x.provider.example', /`provider` "_x\.provider\.example" contains an underscore/],
    ['provider', /`provider` "provider" is a single label\. Expected: the whole domain/],
    ['example.com', /`provider` must be another domain than the policy domain, got example\.com for both\. Each CNAME would point to itself\./],
    ['Example.COM', /got example\.com for both\. .* or serve a policy of your own with `MtaSts` \(RFC 8461 §8\.2\)/],
    ['mta-sts.provider.example', /got "mta-sts\.provider\.example"\. The construct itself puts `mta-sts\.` and `_mta-sts\.` before it\. Write `provider: 'provider\.example'`\./],
    ['_MTA-STS.provider.example', /got "_MTA-STS\.provider\.example"\. .* Write `provider: 'provider\.example'`\. .*also give `recordTarget`/],
    ['mta-sts.', /got "mta-sts\."\. .* Write the domain, for example `provider: 'provider\.example'`/],
    ['https://mta-sts.provider.example:443/.well-known/mta-sts.txt',
      /must be the domain alone, got the URL "https:\/\/.*"\. Write `provider: 'provider\.example'` \(RFC 8461 §8\.2\)/],
    ['HTTPS://Provider.Example', /got the URL "HTTPS:\/\/Provider\.Example"\. Write `provider: 'provider\.example'`/],
    ['https://', /got the URL "https:\/\/"\. Write the domain, for example `provider: 'provider\.example'`/],
    [`mail.${Aws.REGION}.example`, /`provider` must be known at synthesis, got a token, which cannot be checked\. Write it out: `provider: '/],
  ])('DelegatedMtaSts refuses the provider %j', (provider, message) => {
    expect(() => delegated(testStack(), { provider })).toThrow(message);
  });

  test.each([
    [246, /`policyHostTarget` "mta-sts\.a\..*" has 254 characters; a name has at most 253\. .*The default is `mta-sts\.<provider>` \(RFC 1035/],
    [245, /`recordTarget` "_mta-sts\.a\..*" has 254 characters; a name has at most 253\. .*The default is `_mta-sts\.<provider>` \(RFC 1035/],
  ])('DelegatedMtaSts refuses a provider of %i characters', (length, message) => {
    expect(() => delegated(testStack(), { provider: `${'a.'.repeat(119)}${'b'.repeat(length - 238)}` })).toThrow(message);
  });

  test.each([
    ['mta-sts.example.com', /`policyHostTarget` must be a name of the provider, got mta-sts\.example\.com, .* point to itself or to the other CNAME\./],
    ['_mta-sts.provider.example', /`policyHostTarget` "_mta-sts\.provider\.example" contains an underscore.*The default is `mta-sts\.<provider>`/],
    ['host.provider.example.', /`policyHostTarget` "host\.provider\.example\." ends with a dot; write `host\.provider\.example`/],
    [Aws.URL_SUFFIX, /`policyHostTarget` must be known at synthesis, got a token.*Write it out: the name that the provider documents/],
  ])('DelegatedMtaSts refuses the target of the policy host %j', (policyHostTarget, message) => {
    expect(() => delegated(testStack(), { policyHostTarget })).toThrow(message);
  });

  test.each([
    ['_MTA-STS.example.com', /`recordTarget` must be a name of the provider, got _mta-sts\.example\.com, .* Leave the property out, or write the name/],
    ['mta-sts.example.com', /`recordTarget` must be a name of the provider, got mta-sts\.example\.com, one of the two delegated names\./],
    ['__x.provider.example', /`recordTarget` "__x\.provider\.example" contains an underscore.*The default is `_mta-sts\.<provider>` \(RFC 1035/],
    ['_.provider.example', /`recordTarget` "_\.provider\.example" contains an underscore/],
    [Aws.URL_SUFFIX, /`recordTarget` must be known at synthesis, got a token/],
  ])('DelegatedMtaSts refuses the target of the record %j', (recordTarget, message) => {
    expect(() => delegated(testStack(), { recordTarget })).toThrow(message);
  });

  test('DelegatedMtaSts refuses a private hosted zone', () => {
    const stack = testStack();
    const hostedZone = new route53.PrivateHostedZone(stack, 'Private', { zoneName: 'example.com', vpc: new ec2.Vpc(stack, 'Vpc') });
    expect(() => delegated(stack, { hostedZone })).toThrow(/`hostedZone` must be public, got a private hosted zone/);
  });

  test('DelegatedMtaSts refuses a domain that is not in the zone', () => {
    expect(() => delegated(testStack(), { domainName: 'example.net' }))
      .toThrow(/`domainName` must be the name of the hosted zone or below it, got example\.net for the zone example\.com/);
  });
});

describe('records', () => {
  test('DelegatedMtaSts creates two CNAME records with a TTL of five minutes and nothing else', () => {
    const stack = testStack();
    delegated(stack);
    expect(recordsOf(stack)).toEqual(CNAMES);
    expect(Object.keys(Template.fromStack(stack).toJSON().Resources as object)).toHaveLength(2);
  });

  test('DelegatedMtaSts creates the record for TLS reports if `tlsReporting` is given', () => {
    const stack = testStack();
    delegated(stack, { tlsReporting });
    expect(recordsOf(stack)).toContainEqual(
      { Name: '_smtp._tls.example.com.', Type: 'TXT', ResourceRecords: ['"v=TLSRPTv1; rua=mailto:tls-reports@example.com"'], TTL: '300' },
    );
  });

  test.each([
    ['another Region', { ...ENV, region: 'eu-west-1' }],
    ['no Region', undefined],
  ])('DelegatedMtaSts creates the same records in a stack of %s', (_where, env) => {
    const stack = new Stack(new App(), 'Test', { env });
    delegated(stack);
    expect(recordsOf(stack)).toEqual(CNAMES);
  });

  test('DelegatedMtaSts creates records for a domain below the zone, with given targets', () => {
    const stack = testStack();
    delegated(stack, { domainName: 'mail.example.com', recordTarget: '_Id._sts.provider.example', policyHostTarget: 'sts.provider.example' });
    expect(recordsOf(stack)).toMatchObject([
      { Name: 'mta-sts.mail.example.com.', ResourceRecords: ['sts.provider.example'] },
      { Name: '_mta-sts.mail.example.com.', ResourceRecords: ['_id._sts.provider.example'] },
    ]);
  });

  test('DelegatedMtaSts creates records in a zone that is imported by its id, with a given domain', () => {
    const stack = testStack();
    delegated(stack, { hostedZone: route53.HostedZone.fromHostedZoneId(stack, 'ById', 'Z0123456789ABCDEFGHIJ'), domainName: 'example.com' });
    expect(recordsOf(stack)).toEqual(CNAMES);
  });

  test('DelegatedMtaSts creates the `_mta-sts` record after the record of the policy host', () => {
    const stack = testStack();
    delegated(stack);
    const template = Template.fromStack(stack);
    const named = (Name: string): Record<string, { DependsOn?: string[] }> =>
      template.findResources('AWS::Route53::RecordSet', { Properties: { Name } });
    const [host, hostRecord] = firstItem(Object.entries(named('mta-sts.example.com.')));
    expect(Object.values(named('_mta-sts.example.com.')).map(({ DependsOn }) => DependsOn)).toEqual([[host]]);
    expect(hostRecord.DependsOn).toBeUndefined();
  });
});

describe('properties', () => {
  test('DelegatedMtaSts returns the domain and the URL of its policy', () => {
    expect(delegated(testStack(), { domainName: 'Mail.Example.COM' })).toMatchObject({
      domainName: 'mail.example.com',
      policyUrl: 'https://mta-sts.mail.example.com/.well-known/mta-sts.txt',
    });
  });

  test('DelegatedMtaSts returns every record as text, with the provider in A-labels', () => {
    expect(delegated(testStack(), { provider: 'Müller.example', tlsReporting }).records).toEqual([
      { name: 'mta-sts.example.com', type: 'CNAME', value: 'mta-sts.xn--mller-kva.example' },
      { name: '_mta-sts.example.com', type: 'CNAME', value: '_mta-sts.xn--mller-kva.example' },
      { name: '_smtp._tls.example.com', type: 'TXT', value: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com' },
    ]);
  });

  test('DelegatedMtaSts returns no record for TLS reports without `tlsReporting`', () => {
    expect(delegated(testStack()).records.map(({ name }) => name)).toEqual(['mta-sts.example.com', '_mta-sts.example.com']);
  });
});
