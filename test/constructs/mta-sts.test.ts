// One domain with everything: its properties, the order of its resources, its output and its warnings.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { App, Aws, Duration, NestedStack, Stack, Stage, Validations, aws_ec2 as ec2, aws_route53 as route53 } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification } from '../../lib';
import { firstItem } from '../support/items';
import { ENV, importedZone, oneDomain, testStack } from '../support/stack';

interface CfnResource { Type: string; DependsOn?: string[]; Properties: Record<string, unknown> }

const enforce = MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com', 'mx2.example.com') });

/** The id of the publication in the template. */
const PUBLISHED_ID = { 'Fn::GetAtt': ['MtaStsPublication12DC2538', 'PolicyId'] };

describe('errors at synthesis', () => {
  test('MtaSts refuses a private hosted zone', () => {
    const stack = testStack();
    const hostedZone = new route53.PrivateHostedZone(stack, 'Private', { zoneName: 'example.com', vpc: new ec2.Vpc(stack, 'Vpc') });
    expect(() => oneDomain(stack, { hostedZone })).toThrow(/must be public/);
  });

  test.each([
    ['not-a-host!.example.com', /`domainName` "not-a-host!\.example\.com"/],
    ['example.net', /must be the name of the hosted zone or below it, got example\.net for the zone example\.com/],
    ['notexample.com', /must be the name of the hosted zone or below it/],
    [`${'a'.repeat(45)}.example.com`, /must be at most 56 characters.*got 57/],
    [`mail.${Aws.REGION}.example.com`, /must be known at synthesis/],
  ])('MtaSts refuses the domain %j', (domainName, message) => {
    expect(() => oneDomain(testStack(), { domainName })).toThrow(message);
  });

  test('MtaSts refuses a zone that is imported by its id, unless the domain is given', () => {
    const stack = testStack();
    const hostedZone = route53.HostedZone.fromHostedZoneId(stack, 'ById', 'Z0123456789ABCDEFGHIJ');
    expect(() => oneDomain(stack, { hostedZone })).toThrow(/imported by its id\. Write/);
    expect(oneDomain(testStack(), { hostedZone, domainName: 'example.com' }).domainName).toBe('example.com');
  });

  test('MtaSts refuses a shared host that does not serve the domain', () => {
    const stack = testStack();
    const policyHost = new PolicyHost(stack, 'Host', { domains: [{ hostedZone: importedZone(stack, 'example.net') }] });
    expect(() => oneDomain(stack, { policyHost })).toThrow(/does not serve example\.com, only example\.net\. Add it to the `domains`/);
  });
});

