// Hosted zones as users give them: names in Unicode, ids in the form of the API, private zones, and zones of no mail domain.
import { describe, expect, test } from '@jest/globals';
import { App, CfnResource, Aws, Stack, aws_ec2 as ec2, aws_route53 as route53 } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { DelegatedMtaSts, MtaSts, MtaStsDomains, MtaStsPolicy, PolicyHost } from '../../../lib';
import { ENV, importedZone, testStack } from '../../support/stack';

const policy = MtaStsPolicy.none();

/** Constructs that take a zone. */
const TAKERS: [string, (stack: Stack, hostedZone: route53.IHostedZone, domainName?: string) => unknown][] = [
  ['MtaSts', (stack, hostedZone, domainName) => new MtaSts(stack, 'Taker', { hostedZone, domainName, policy })],
  ['MtaStsDomains', (stack, hostedZone, domainName) => new MtaStsDomains(stack, 'Taker', { domains: [{ hostedZone, domainName }], policy })],
  ['DelegatedMtaSts', (stack, hostedZone, domainName) => new DelegatedMtaSts(stack, 'Taker', { hostedZone, domainName, provider: 'provider.example' })],
  ['PolicyHost', (stack, hostedZone, domainName) => new PolicyHost(stack, 'Taker', { domains: [{ hostedZone, domainName }] })],
];

function zone(stack: Stack, zoneName: string, hostedZoneId = 'Z1'): route53.IHostedZone {
  return route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId, zoneName });
}

function templateText(stack: Stack): string {
  const inner = stack.node.tryFindChild('MtaStsUsEast1');
  return JSON.stringify(Template.fromStack(inner instanceof Stack ? inner : stack).toJSON());
}

