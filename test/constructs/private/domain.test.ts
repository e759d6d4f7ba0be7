// The policy domain of a construct: its name, and the rule that only one construct of an app publishes and serves it.
import { describe, expect, test } from '@jest/globals';
import { App, NestedStack, Stack, Stage, Validations } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { DelegatedMtaSts, MtaSts, MtaStsDomains, MtaStsPolicy, PolicyHost } from '../../../lib';
import { policyDomain } from '../../../lib/private/domain';
import { ENV, importedZone, testStack } from '../../support/stack';

const policy = MtaStsPolicy.none();

type Make = (scope: Construct, id: string, domainName?: string) => Construct;

const zoneOf = (scope: Construct, domain = 'example.com'): ReturnType<typeof importedZone> => {
  const stack = Stack.of(scope);
  const known = stack.node.tryFindChild(`Zone-${domain}`);
  return known === undefined ? importedZone(stack, domain) : known as ReturnType<typeof importedZone>;
};

const mtaSts: Make = (scope, id, domainName) => new MtaSts(scope, id, { hostedZone: zoneOf(scope), domainName, policy });
const externalDns: Make = (scope, id, domainName = 'example.com') => new MtaSts(scope, id, { domainName, policy });
const delegated: Make = (scope, id, domainName) => {
  return new DelegatedMtaSts(scope, id, { hostedZone: zoneOf(scope), domainName, provider: 'provider.example' });
};
const domains: Make = (scope, id, domainName) => {
  return new MtaStsDomains(scope, id, { domains: [{ hostedZone: zoneOf(scope), domainName }], policy });
};
const host: Make = (scope, id, domainName) => new PolicyHost(scope, id, { domains: [{ hostedZone: zoneOf(scope), domainName }] });

const PAIRS: [string, Make, Make, string][] = [
  ['MtaSts and MtaSts', mtaSts, mtaSts, 'published'],
  ['MtaSts and MtaSts with external DNS', mtaSts, externalDns, 'published'],
  ['MtaSts and DelegatedMtaSts', mtaSts, delegated, 'published'],
  ['DelegatedMtaSts and MtaSts', delegated, mtaSts, 'delegated'],
  ['DelegatedMtaSts and DelegatedMtaSts', delegated, delegated, 'delegated'],
  ['MtaStsDomains and MtaSts', domains, mtaSts, '(?:published|served)'],
  ['MtaSts and MtaStsDomains', mtaSts, domains, '(?:published|served)'],
  ['MtaStsDomains and MtaStsDomains', domains, domains, '(?:published|served)'],
  ['MtaStsDomains and DelegatedMtaSts', domains, delegated, '(?:published|served)'],
  ['PolicyHost and PolicyHost', host, host, 'served'],
  ['PolicyHost and DelegatedMtaSts', host, delegated, 'served'],
  ['PolicyHost and an MtaSts with a host of its own', host, mtaSts, 'served'],
];

/** Returns a stack of another Region. Its resources are in an inner us-east-1 stack. */
const europe = (app: Construct = new App(), id = 'Mail'): Stack => new Stack(app, id, { env: { ...ENV, region: 'eu-central-1' } });

const warnings = (stack: Stack): string[] => Annotations.fromStack(stack)
  .findWarning('*', Match.stringLikeRegexp('A domain has one policy')).map(({ id, entry }) => `${id} ${JSON.stringify(entry.data).slice(1, -1)}`);

describe.each(PAIRS)('%s for one domain', (pair, one, other, how) => {
  test(`${pair} for one domain are an error in one stack`, () => {
    const stack = testStack();
    one(stack, 'One');
    expect(() => other(stack, 'Other')).toThrow(new RegExp(
      `^example\\.com is already ${how} by Test/One\\S*, a construct of the same stack\\. A domain has one policy \\(RFC 8461 §3\\.1\\), and both constructs need `
      + 'the same names\\. Remove one of them, or give Test/Other\\S* another domain$'));
  });

  test(`${pair} for one domain are an error in a stack of another Region`, () => {
    const stack = europe();
    one(stack, 'One');
    expect(() => other(new Construct(stack, 'Part'), 'Other')).toThrow(/^example\.com is already \w+ by Mail\/One\S*/);
  });

  test(`${pair} for one domain are a warning across stacks, which can be acknowledged`, () => {
    const app = new App();
    const [first, second] = [new Stack(app, 'First', { env: ENV }), europe(app, 'Second')];
    one(first, 'One');
    const made = other(second, 'Other');
    expect(warnings(second)).toEqual([expect.stringMatching(new RegExp(
      `^/Second/Other\\S* example\\.com is ${how} in the stack First too, by First/One\\S*\\. A domain has one policy \\(RFC 8461 §3\\.1\\), and the stack that is deployed `
      + 'second fails, because the names are taken\\. Keep one of them, or acknowledge this warning'))]);
    expect(warnings(first)).toEqual([]);
    Validations.of(made).acknowledge({ id: 'cdk-mta-sts:domainTwice', reason: 'one is deployed at a time' });
    expect(warnings(second)).toEqual([]);
  });
});

