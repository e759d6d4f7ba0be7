// Hosted zones as users give them: names in Unicode, ids in the form of the API, private ones, and those that hold no mail domain.
import { describe, expect, test } from '@jest/globals';
import { App, CfnResource, Aws, Stack, aws_ec2 as ec2, aws_route53 as route53 } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { DelegatedMtaSts, MtaSts, MtaStsDomains, MtaStsPolicy, PolicyHost } from '../../lib';
import { ENV, importedZone, testStack } from '../support/stack';

const policy = MtaStsPolicy.none();

/** Every construct that takes a zone. */
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

describe.each(TAKERS)('%s', (_, take) => {
  test.each(['bücher.example', 'BÜCHER.example', 'bücher.example.', 'xn--bcher-kva.example', 'XN--BCHER-KVA.example.'])('takes the zone name %j as A-labels', (name) => {
    const [stack, plain] = [testStack(), testStack()];
    take(stack, zone(stack, name));
    take(plain, zone(plain, 'xn--bcher-kva.example'));
    expect(templateText(stack)).toBe(templateText(plain));
  });

  test('takes a domain in Unicode below a zone in Unicode', () => {
    const stack = testStack();
    take(stack, zone(stack, 'bücher.example'), 'post.bücher.example');
    expect(templateText(stack)).toContain('mta-sts.post.xn--bcher-kva.example');
  });

  test.each([
    ['/hostedzone/Z1', 'us-east-1'], ['hostedzone/Z1', 'us-east-1'], ['arn:aws:route53:::hostedzone/Z1', 'us-east-1'], ['/hostedzone/Z1', 'eu-west-1'],
  ])('writes the zone id %j without the prefix wherever it stands, in %s', (id, region) => {
    const [stack, plain] = [0, 1].map(() => new Stack(new App(), 'Test', { env: { ...ENV, region } }));
    take(stack, zone(stack, 'example.com', id));
    take(plain, zone(plain, 'example.com'));
    expect(templateText(stack)).toBe(templateText(plain));
  });

  test('writes the id of a zone without a name without the prefix', () => {
    const stack = testStack();
    take(stack, route53.HostedZone.fromHostedZoneId(stack, 'ById', '/hostedzone/Z1'), 'example.com');
    expect(templateText(stack)).not.toMatch(/"\/?hostedzone/);
  });

  const vpc = (stack: Stack): ec2.IVpc => new ec2.Vpc(stack, 'Vpc');

  test.each<[string, (stack: Stack) => route53.IHostedZone]>([
    ['of the class for private ones', (stack) => new route53.PrivateHostedZone(stack, 'Private', { zoneName: 'example.com', vpc: vpc(stack) })],
    ['made with `vpcs`', (stack) => new route53.HostedZone(stack, 'Private', { zoneName: 'example.com', vpcs: [vpc(stack)] })],
    ['that a VPC was added to', (stack) => {
      const made = new route53.HostedZone(stack, 'Private', { zoneName: 'example.com' });
      made.addVpc(vpc(stack));
      return made;
    }],
    ['made private by an escape hatch', (stack) => {
      const made = new route53.HostedZone(stack, 'Private', { zoneName: 'example.com' });
      if (made.node.defaultChild instanceof CfnResource) made.node.defaultChild.addPropertyOverride('VPCs', [{ VPCId: 'vpc-1', VPCRegion: 'us-east-1' }]);
      return made;
    }],
    ['imported from a resource with `vpcs`', (stack) => {
      const made = new route53.CfnHostedZone(stack, 'Made', { name: 'example.com', vpcs: [{ vpcId: 'vpc-1', vpcRegion: 'us-east-1' }] });
      return route53.HostedZone.fromHostedZoneAttributes(stack, 'Private', { hostedZoneId: made.attrId, zoneName: 'example.com' });
    }],
    ['imported as a private one by its id', (stack) => route53.PrivateHostedZone.fromPrivateHostedZoneId(stack, 'Private', 'Z1')],
    ['to be looked up with `privateZone`', (stack) => route53.HostedZone.fromLookup(stack, 'Private', { domainName: 'example.com', privateZone: true })],
    ['to be looked up with `vpcId`', (stack) => route53.PrivateHostedZone.fromLookup(stack, 'Private', { domainName: 'example.com', privateZone: true, vpcId: 'vpc-1' })],
  ])('refuses a private zone %s', (_how, make) => {
    const stack = testStack();
    expect(() => take(stack, make(stack), 'example.com')).toThrow('`hostedZone` must be public, got a private hosted zone, Test/Private. Senders on the '
      + 'internet cannot see its records. Pass the public zone of the domain');
  });

  test('refuses a zone that a VPC is added to afterwards', () => {
    const stack = testStack();
    const made = new route53.HostedZone(stack, 'Private', { zoneName: 'example.com' });
    take(stack, made);
    made.addVpc(vpc(stack));
    expect(() => Template.fromStack(stack)).toThrow(/\[Test\/Taker.*\] `hostedZone` must be public, got a private hosted zone, Test\/Private\. /);
  });

  test('refuses a zone with an empty id', () => {
    const stack = testStack();
    expect(() => take(stack, zone(stack, 'example.com', ''))).toThrow('`hostedZone` Test/Zone has an empty id. ');
  });

  test.each([
    ['mta-sts.example.com', 'example.com'], ['_mta-sts.example.com', 'example.com'], ['MTA-STS.example.com', 'example.com'],
    ['_smtp._tls.example.com', 'example.com'], ['_tls.example.com', 'example.com'], ['_dmarc.lists.example.com', 'lists.example.com'],
    ['_mta-sts.mta-sts.bücher.example', 'xn--bcher-kva.example'],
  ])('refuses the domain %j, with the domain that is meant', (domainName, meant) => {
    const stack = testStack();
    expect(() => take(stack, zone(stack, meant), domainName)).toThrow(
      `\`domainName\` must be the mail domain, the part after the @, got "${domainName}", a name of its records. Write \`domainName: '${meant}'\``);
  });

  test('refuses the domain "mta-sts.", with an example', () => {
    const stack = testStack();
    expect(() => take(stack, zone(stack, 'example.com'), '_mta-sts.')).toThrow('got "_mta-sts.", a name of its records. Write `domainName: \'example.com\'`');
  });

  test.each([undefined, 'example.com', 'lists.mta-sts.example.com'])('refuses a zone of records with the domain %j', (domainName) => {
    for (const name of ['mta-sts.example.com', '_mta-sts.example.com', '_smtp._tls.example.com.']) {
      const stack = testStack();
      expect(() => take(stack, zone(stack, name), domainName)).toThrow(`\`hostedZone\` must be the zone of the mail domain, got "${name.replace(/\.$/, '')}", a name of `
        + 'its records. Pass the zone of "example.com". If that zone is not in Route 53, give MtaSts a `domainName` and no `hostedZone`');
    }
  });

  test.each(['com', 'localhost', 'COM'])('refuses the single label %j as a domain', (name) => {
    const stack = testStack();
    expect(() => take(stack, zone(stack, name))).toThrow('`domainName` must be the whole mail domain, got the single label ');
  });

  test('warns of a zone that is a single label', () => {
    const stack = testStack();
    take(stack, zone(stack, 'com'), 'example.com');
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('^the hosted zone Test/Zone is named by a single label\\. '))).toHaveLength(1);
  });

  test('warns of nothing where the zone is as it should be', () => {
    const stack = testStack();
    take(stack, zone(stack, 'bücher.example'));
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('hosted zone'))).toEqual([]);
  });
});