describe.each(TAKERS)('%s', (taker, take) => {
  test.each(['bücher.example', 'BÜCHER.example', 'bücher.example.', 'xn--bcher-kva.example', 'XN--BCHER-KVA.example.'])(`${taker} converts the zone name %j to A-labels`, (name) => {
    const [stack, plain] = [testStack(), testStack()];
    take(stack, zone(stack, name));
    take(plain, zone(plain, 'xn--bcher-kva.example'));
    expect(templateText(stack)).toBe(templateText(plain));
  });

  test(`${taker} takes a domain in Unicode below a zone in Unicode`, () => {
    const stack = testStack();
    take(stack, zone(stack, 'bücher.example'), 'post.bücher.example');
    expect(templateText(stack)).toContain('mta-sts.post.xn--bcher-kva.example');
  });

  test.each([
    ['/hostedzone/Z1', 'us-east-1'], ['hostedzone/Z1', 'us-east-1'], ['arn:aws:route53:::hostedzone/Z1', 'us-east-1'], ['/hostedzone/Z1', 'eu-west-1'],
  ])(`${taker} writes the zone id %j without the prefix in every resource, in %s`, (id, region) => {
    const stackIn = (): Stack => new Stack(new App(), 'Test', { env: { ...ENV, region } });
    const [stack, plain] = [stackIn(), stackIn()];
    take(stack, zone(stack, 'example.com', id));
    take(plain, zone(plain, 'example.com'));
    expect(templateText(stack)).toBe(templateText(plain));
  });

  test(`${taker} writes the id of a zone without a name without the prefix`, () => {
    const stack = testStack();
    take(stack, route53.HostedZone.fromHostedZoneId(stack, 'ById', '/hostedzone/Z1'), 'example.com');
    expect(templateText(stack)).not.toMatch(/"\/?hostedzone/);
  });

  const vpc = (stack: Stack): ec2.IVpc => new ec2.Vpc(stack, 'Vpc');

  test.each<[string, (stack: Stack) => route53.IHostedZone]>([
    ['of the class PrivateHostedZone', (stack) => new route53.PrivateHostedZone(stack, 'Private', { zoneName: 'example.com', vpc: vpc(stack) })],
    ['that is made with `vpcs`', (stack) => new route53.HostedZone(stack, 'Private', { zoneName: 'example.com', vpcs: [vpc(stack)] })],
    ['that has an added VPC', (stack) => {
      const made = new route53.HostedZone(stack, 'Private', { zoneName: 'example.com' });
      made.addVpc(vpc(stack));
      return made;
    }],
    ['that an escape hatch makes private', (stack) => {
      const made = new route53.HostedZone(stack, 'Private', { zoneName: 'example.com' });
      if (made.node.defaultChild instanceof CfnResource) made.node.defaultChild.addPropertyOverride('VPCs', [{ VPCId: 'vpc-1', VPCRegion: 'us-east-1' }]);
      return made;
    }],
    ['that is imported from a resource with `vpcs`', (stack) => {
      const made = new route53.CfnHostedZone(stack, 'Made', { name: 'example.com', vpcs: [{ vpcId: 'vpc-1', vpcRegion: 'us-east-1' }] });
      return route53.HostedZone.fromHostedZoneAttributes(stack, 'Private', { hostedZoneId: made.attrId, zoneName: 'example.com' });
    }],
    ['that is imported as private by its id', (stack) => route53.PrivateHostedZone.fromPrivateHostedZoneId(stack, 'Private', 'Z1')],
    ['that is looked up with `privateZone`', (stack) => route53.HostedZone.fromLookup(stack, 'Private', { domainName: 'example.com', privateZone: true })],
    ['that is looked up with `vpcId`', (stack) => route53.PrivateHostedZone.fromLookup(stack, 'Private', { domainName: 'example.com', privateZone: true, vpcId: 'vpc-1' })],
  ])(`${taker} refuses a private zone %s`, (_how, make) => {
    const stack = testStack();
    expect(() => take(stack, make(stack), 'example.com')).toThrow('`hostedZone` must be public, got a private hosted zone, Test/Private. Senders on the '
      + 'internet cannot see its records. Pass the public zone of the domain');
  });

  test(`${taker} refuses a zone that gets a VPC later`, () => {
    const stack = testStack();
    const made = new route53.HostedZone(stack, 'Private', { zoneName: 'example.com' });
    take(stack, made);
    made.addVpc(vpc(stack));
    expect(() => Template.fromStack(stack)).toThrow(/\[Test\/Taker.*\] `hostedZone` must be public, got a private hosted zone, Test\/Private\. /);
  });

  test(`${taker} refuses a zone with an empty id`, () => {
    const stack = testStack();
    expect(() => take(stack, zone(stack, 'example.com', ''))).toThrow('`hostedZone` Test/Zone has an empty id. ');
  });

  test.each([
    ['mta-sts.example.com', 'example.com'], ['_mta-sts.example.com', 'example.com'], ['MTA-STS.example.com', 'example.com'],
    ['_smtp._tls.example.com', 'example.com'], ['_tls.example.com', 'example.com'], ['_dmarc.lists.example.com', 'lists.example.com'],
    ['_mta-sts.mta-sts.bücher.example', 'xn--bcher-kva.example'],
  ])(`${taker} refuses the domain %j and suggests %j`, (domainName, meant) => {
    const stack = testStack();
    expect(() => take(stack, zone(stack, meant), domainName)).toThrow(
      `\`domainName\` must be the mail domain, the part after the @, got "${domainName}", a name of its records. Write \`domainName: '${meant}'\``);
  });

  test(`${taker} refuses the domain "_mta-sts." with an example`, () => {
    const stack = testStack();
    expect(() => take(stack, zone(stack, 'example.com'), '_mta-sts.')).toThrow('got "_mta-sts.", a name of its records. Write `domainName: \'example.com\'`');
  });

  test.each([undefined, 'example.com', 'lists.mta-sts.example.com'])(`${taker} refuses a zone of records with the domain %j`, (domainName) => {
    for (const name of ['mta-sts.example.com', '_mta-sts.example.com', '_smtp._tls.example.com.']) {
      const stack = testStack();
      expect(() => take(stack, zone(stack, name), domainName)).toThrow(`\`hostedZone\` must be the zone of the mail domain, got "${name.replace(/\.$/, '')}", a name of `
        + 'its records. Pass the zone of "example.com". If that zone is not in Route 53, give MtaSts a `domainName` and no `hostedZone`');
    }
  });

  test.each(['com', 'localhost', 'COM'])(`${taker} refuses the single label %j as a domain`, (name) => {
    const stack = testStack();
    expect(() => take(stack, zone(stack, name))).toThrow('`domainName` must be the whole mail domain, got the single label ');
  });

  test(`${taker} warns of a zone that is a single label`, () => {
    const stack = testStack();
    take(stack, zone(stack, 'com'), 'example.com');
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('^the hosted zone Test/Zone is named by a single label\\. '))).toHaveLength(1);
  });

  test(`${taker} does not warn of a zone of a mail domain`, () => {
    const stack = testStack();
    take(stack, zone(stack, 'bücher.example'));
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('hosted zone'))).toEqual([]);
  });
});

