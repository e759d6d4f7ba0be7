// Messages at synthesis: one warning for many domains, no tokens, and clear errors in place of those of CDK.
import { describe, expect, test } from '@jest/globals';
import {
  App, Annotations as CdkAnnotations, Duration, NestedStack, Stack, Stage, Validations,
  aws_certificatemanager as acm, aws_route53 as route53, aws_s3 as s3,
} from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting } from '../../../lib';
import type { MtaStsProps } from '../../../lib';
import { firstItem, required } from '../../support/items';
import { ENV, importedZone, testStack } from '../../support/stack';

const mx = MxHosts.of('mx1.example.com');
const tlsReporting = TlsReporting.to('mailto:tls-reports@example.com');
const NAMES = Array.from({ length: 100 }, (_, i) => `d${String(i).padStart(2, '0')}.example.com`);

/** Returns path and text of each warning of this package, without the tag of CDK. */
function warningsOf(stack: Stack, id = ''): string[] {
  return Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp(`cdk-mta-sts:${id}`))
    .map(({ id: path, entry }) => `${path} ${JSON.stringify(entry.data).slice(1, -1)}`.replace(/ \[ack: .*$/, ''));
}

function many(stack: Stack, props: Partial<MtaStsProps>, names = NAMES): MtaSts[] {
  const hostedZone = importedZone(stack);
  const domains = names.map((domainName) => ({ domainName, hostedZone: 'hostedZone' in props ? props.hostedZone : hostedZone }));
  const policyHost = new PolicyHost(stack, 'Host', {
    domains,
    certificate: acm.Certificate.fromCertificateArn(stack, 'Given', 'arn:aws:acm:us-east-1:123456789012:certificate/1'),
  });
  return domains.map((domain) => new MtaSts(stack, domain.domainName, { policy: MtaStsPolicy.none(), ...domain, policyHost, ...props }));
}

const HUNDRED = '100 domains \\(d00\\.example\\.com, d01\\.example\\.com, d02\\.example\\.com and 97 more\\)';