describe('properties', () => {
  test('MtaSts returns the domain, the policy and its URL', () => {
    const mtaSts = oneDomain(testStack(), { domainName: 'Mail.Example.COM' });
    expect(mtaSts).toMatchObject({
      domainName: 'mail.example.com',
      policy: enforce,
      policyUrl: 'https://mta-sts.mail.example.com/.well-known/mta-sts.txt',
    });
  });

  test('MtaSts returns a domain in U-labels as A-labels', () => {
    const stack = testStack();
    expect(oneDomain(stack, { hostedZone: importedZone(stack, 'xn--mller-kva.example'), domainName: 'müller.example' }).domainName)
      .toBe('xn--mller-kva.example');
  });

  test('MtaSts returns the id of the publication as an attribute of Publication', () => {
    const stack = testStack();
    expect(stack.resolve(oneDomain(stack).policyId)).toEqual({ 'Fn::GetAtt': ['MtaStsPublication12DC2538', 'PolicyId'] });
  });

  test('MtaSts returns the stack output for pipelines as JSON', () => {
    const { output, policyHost, policyId, earliestRemoval } = oneDomain(testStack());
    expect(JSON.parse(String(output.value))).toEqual({ mtaSts: {
      domain: 'example.com',
      id: policyId,
      policy: enforce.text,
      target: policyHost.distribution.distributionDomainName,
      tlsRpt: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com',
      earliestRemoval,
      warnings: expect.any(String),
    } });
  });

  test('MtaSts returns every record as text', () => {
    const stack = testStack();
    const { records, policyHost, policyId } = oneDomain(stack);
    expect(records).toEqual([
      { name: 'mta-sts.example.com', type: 'CNAME', value: policyHost.distribution.distributionDomainName },
      { name: '_mta-sts.example.com', type: 'TXT', value: `v=STSv1; id=${policyId};` },
      { name: '_smtp._tls.example.com', type: 'TXT', value: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com' },
    ]);
  });

  test('MtaSts returns no record for TLS reports without `tlsReporting`', () => {
    expect(oneDomain(testStack(), { tlsReporting: undefined }).records.map(({ name }) => name))
      .toEqual(['mta-sts.example.com', '_mta-sts.example.com']);
  });
});

function resourcesOf(stack: Stack): Record<string, CfnResource> {
  return Template.fromStack(stack).toJSON().Resources as Record<string, CfnResource>;
}

describe('the order of the template', () => {
  let resources: Record<string, CfnResource>;
  let logicalId: (type: string, properties?: Record<string, unknown>) => string;

  beforeAll(() => {
    const stack = testStack();
    oneDomain(stack);
    const template = Template.fromStack(stack);
    resources = template.toJSON().Resources as Record<string, CfnResource>;
    logicalId = (type, properties = {}) => {
      const found = Object.keys(template.findResources(type, { Properties: properties }));
      expect(found).toHaveLength(1);
      return firstItem(found);
    };
  });

  const stsRecord = (): string => logicalId('AWS::Route53::RecordSet', { Type: 'TXT', Name: '_mta-sts.example.com.' });
  const hostRecords = (): string => logicalId('AWS::Route53::RecordSetGroup');
  const dependsOn = (id: string): string[] => resources[id]?.DependsOn ?? [];

  describe('the order after Preflight', () => {
    const expectOrder = (all: Record<string, CfnResource>): void => {
      const [preflight] = Object.keys(all).filter((id) => all[id]?.Type === 'Custom::MtaStsPreflight');
      const waits = (id: string): boolean => (all[id]?.DependsOn ?? []).some((other) => other === preflight || waits(other));
      const first = Object.entries(all).filter(([id]) => id !== preflight && !waits(id));
      expect(first.map(([, { Type }]) => Type).sort()).toEqual([
        'AWS::IAM::Role', 'AWS::IAM::Role', 'AWS::Lambda::EventInvokeConfig', 'AWS::Lambda::Function', 'AWS::Lambda::Function', 'AWS::Logs::LogGroup',
      ]);
    };

    test('all resources but the function, its roles and its log wait for Preflight in a stack', () => {
      expectOrder(resources);
    });

    test('all resources but the function, its roles and its log wait for Preflight in a nested stack', () => {
      const stack = testStack();
      const nested = new NestedStack(stack, 'Nested');
      oneDomain(nested);
      expectOrder(resourcesOf(nested));
      expect(Object.values(resourcesOf(stack)).map(({ Type }) => Type)).toEqual(['AWS::CloudFormation::Stack']);
    });

    test('all resources wait for Preflight in a stage, with the same logical ids', () => {
      const stack = new Stack(new Stage(new App(), 'Prod'), 'Test', { env: ENV });
      oneDomain(stack);
      expectOrder(resourcesOf(stack));
      expect(Object.keys(resourcesOf(stack))).toEqual(Object.keys(resources));
    });
  });

  test('Publication waits for the distribution, its records and the bucket policy', () => {
    expect(dependsOn(logicalId('Custom::MtaStsPublication'))).toEqual(expect.arrayContaining([
      logicalId('AWS::CloudFront::Distribution'),
      hostRecords(),
      logicalId('AWS::S3::BucketPolicy'),
    ]));
  });

  test('the `_mta-sts` record waits for Publication', () => {
    expect(dependsOn(stsRecord())).toContain(logicalId('Custom::MtaStsPublication'));
  });

  test('Verification waits for the `_mta-sts` record, and so for all other resources', () => {
    expect(dependsOn(logicalId('Custom::MtaStsVerification'))).toContain(stsRecord());
  });

  test('Preflight gets every record that the stack creates', () => {
    expect(resources[logicalId('Custom::MtaStsPreflight')]?.Properties.Domains).toEqual([expect.objectContaining({
      DomainName: 'example.com',
      HostedZoneId: 'Z0123456789ABCDEFGHIJ',
      Records: [
        { Name: 'mta-sts.example.com', Type: 'A', LogicalId: hostRecords() },
        { Name: 'mta-sts.example.com', Type: 'AAAA', LogicalId: hostRecords() },
        { Name: '_mta-sts.example.com', Type: 'TXT', LogicalId: stsRecord() },
        { Name: '_smtp._tls.example.com', Type: 'TXT', LogicalId: hostRecords() },
      ],
    })]);
  });

  test('one domain with everything has 17 resources', () => {
    expect(Object.keys(resources)).toHaveLength(17);
  });
});

describe('records', () => {
  test('the `_mta-sts` record has the id of the publication and a short TTL, and is quoted once', () => {
    const stack = testStack();
    oneDomain(stack);
    Template.fromStack(stack).hasResourceProperties('AWS::Route53::RecordSet', {
      Name: '_mta-sts.example.com.', Type: 'TXT', TTL: '300', ResourceRecords: [{ 'Fn::Join': ['', ['"v=STSv1; id=', PUBLISHED_ID, ';"']] }],
    });
  });

  test('a long record for TLS reports is split into strings of at most 255 characters', () => {
    const stack = testStack();
    const uris = Array.from({ length: 8 }, (_, i) => `mailto:tls-reports-${i}-${'x'.repeat(20)}@example.com`);
    oneDomain(stack, { tlsReporting: TlsReporting.to(...uris) });
    Template.fromStack(stack).hasResourceProperties('AWS::Route53::RecordSetGroup', { RecordSets: Match.arrayWith([{
      Name: '_smtp._tls.example.com.', Type: 'TXT', TTL: '300', ResourceRecords: [Match.stringLikeRegexp('^"[^"]{255}" "[^"]+"$')],
    }]) });
  });
});

describe('the custom resources', () => {
  test('CloudFormation waits 15 minutes for each custom resource', () => {
    const stack = testStack();
    oneDomain(stack);
    for (const type of ['Custom::MtaStsPreflight', 'Custom::MtaStsPublication', 'Custom::MtaStsVerification']) {
      Template.fromStack(stack).hasResourceProperties(type, { ServiceTimeout: '900' });
    }
  });

  test('Verification does not fail the deployment with Verification.REPORT_ONLY', () => {
    const stack = testStack();
    oneDomain(stack, { verification: Verification.REPORT_ONLY });
    Template.fromStack(stack).hasResourceProperties('Custom::MtaStsVerification', { OnFailure: 'report' });
  });

  test('Publication gets the exact text, its hash and its object key, and no id', () => {
    const stack = testStack();
    oneDomain(stack);
    Template.fromStack(stack).hasResourceProperties('Custom::MtaStsPublication', {
      DomainName: 'example.com',
      // A list, so that `cdk diff` shows the changed lines.
      Policy: enforce.text.split('\r\n').slice(0, -1),
      PolicyHash: enforce.hash,
      PolicyId: Match.absent(),
      ObjectKey: 'mta-sts.example.com/.well-known/mta-sts.txt',
    });
  });

  test('Verification expects the id of the publication', () => {
    const stack = testStack();
    oneDomain(stack);
    Template.fromStack(stack).hasResourceProperties('Custom::MtaStsVerification', { PolicyId: PUBLISHED_ID, Policy: enforce.text.split('\r\n').slice(0, -1) });
  });

  test('two domains of a stack share one function, which may read only their zones', () => {
    const stack = testStack();
    const zones = ['example.com', 'example.net'].map((zoneName, i) =>
      route53.HostedZone.fromHostedZoneAttributes(stack, zoneName, { hostedZoneId: `Z${i}`, zoneName }));
    zones.forEach((hostedZone, i) => new MtaSts(stack, `MtaSts${i}`, { hostedZone, policy: enforce }));
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::Lambda::Function', 2);
    template.hasResourceProperties('AWS::IAM::Role', {
      Policies: [Match.objectLike({ PolicyDocument: Match.objectLike({ Statement: Match.arrayWith([Match.objectLike({
        Action: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'],
        Resource: [0, 1].map((i) => ({ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:route53:::hostedzone/Z${i}`]] })),
      })]) }) })],
    });
  });
});

describe('the output for a pipeline', () => {
  test('MtaSts has one output, with the attributes of Publication and a stable name', () => {
    const outputs = (policy: MtaStsPolicy): [string, unknown][] => {
      const stack = testStack();
      oneDomain(stack, { policy });
      return Object.entries(Template.fromStack(stack).toJSON().Outputs as Record<string, unknown>);
    };
    const all = outputs(enforce);
    expect(all).toHaveLength(1);
    const [name, output] = firstItem(all);
    expect(output).toEqual({
      Description: 'The MTA-STS policy of example.com, for npx cdk-mta-sts verify --outputs',
      Value: expect.anything(),
    });
    const publication = 'MtaStsPublication12DC2538';
    const { 'Fn::Join': [separator, parts] } = (output as { Value: { 'Fn::Join': [string, unknown[]] } }).Value;
    expect(parts.filter((part) => typeof part !== 'string')).toEqual([
      PUBLISHED_ID,
      { 'Fn::GetAtt': [expect.stringMatching(/Distribution/), 'DomainName'] }, { 'Fn::GetAtt': [publication, 'EarliestRemoval'] }, { 'Fn::GetAtt': [publication, 'Warnings'] },
    ]);
    const values = ['20261130T192408a1b2c3d4e5f60718', 'd1.cloudfront.net', '2027-01-02T03:04:05Z', 'none'];
    expect(JSON.parse(parts.map((part) => typeof part === 'string' ? part : values.shift()).join(separator))).toEqual({
      mtaSts: {
        domain: 'example.com',
        id: '20261130T192408a1b2c3d4e5f60718',
        target: 'd1.cloudfront.net',
        tlsRpt: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com',
        earliestRemoval: '2027-01-02T03:04:05Z',
        warnings: 'none',
        policy: enforce.text,
      },
    });
    expect(name).toBe('MtaStsPublished2C655856');
    expect(outputs(MtaStsPolicy.none()).map(([other]) => other)).toEqual([name]);
  });
});

test('the function may read a zone whose id has the form of the API', () => {
  const stack = testStack();
  const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: '/hostedzone/Z1', zoneName: 'example.com' });
  oneDomain(stack, { hostedZone });
  expect(JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Role'))).toContain(':route53:::hostedzone/Z1"');
});

test('MtaSts refuses a stack with the function of another copy of the package', () => {
  const stack = testStack();
  new Construct(stack, 'CdkMtaStsHandler');
  expect(() => oneDomain(stack)).toThrow(/of another copy of cdk-mta-sts\. Keep one copy/);
});

describe('a shared host', () => {
  test('a shared host serves several domains after Preflight', () => {
    const stack = testStack();
    const domains = ['example.com', 'example.net'].map((zoneName) => ({ hostedZone: importedZone(stack, zoneName) }));
    const policyHost = new PolicyHost(stack, 'Host', { domains });
    domains.forEach(({ hostedZone }, i) => new MtaSts(stack, `MtaSts${i}`, { hostedZone, policy: enforce, policyHost }));
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::CloudFront::Distribution', 1);
    template.hasResourceProperties('AWS::CertificateManager::Certificate', {
      DomainName: 'mta-sts.example.com', SubjectAlternativeNames: ['mta-sts.example.net'],
    });
    const preflights = Object.keys(template.findResources('Custom::MtaStsPreflight'));
    template.hasResource('AWS::CloudFront::Distribution', { DependsOn: Match.arrayWith(preflights.sort()) });
  });
});

describe('warnings that can be acknowledged', () => {
  const warningsOf = (props: Parameters<typeof oneDomain>[1], acknowledged: string[] = []): string[] => {
    const stack = testStack();
    const mtaSts = oneDomain(stack, props);
    acknowledged.forEach((id) => {
      Validations.of(mtaSts).acknowledge({ id, reason: 'known' });
    });
    return Annotations.fromStack(stack).findWarning('*', Match.anyValue()).map(({ entry }) => JSON.stringify(entry.data));
  };

  test('a policy in enforce with TLS reporting and a long age has no warning', () => {
    expect(warningsOf({})).toEqual([]);
  });

  test.each([
    ['cdk-mta-sts:enforceWithoutTlsReporting', { tlsReporting: undefined }, /no report shows refused mail/],
    ['cdk-mta-sts:shortMaxAge', { policy: MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com'), maxAge: Duration.days(13) }) }, /under 14 days/],
    ['cdk-mta-sts:testing', { policy: MtaStsPolicy.testing({ mx: MxHosts.of('mx1.example.com') }) }, /mail is not protected yet/],
  ])('the warning %s is added and can be acknowledged', (id, props, message) => {
    expect(warningsOf(props)).toEqual([expect.stringMatching(message)]);
    expect(warningsOf(props, [id])).toEqual([]);
  });

  test('a zone of the same stack has the warning cdk-mta-sts:zoneInSameDeployment', () => {
    const stack = testStack();
    oneDomain(stack, { hostedZone: new route53.PublicHostedZone(stack, 'Zone', { zoneName: 'example.com' }) });
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('Deploy the zone first, delegate it'))).toHaveLength(1);
  });

  test('a zone of another stack has no warning', () => {
    const app = new App();
    const hostedZone = new route53.PublicHostedZone(new Stack(app, 'Dns', { env: ENV }), 'Zone', { zoneName: 'example.com' });
    const stack = new Stack(app, 'Test', { env: ENV });
    oneDomain(stack, { hostedZone });
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('cdk-mta-sts:'))).toEqual([]);
  });
});

test('a second synthesis gives the same template', () => {
  const template = (): unknown => {
    const stack = testStack();
    oneDomain(stack);
    return Template.fromStack(stack).toJSON();
  };
  expect(template()).toEqual(template());
});