describe('looked-up zones', () => {
  const key = (isPrivate: boolean): string => `hosted-zone:account=${ENV.account}:domainName=example.com${isPrivate ? ':privateZone=true' : ''}:region=${ENV.region}`;
  const lookedUp = (isPrivate: boolean): (() => MtaSts) => {
    const stack = testStack({ context: {
      [key(true)]: { Id: '/hostedzone/ZPRIVATE', Name: 'example.com.' },
      [key(false)]: { Id: '/hostedzone/ZPUBLIC', Name: 'example.com.' },
      'hosted-zone:account=1:domainName=example.org:privateZone=true:region=us-east-1': 'none',
    } });
    const query = { domainName: 'example.com', ...isPrivate && { privateZone: true } };
    const hostedZone = route53.HostedZone.fromLookup(stack, 'Zone', query);
    return () => new MtaSts(stack, 'MtaSts', { hostedZone, policy });
  };

  test('a looked-up private zone is refused', () => {
    expect(lookedUp(true)).toThrow('must be public, got a private hosted zone, Test/Zone. ');
  });

  test('a looked-up public zone is accepted beside a private zone of the same name', () => {
    expect(lookedUp(false)().domainName).toBe('example.com');
  });

  test('a public zone is accepted before its lookup, also beside a private zone of the same name', () => {
    const stack = testStack();
    const hostedZone = route53.HostedZone.fromLookup(stack, 'Public', { domainName: 'example.com' });
    route53.HostedZone.fromLookup(stack, 'Private', { domainName: 'example.com', privateZone: true });
    route53.HostedZone.fromLookup(stack, 'Other', { domainName: 'example.org', privateZone: true });
    expect(new MtaSts(stack, 'MtaSts', { hostedZone, policy }).domainName).toBe('example.com');
  });
});

test('a PolicyHost recognizes the same zone by its id with and without the prefix', () => {
  const stack = testStack();
  const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone: zone(stack, 'example.com', '/hostedzone/Z0123456789ABCDEFGHIJ') }] });
  expect(() => new MtaSts(stack, 'MtaSts', { hostedZone: importedZone(stack), policyHost, policy })).not.toThrow();
});

test('a zone whose name is a token needs a domain name', () => {
  const stack = testStack();
  expect(() => new MtaSts(stack, 'MtaSts', { hostedZone: zone(stack, Aws.STACK_NAME), policy })).toThrow('`domainName` must be known at synthesis');
  expect(() => new MtaSts(stack, 'Named', { hostedZone: zone(new Stack(stack, 'Inner'), Aws.STACK_NAME), domainName: 'example.com', policy })).not.toThrow();
});

test('a zone without a name in another Region passes its id by a stack output', () => {
  const app = new App();
  const made = new route53.PublicHostedZone(new Stack(app, 'Zones', { env: { ...ENV, region: 'eu-west-1' } }), 'Zone', { zoneName: 'example.com' });
  const stack = new Stack(app, 'Mail', { env: ENV });
  const hostedZone = route53.HostedZone.fromHostedZoneId(Stack.of(made), 'ById', made.hostedZoneId);
  new MtaSts(stack, 'MtaSts', { hostedZone, domainName: 'example.com', policy });
  expect(templateText(stack)).toContain('Fn::GetStackOutput');
});
