// Many domains on one policy host: one policy for all, and other policies where needed.
import { describe, expect, test } from '@jest/globals';
import { statSync } from 'node:fs';
import { App, Stack, Stage, aws_route53 as route53 } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification } from '../../lib';
import type { MtaStsDomain, MtaStsDomainsProps } from '../../lib';
import { firstItem } from '../support/items';
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
  test('many domains share one policy, one host and one function', () => {
    const { made, template } = domainsOf();
    template.resourceCountIs('AWS::CloudFront::Distribution', 1);
    template.resourceCountIs('AWS::Lambda::Function', 2);
    expect(made.all.map(({ domainName, policy: published }) => [domainName, published])).toEqual([['example.com', policy], ['example.net', policy]]);
    expect(new Set(made.all.map(({ policyHost }) => policyHost))).toEqual(new Set([made.policyHost]));
  });

  test('each of many domains has the id of its own publication in its `_mta-sts` record', () => {
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

  test('one of many domains can have another policy and other TLS reporting', () => {
    const { made, template } = domainsOf({ policy: own, tlsReporting: TlsReporting.to('mailto:other@example.net') }, { tlsReporting });
    expect(made.all.map(({ policy: published }) => published)).toEqual([policy, own]);
    for (const [domain, address] of [['example.com', 'tls-reports@example.com'], ['example.net', 'other@example.net']]) {
      template.hasResourceProperties('AWS::Route53::RecordSetGroup', { RecordSets: Match.arrayWith([Match.objectLike({
        Name: `_smtp._tls.${domain}.`, ResourceRecords: [`"v=TLSRPTv1; rua=mailto:${address}"`],
      })]) });
    }
  });

  test('many domains are verified with the given `verification`', () => {
    domainsOf({}, { verification: Verification.REPORT_ONLY }).template.allResourcesProperties('Custom::MtaStsVerification', { OnFailure: 'report' });
  });

  test('many domains can be served by a given policy host', () => {
    const stack = testStack();
    const domains = ['example.com', 'example.net', 'example.org'].map((name) => ({ hostedZone: importedZone(stack, name) }));
    const policyHost = new PolicyHost(stack, 'Host', { domains });
    new MtaStsDomains(stack, 'Some', { domains: domains.slice(0, 2), policy, policyHost });
    expect(new MtaStsDomains(stack, 'Others', { domains: domains.slice(2), policy, policyHost }).policyHost).toBe(policyHost);
    Template.fromStack(stack).resourceCountIs('AWS::CloudFront::Distribution', 1);
  });

  test('the order of many domains does not change the template', () => {
    const names = ['example.com', 'a.example', 'xn--mller-kva.example'];
    const outputOf = (order: readonly string[], region: string): string => {
      const stack = new Stack(new App(), 'Test', { env: { ...ENV, region } });
      const zones = new Map(names.map((name) => [name, route53.HostedZone.fromHostedZoneAttributes(stack, name, { hostedZoneId: `Z${name.length}`, zoneName: name })]));
      // One domain has external DNS.
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

  test('the order of the domains of a policy host does not change the template', () => {
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

  test('many domains keep every logical id when a domain is added', () => {
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

  test('a domain that is listed twice is refused, also with a given policy host', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] });
    const domains = [{ hostedZone }, { hostedZone, domainName: 'EXAMPLE.com' }];
    expect(() => new MtaStsDomains(stack, 'Mail', { domains, policy, policyHost })).toThrow('`domains` must contain each domain once, got example.com twice');
  });

  test('an empty list of domains is refused', () => {
    expect(() => new MtaStsDomains(testStack(), 'Mail', { domains: [], policy })).toThrow('`domains` must contain at least one domain, got none');
  });

  test('a hundred domains fit the 500 resources of a stack and the 1 MB of a template', () => {
    const stack = testStack();
    const domains = Array.from({ length: 100 }, (_, i) => ({ hostedZone: importedZone(stack, `domain-${i}.example.com`) }));
    new MtaStsDomains(stack, 'Mail', { domains, policy, tlsReporting });
    // Synthesis fails for more than 500 resources.
    const template = firstItem(Stage.of(stack)?.synth().stacks ?? []);
    expect(statSync(template.templateFullPath).size).toBeLessThan(1_048_576);
  }, 60_000);
});