describe('one domain', () => {
  test.each([
    ['in upper and lower case', 'EXAMPLE.com', 'example.com'],
    ['in Unicode and in A-labels', 'bücher.example.com', 'xn--bcher-kva.example.com'],
  ])('a domain is recognized as the same one %s', (_, written, again) => {
    const stack = testStack();
    mtaSts(stack, 'One', written);
    expect(() => mtaSts(stack, 'Other', again)).toThrow(/ is already published by Test\/One/);
  });

  test('a domain is recognized as the same one if the name of its zone ends with a dot', () => {
    const stack = testStack();
    new MtaSts(stack, 'One', { hostedZone: importedZone(stack, 'example.com.'), policy });
    expect(() => mtaSts(stack, 'Other')).toThrow(/^example\.com is already published by Test\/One/);
  });

  test('a domain is recognized as the same one in nested stacks of one stack', () => {
    const stack = testStack();
    mtaSts(new NestedStack(stack, 'Inner'), 'One');
    expect(() => mtaSts(stack, 'Other')).toThrow(/^example\.com is already published by Test\/Inner\/One/);
    expect(() => mtaSts(new NestedStack(stack, 'Another'), 'Other')).toThrow(/^example\.com is already published by Test\/Inner\/One/);
  });

  test('a domain in two stages is a warning, because both can be deployed to one account', () => {
    const app = new App();
    const inStage = (id: string): Stack => new Stack(new Stage(app, id, { env: ENV }), 'Mail');
    const [beta, prod] = [inStage('Beta'), inStage('Prod')];
    mtaSts(beta, 'MtaSts');
    mtaSts(prod, 'MtaSts');
    expect(warnings(prod)).toEqual([expect.stringContaining('example.com is published in the stack Beta/Mail too, by Beta/Mail/MtaSts. ')]);
  });

  test('one app can serve a domain with external DNS and delegate it in its zone', () => {
    const stack = testStack();
    externalDns(stack, 'Serving');
    delegated(stack, 'Zone');
    expect(warnings(stack)).toEqual([]);
    // Two constructs that delegate, or two that serve, are still an error.
    expect(() => delegated(stack, 'Again')).toThrow(/^example\.com is already delegated by Test\/Zone/);
    expect(() => externalDns(stack, 'Second')).toThrow(/^example\.com is already published by Test\/Serving/);
  });

  test('a domain can be in two apps', () => {
    mtaSts(testStack(), 'One');
    expect(() => mtaSts(testStack(), 'One')).not.toThrow();
  });

  test('a domain and a domain below it can be in one stack', () => {
    const stack = testStack();
    mtaSts(stack, 'One');
    mtaSts(stack, 'Below', 'lists.example.com');
    expect(warnings(stack)).toEqual([]);
  });

  test('a PolicyHost can serve a domain that another construct publishes', () => {
    const stack = testStack();
    const hostedZone = zoneOf(stack);
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone }] });
    new MtaSts(stack, 'MtaSts', { hostedZone, policyHost, policy });
    expect(warnings(stack)).toEqual([]);
  });

  test('a domain is free again when its construct is removed from the tree or threw an error', () => {
    const stack = testStack();
    new DelegatedMtaSts(stack, 'One', { hostedZone: zoneOf(stack), provider: 'provider.example' });
    stack.node.tryRemoveChild('One');
    expect(() => new DelegatedMtaSts(stack, 'Two', { hostedZone: zoneOf(stack), provider: 'example.com' })).toThrow(/`provider` must be another domain/);
    expect(() => delegated(stack, 'Three')).not.toThrow();
  });

  test('another copy of the package finds the claim of a domain', () => {
    const stack = testStack();
    mtaSts(stack, 'One');
    // The other copy reads this map: all copies share a symbol of the global registry.
    const claims: unknown = Reflect.get(stack.node.root, Symbol.for('cdk-mta-sts.claims'));
    expect(claims instanceof Map && claims.has('example.com')).toBe(true);
  });

  test('a hundred domains in two stacks are one warning', () => {
    const app = new App();
    const [first, second] = [new Stack(app, 'First', { env: ENV }), new Stack(app, 'Second', { env: ENV })];
    for (const stack of [first, second]) {
      for (let i = 0; i < 100; i += 1) delegated(stack, `MtaSts${i}`, `d${i}.example.com`);
    }
    expect(warnings(second)).toEqual([expect.stringMatching(
      /^\/Second 100 domains \(d0\.example\.com, d1\.example\.com, d2\.example\.com and 97 more\) are delegated in the stack First too\. A domain has one policy/)]);
  });
});

describe('the policy domain', () => {
  test('a domain name can be written in any script', () => {
    expect(policyDomain('Bücher.example', undefined)).toBe('xn--bcher-kva.example');
    expect(policyDomain('почта.рф', undefined)).toBe('xn--80a1acny.xn--p1ai');
  });

  test.each([
    ['my\u2011shop.example.com', '`domainName` "my‑shop.example.com" contains U+2011 (non-breaking hyphen); write a hyphen (RFC 5321 §4.1.2)'],
    ['example.com\u200b', '`domainName` "example.com\\u{200b}" contains U+200B (zero-width space); remove it (RFC 5321 §4.1.2)'],
    ['example\uff0ecom', '`domainName` "example．com" contains U+FF0E (fullwidth full stop); write a dot (RFC 5321 §4.1.2)'],
    ['ex\u0430mple.com', '`domainName` "exаmple.com" contains U+0430 (Cyrillic, looks like `a`); write `a` (RFC 5321 §4.1.2)'],
  ])('a domain name with a misleading character is refused: %j', (domain, message) => {
    expect(() => policyDomain(domain, undefined)).toThrow(new Error(message));
  });
});