describe('a zone that is looked up', () => {
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

  test('is refused if it is private', () => {
    expect(lookedUp(true)).toThrow('must be public, got a private hosted zone, Test/Zone. ');
  });

  test('is taken if it is public, beside a private one of the same name', () => {
    expect(lookedUp(false)().domainName).toBe('example.com');
  });

  test('is taken before it is looked up, also beside a private one of the same name', () => {
    const stack = testStack();
    const hostedZone = route53.HostedZone.fromLookup(stack, 'Public', { domainName: 'example.com' });
    route53.HostedZone.fromLookup(stack, 'Private', { domainName: 'example.com', privateZone: true });
    route53.HostedZone.fromLookup(stack, 'Other', { domainName: 'example.org', privateZone: true });
    expect(new MtaSts(stack, 'MtaSts', { hostedZone, policy }).domainName).toBe('example.com');
  });
});

test('ids in both forms are one zone to a host and its domains', () => {
  const stack = testStack();
  const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone: zone(stack, 'example.com', '/hostedzone/Z0123456789ABCDEFGHIJ') }] });
  expect(() => new MtaSts(stack, 'MtaSts', { hostedZone: importedZone(stack), policyHost, policy })).not.toThrow();
});

test('a zone whose name is a token needs the domain written out', () => {
  const stack = testStack();
  expect(() => new MtaSts(stack, 'MtaSts', { hostedZone: zone(stack, Aws.STACK_NAME), policy })).toThrow('`domainName` must be known at synthesis');
  expect(() => new MtaSts(stack, 'Named', { hostedZone: zone(new Stack(stack, 'Inner'), Aws.STACK_NAME), domainName: 'example.com', policy })).not.toThrow();
});

test('a zone without a name of another Region tells its id all the same', () => {
  const app = new App();
  const made = new route53.PublicHostedZone(new Stack(app, 'Zones', { env: { ...ENV, region: 'eu-west-1' } }), 'Zone', { zoneName: 'example.com' });
  const stack = new Stack(app, 'Mail', { env: ENV });
  const hostedZone = route53.HostedZone.fromHostedZoneId(Stack.of(made), 'ById', made.hostedZoneId);
  new MtaSts(stack, 'MtaSts', { hostedZone, domainName: 'example.com', policy });
  expect(templateText(stack)).toContain('Fn::GetStackOutput');
});
