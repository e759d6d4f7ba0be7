import { describe, expect, test } from '@jest/globals';
import { statSync } from 'node:fs';
import { App, Stack, Stage, aws_route53 as route53 } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification } from '../../lib';
import type { MtaStsDomain, MtaStsDomainsProps } from '../../lib';
import { ENV, importedZone, testStack } from '../support/stack';

const policy = MtaStsPolicy.enforce({ mx: MxHosts.of('mx.example.com') });
const own = MtaStsPolicy.testing({ mx: MxHosts.of('mx.example.net') });
const tlsReporting = TlsReporting.to('mailto:tls-reports@example.com');

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((others) => [item, ...others]));
}

interface Made { made: MtaStsDomains; template: Template }

function domainsOf(exception: Partial<MtaStsDomain> = {}, more: Partial<MtaStsDomainsProps> = {}): Made {
  const stack = testStack();
  const domains = [{ hostedZone: importedZone(stack) }, { hostedZone: importedZone(stack, 'example.net'), ...exception }];
  const made = new MtaStsDomains(stack, 'Mail', { domains, policy, ...more });
  return { made, template: Template.fromStack(stack) };
}

describe('many domains', () => {
  test('have one policy, one host and one function', () => {
    const { made, template } = domainsOf();
    template.resourceCountIs('AWS::CloudFront::Distribution', 1);
    template.resourceCountIs('AWS::Lambda::Function', 2);
    expect(made.all.map(({ domainName, policy: published }) => [domainName, published])).toEqual([['example.com', policy], ['example.net', policy]]);
    expect(new Set(made.all.map(({ policyHost }) => policyHost))).toEqual(new Set([made.policyHost]));
  });

  test('announce each the id of its own publication', () => {
    const { made, template } = domainsOf();
    const publications = made.all.map(({ policyId }) => (Stack.of(made).resolve(policyId) as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt']);
    expect(publications).toEqual([[expect.any(String), 'PolicyId'], [expect.any(String), 'PolicyId']]);
    expect(new Set(publications.map(([name]) => name)).size).toBe(2);
    for (const [i, name] of ['example.com', 'example.net'].entries()) {
      template.hasResourceProperties('AWS::Route53::RecordSet', {
        Name: `_mta-sts.${name}.`, ResourceRecords: [{ 'Fn::Join': ['', ['"v=STSv1; id=', { 'Fn::GetAtt': publications[i] }, ';"']] }],
      });
      template.hasResourceProperties('Custom::MtaStsVerification', { DomainName: name, PolicyId: { 'Fn::GetAtt': publications[i] } });
    }
  });

  test('may have exceptions from the policy and from the reporting', () => {
    const { made, template } = domainsOf({ policy: own, tlsReporting: TlsReporting.to('mailto:other@example.net') }, { tlsReporting });
    expect(made.all.map(({ policy: published }) => published)).toEqual([policy, own]);
    for (const [domain, address] of [['example.com', 'tls-reports@example.com'], ['example.net', 'other@example.net']]) {
      template.hasResourceProperties('AWS::Route53::RecordSetGroup', { RecordSets: Match.arrayWith([Match.objectLike({
        Name: `_smtp._tls.${domain}.`, ResourceRecords: [`"v=TLSRPTv1; rua=mailto:${address}"`],
      })]) });
    }
  });

  test('are verified as is asked for', () => {
    domainsOf({}, { verification: Verification.REPORT_ONLY }).template.allResourcesProperties('Custom::MtaStsVerification', { OnFailure: 'report' });
  });

  test('may be served by a host that is there', () => {
    const stack = testStack();
    const domains = ['example.com', 'example.net', 'example.org'].map((name) => ({ hostedZone: importedZone(stack, name) }));
    const policyHost = new PolicyHost(stack, 'Host', { domains });
    new MtaStsDomains(stack, 'Some', { domains: domains.slice(0, 2), policy, policyHost });
    expect(new MtaStsDomains(stack, 'Others', { domains: domains.slice(2), policy, policyHost }).policyHost).toBe(policyHost);
    Template.fromStack(stack).resourceCountIs('AWS::CloudFront::Distribution', 1);
  });

  test('are published alike in any order: the same template, byte by byte', () => {
    const names = ['example.com', 'a.example', 'xn--mller-kva.example'];
    const outputOf = (order: readonly string[], region: string): string => {
      const stack = new Stack(new App(), 'Test', { env: { ...ENV, region } });
      const zones = new Map(names.map((name) => [name, route53.HostedZone.fromHostedZoneAttributes(stack, name, { hostedZoneId: `Z${name.length}`, zoneName: name })]));
      // One of them has its DNS elsewhere.
      const domains = order.map((domainName) => ({ domainName, hostedZone: domainName === 'a.example' ? undefined : zones.get(domainName) }));
      const { all } = new MtaStsDomains(stack, 'Mail', { domains, policy, tlsReporting });
      expect(all.map(({ domainName }) => domainName)).toEqual(order);
      const inner = stack.node.tryFindChild('MtaStsUsEast1');
      return JSON.stringify(Template.fromStack(inner instanceof Stack ? inner : stack).toJSON());
    };
    for (const region of ['us-east-1', 'eu-west-1']) {
      const first = outputOf(names, region);
      for (const order of permutations(names).slice(1)) expect(outputOf(order, region)).toBe(first);
    }
  });

  test('are published alike in any order by constructs of their own at one host', () => {
    const templateOf = (order: readonly string[]): string => {
      const stack = testStack();
      const zones = ['example.com', 'example.net', 'example.org'].map((name) => importedZone(stack, name));
      const domains = order.map((name) => ({ hostedZone: zones.find(({ zoneName }) => zoneName === name) }));
      const policyHost = new PolicyHost(stack, 'Host', { domains });
      for (const hostedZone of zones) new MtaSts(stack, hostedZone.zoneName, { hostedZone, policy, policyHost });
      return JSON.stringify(Template.fromStack(stack).toJSON());
    };
    const all = permutations(['example.com', 'example.net', 'example.org']).map(templateOf);
    expect(new Set(all).size).toBe(1);
  });

  test('when one is added change the certificate, and keep every logical id', () => {
    const resourcesOf = (...names: string[]): Record<string, unknown> => {
      const stack = testStack();
      new MtaStsDomains(stack, 'Mail', { domains: names.map((name) => ({ hostedZone: importedZone(stack, name) })), policy });
      return Template.fromStack(stack).toJSON().Resources as Record<string, unknown>;
    };
    const before = resourcesOf('example.com', 'example.net');
    const after = resourcesOf('a.example', 'example.net', 'example.com');
    expect(Object.keys(after)).toEqual(expect.arrayContaining(Object.keys(before)));
    expect(Object.keys(after)).toHaveLength(Object.keys(before).length + 4);
  });

  test('are each named once, at a host that is there too', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] });
    const domains = [{ hostedZone }, { hostedZone, domainName: 'EXAMPLE.com' }];
    expect(() => new MtaStsDomains(stack, 'Mail', { domains, policy, policyHost })).toThrow('`domains` must contain each domain once, got example.com twice');
  });

  test('are at least one', () => {
    expect(() => new MtaStsDomains(testStack(), 'Mail', { domains: [], policy })).toThrow('`domains` must contain at least one domain, got none');
  });

  test('fit one stack, a hundred of them: its 500 resources, and the 1 MB of a template', () => {
    const stack = testStack();
    const domains = Array.from({ length: 100 }, (_, i) => ({ hostedZone: importedZone(stack, `domain-${i}.example.com`) }));
    new MtaStsDomains(stack, 'Mail', { domains, policy, tlsReporting });
    // Which says it where there are more resources than 500.
    const [{ templateFullPath }] = Stage.of(stack)?.synth().stacks ?? [];
    expect(statSync(templateFullPath).size).toBeLessThan(1_048_576);
  }, 60_000);
});