describe('a hundred domains give one warning', () => {
  test.each<[string, Partial<MtaStsProps>, string]>([
    ['testing', { policy: MtaStsPolicy.testing({ mx }) }, `${HUNDRED} are in \`testing\`: `],
    ['enforceWithoutTlsReporting', { policy: MtaStsPolicy.enforce({ mx }) }, `${HUNDRED} enforce a policy without TLS reporting, `],
    ['shortMaxAge', { policy: MtaStsPolicy.enforce({ mx, maxAge: Duration.days(1) }), tlsReporting }, `${HUNDRED} enforce with a \`maxAge\` of 86400 seconds, `],
    ['dnsElsewhere', { policy: MtaStsPolicy.enforce({ mx }), tlsReporting, hostedZone: undefined },
      `${HUNDRED} have no \`hostedZone\`: the deployment serves their policies and creates no records\. `],
  ])('a hundred domains have one warning: %s', (id, props, message) => {
    const stack = testStack();
    many(stack, props);
    expect(warningsOf(stack)).toEqual([expect.stringMatching(new RegExp(`^/Test ${message}`))]);
    expect(warningsOf(stack, id)).toHaveLength(1);
  });

  test('a hundred domains have one warning: zoneInSameDeployment', () => {
    const stack = testStack();
    many(stack, { hostedZone: new route53.PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' }) });
    expect(warningsOf(stack)).toEqual([expect.stringMatching(new RegExp(`^/Test the hosted zone of ${HUNDRED} is made in the same stack\. `))]);
  });

  test('the warning of several domains is at the MtaStsDomains that contains them', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    new MtaStsDomains(stack, 'Mail', {
      domains: NAMES.slice(0, 10).map((domainName) => ({ domainName, hostedZone })), policy: MtaStsPolicy.testing({ mx }),
    });
    expect(warningsOf(stack)).toEqual([expect.stringMatching(
      /^\/Test\/Mail 10 domains \(d00\.example\.com, d01\.example\.com, d02\.example\.com and 7 more\) are in `testing`: /)]);
  });

  test('domains with other ages and other policies have different warnings', () => {
    const stack = testStack();
    const hostedZone = importedZone(stack);
    const enforce = (days: number): MtaStsPolicy => MtaStsPolicy.enforce({ mx, maxAge: Duration.days(days) });
    const policies = [enforce(1), enforce(1), enforce(2), enforce(30), MtaStsPolicy.testing({ mx })];
    new MtaStsDomains(stack, 'Mail', {
      domains: policies.map((policy, i) => ({ domainName: NAMES[i], hostedZone, policy })), policy: MtaStsPolicy.none(), tlsReporting,
    });
    expect(warningsOf(stack).sort()).toEqual([
      expect.stringMatching(/^\/Test\/Mail 2 domains \(d00\.example\.com, d01\.example\.com\) enforce with a `maxAge` of 86400 seconds/),
      expect.stringMatching(/^\/Test\/Mail\/d02\.example\.com d02\.example\.com enforces with a `maxAge` of 172800 seconds/),
      expect.stringMatching(/^\/Test\/Mail\/d04\.example\.com d04\.example\.com is in `testing`/),
    ]);
  });

  test('domains in nested stacks and in a us-east-1 stack have one warning', () => {
    const stack = new Stack(new App(), 'Test', { env: { ...ENV, region: 'eu-west-1' } });
    const policy = MtaStsPolicy.testing({ mx });
    new MtaSts(new NestedStack(stack, 'Nested'), 'One', { domainName: 'one.example', policy });
    new MtaSts(stack, 'Two', { domainName: 'two.example', policy });
    const inner = stack.node.findChild('MtaStsUsEast1');
    if (!(inner instanceof Stack)) throw new Error('no stack');
    const all = [...warningsOf(stack), ...warningsOf(inner)];
    expect(all.filter((warning) => warning.includes('are in `testing`'))).toEqual([expect.stringMatching(/^\/Test 2 domains \(one\.example, two\.example\)/)]);
    expect(all.filter((warning) => warning.includes('72 hours'))).toEqual([
      expect.stringMatching(/in the DNS of 2 hosts \(mta-sts\.one\.example, mta-sts\.two\.example\), because /),
    ]);
  });

  test('each stack has its own warning for its domains', () => {
    const app = new App();
    const stacks = ['One', 'Two'].map((id) => new Stack(app, id, { env: ENV }));
    stacks.forEach((stack, i) => many(stack, { policy: MtaStsPolicy.testing({ mx }) }, NAMES.slice(2 * i, 2 * i + 2)));
    expect(stacks.map((stack) => warningsOf(stack))).toEqual([[expect.stringMatching(/^\/One 2 domains /)], [expect.stringMatching(/^\/Two 2 domains /)]]);
  });
});

describe('a warning of many', () => {
  const made = (): { stack: Stack; all: MtaSts[] } => {
    const stack = testStack();
    return { stack, all: many(stack, { policy: MtaStsPolicy.testing({ mx }) }, NAMES.slice(0, 4)) };
  };

  test('the warning of several domains counts only the domains without an acknowledgement', () => {
    const { stack, all } = made();
    Validations.of(firstItem(all)).acknowledge({ id: 'cdk-mta-sts:testing', reason: 'known' });
    CdkAnnotations.of(required(all.at(1))).acknowledgeWarning('Annotation::cdk-mta-sts:testing');
    expect(warningsOf(stack)).toEqual([expect.stringMatching(/^\/Test 2 domains \(d02\.example\.com, d03\.example\.com\) are in/)]);
  });

  test('the warning of several domains is at the domain itself if the others are acknowledged', () => {
    const { stack, all } = made();
    for (const one of all.slice(1)) Validations.of(one).acknowledge({ id: 'cdk-mta-sts:testing', reason: 'known' });
    expect(warningsOf(stack)).toEqual([expect.stringMatching(/^\/Test\/d00\.example\.com d00\.example\.com is in/)]);
  });

  test.each(['before', 'after'])('the stack acknowledges the warning of several domains, %s they are added', (when) => {
    const stack = testStack();
    const acknowledge = (): void => {
      Validations.of(stack).acknowledge({ id: 'cdk-mta-sts:testing', reason: 'known' });
    };
    if (when === 'before') acknowledge();
    many(stack, { policy: MtaStsPolicy.testing({ mx }) }, NAMES.slice(0, 2));
    if (when === 'after') acknowledge();
    expect(warningsOf(stack)).toEqual([]);
  });

  test('the warning of several domains is the same at each synthesis', () => {
    const { stack } = made();
    expect(warningsOf(stack)).toEqual(warningsOf(stack));
  });
});

describe('messages without tokens', () => {
  const inNested = (make: (nested: NestedStack, stack: Stack) => unknown, region?: string): string => {
    const stack = new Stack(new App(), 'Outer', { env: region === undefined ? undefined : { ...ENV, region } });
    try {
      make(new NestedStack(stack, 'Nested'), stack);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    throw new Error('nothing was refused');
  };
  const policy = MtaStsPolicy.none();

  test.each<[string, string, string]>([
    ['a stack without a Region', inNested((nested) => new MtaSts(nested, 'MtaSts', { domainName: 'example.com', policy })),
      'Outer/Nested/MtaSts: the stack \'Outer/Nested\' must name its Region'],
    ['a Region of another partition', inNested((nested) => new MtaSts(nested, 'MtaSts', { domainName: 'example.com', policy }), 'cn-north-1'),
      'Outer/Nested/MtaSts: the stack \'Outer/Nested\' is in cn-north-1'],
    ['a host in another stack', inNested((nested, stack) => new MtaSts(stack, 'MtaSts', {
      domainName: 'example.com', policy, policyHost: new PolicyHost(nested, 'Host', { domains: [{ domainName: 'example.com' }] }),
    }), 'us-east-1'), 'got one of \'Outer/Nested\' in \'Outer\''],
    ['another copy of the package', inNested((nested) => {
      new Construct(nested, 'CdkMtaStsHandler');
      new MtaSts(nested, 'MtaSts', { domainName: 'example.com', policy });
    }, 'us-east-1'), 'the stack \'Outer/Nested\' has a construct \'CdkMtaStsHandler\' of another copy of cdk-mta-sts'],
    ['zones that the app makes', inNested((_, stack) => {
      const [one, other] = ['One', 'Other'].map((id) => new route53.PublicHostedZone(stack, id, { zoneName: 'example.com' }));
      const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone: one }] });
      new MtaSts(stack, 'MtaSts', { hostedZone: other, policyHost, policy });
    }, 'us-east-1'), 'the one that the PolicyHost has for example.com, Outer/One, got Outer/Other. '],
    ['a bucket for logs in a nested stack', inNested((nested, stack) => new PolicyHost(stack, 'Host', {
      domains: [{ domainName: 'example.com' }], accessLogBucket: new s3.Bucket(nested, 'Logs', { bucketName: nested.stackName }),
    }), 'us-east-1'), '`accessLogBucket` Outer/Nested/Logs has no access control lists'],
  ])('no token is in the error about %s', (_, message, expected) => {
    expect(message).toContain(expected);
    expect(message).not.toMatch(/Token\[|\$\{/);
  });

  test('no token is in the warning about a manual validation record in a nested stack', () => {
    const stack = testStack();
    new MtaSts(new NestedStack(stack, 'Nested'), 'MtaSts', { domainName: 'example.com', policy });
    const all = warningsOf(stack);
    expect(all).toEqual([expect.stringContaining('--stack-name <stack> ')]);
    expect(all.join()).not.toMatch(/Token\[|\$\{/);
  });
});

describe('the name of the us-east-1 stack', () => {
  const made = (stackName: string, scope: Construct = new App()): Stack => {
    const stack = new Stack(scope, 'Mail', { stackName, env: { ...ENV, region: 'eu-central-1' } });
    new MtaSts(stack, 'MtaSts', { domainName: 'example.com', policy: MtaStsPolicy.none() });
    return stack;
  };

  test('the name of the us-east-1 stack can have all 128 characters that CloudFormation allows', () => {
    const inner = made('s'.repeat(107)).node.findChild('MtaStsUsEast1');
    expect(inner instanceof Stack && inner.stackName.length).toBe(128);
  });

  test.each([[108, new App()], [128, new Stage(new App(), 'Prod')]])('a stack name of %i characters is refused, because the name of the us-east-1 stack would be too long', (length, scope) => {
    expect(() => made('s'.repeat(length), scope)).toThrow(`the stack '${'s'.repeat(length)}' of eu-central-1 must have a name of at most 107 characters, got `
      + `${length}. Its stack in us-east-1 has the same name with '-eu-central-1-mta-sts' at the end, and CloudFormation allows 128 characters. Give it a shorter \`stackName\`, or put `
      + 'MtaSts into a stack of us-east-1');
  });
});
