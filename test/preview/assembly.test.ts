// The distributions, publications and records of a cloud assembly, from constructs and from templates of any form.
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  Duration, NestedStack, Stack, Stage,
  aws_certificatemanager as acm, aws_cloudfront as cloudfront, aws_cloudfront_origins as origins,
  aws_route53 as route53, aws_route53_targets as targets,
} from 'aws-cdk-lib';
import type { App } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost } from '../../lib';
import { readAssembly } from '../../lib/preview/assembly/assembly';
import type { Distribution } from '../../lib/preview/edge/distribution';
import { PreviewError } from '../../lib/preview/errors';
import { applyPolicy } from '../../lib/preview/edge/response-headers';
import { policyHash, policyId } from '../../lib/protocol/policy/id';
import { ENV, importedZone, oneDomain } from '../support/stack';
import { removeFolders, synthesize, usualApp, writeAssembly } from '../support/assemblies';
import { firstItem, onlyItem } from '../support/items';

afterEach(removeFolders);

/** Writes an assembly with one distribution. */
function template(config: Record<string, unknown>, resources: Record<string, unknown> = {}): string {
  return writeAssembly({ Resources: {
    Distribution: { Type: 'AWS::CloudFront::Distribution', Properties: { DistributionConfig: { Aliases: ['mta-sts.example.com'], ...config } } },
    ...resources,
  } });
}

function onlyDistribution(app: string): Distribution {
  return onlyItem(readAssembly(app).distributions);
}

describe('an assembly without a policy host', () => {
  test('the preview refuses an assembly without a policy host, and lists its stacks and aliases', () => {
    const app = synthesize((root) => {
      new Stack(root, 'Empty');
      const site = new Stack(root, 'Site', { env: ENV });
      new cloudfront.CfnDistribution(site, 'Web', { distributionConfig: {
        enabled: true, aliases: ['www.example.com'], defaultCacheBehavior: { targetOriginId: 'x', viewerProtocolPolicy: 'allow-all' },
      } });
    });
    expect(() => readAssembly(app)).toThrow(PreviewError);
    expect(() => readAssembly(app)).toThrow(/no policy host in .*: no AWS::CloudFront::Distribution has an alias mta-sts\.<domain> \(stacks: Empty, Site; aliases: www\.example\.com\)\. Add the construct MtaSts to the app and run `npx cdk synth` again/);
  });

  test('the preview refuses an assembly without stacks', () => {
    expect(() => readAssembly(synthesize(() => undefined))).toThrow(/\(stacks: none; aliases: none\)/);
  });
});

describe('the construct MtaSts', () => {
  test('the preview reads the policy host, the policy and the records of the construct', () => {
    const { distributions, publications, recordSets, notes } = readAssembly(usualApp(), Date.UTC(2026, 10, 30, 19, 24, 8));
    expect(distributions).toEqual([expect.objectContaining({
      aliases: ['mta-sts.example.com'],
      ipv6: true,
      minimumTls: 'TLSv1.2',
      viewerProtocol: 'redirect-to-https',
      allowedMethods: ['GET', 'HEAD'],
      functionCode: expect.stringContaining('function handler(event)'),
      bucketName: firstItem(publications).bucketName,
    })]);
    expect(publications).toEqual([expect.objectContaining({
      domain: 'example.com',
      policyId: expect.stringMatching(/^20261130T192408[0-9a-f]{16}$/),
      policyText: expect.stringContaining('mode: enforce\r\n'),
      objectKey: 'mta-sts.example.com/.well-known/mta-sts.txt',
      zoneId: 'Z0123456789ABCDEFGHIJ',
    })]);
    expect(recordSets.map(({ name, type, aliasTarget }) => [name, type, aliasTarget])).toEqual(expect.arrayContaining([
      ['mta-sts.example.com', 'A', firstItem(distributions).domainName],
      ['mta-sts.example.com', 'AAAA', firstItem(distributions).domainName],
      ['_mta-sts.example.com', 'TXT', undefined],
      ['_smtp._tls.example.com', 'TXT', undefined],
    ]));
    expect(notes.all).toEqual([]);
  });

  test.each<[string, (app: App) => Stack]>([
    ['a stage', (app) => new Stack(new Stage(app, 'Prod'), 'Mail', { env: ENV })],
    ['a nested stack', (app) => new NestedStack(new Stack(app, 'Outer', { env: ENV }), 'Mail')],
  ])('the preview finds the construct in %s', (_, stackIn) => {
    const app = synthesize((root) => {
      oneDomain(stackIn(root));
    });
    const { distributions, publications, notes } = readAssembly(app);
    expect(firstItem(publications)).toMatchObject({ domain: 'example.com', bucketName: firstItem(distributions).bucketName });
    expect(notes.all).toEqual([]);
  });

  test('the preview reads several domains that share a policy host', () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'Mail', { env: ENV });
      const domains = ['example.com', 'example.net'].map((name) => ({ hostedZone: importedZone(stack, name) }));
      const policyHost = new PolicyHost(stack, 'Host', { domains });
      for (const { hostedZone } of domains) {
        new MtaSts(stack, hostedZone.zoneName, { hostedZone, policyHost, policy: MtaStsPolicy.testing({ mx: MxHosts.googleWorkspace() }) });
      }
    });
    expect(onlyDistribution(app).aliases).toEqual(['mta-sts.example.com', 'mta-sts.example.net']);
    expect(readAssembly(app).publications.map(({ domain }) => domain)).toEqual(['example.com', 'example.net']);
  });

  test('the preview reads a hosted zone of the template', () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'Mail', { env: ENV });
      oneDomain(stack, { hostedZone: new route53.PublicHostedZone(stack, 'Zone', { zoneName: 'Example.com' }) });
    });
    const { zones, recordSets } = readAssembly(app);
    expect(recordSets.map(({ zoneId }) => zones.get(zoneId ?? ''))).toEqual(recordSets.map(() => 'example.com'));
  });
});

describe('a distribution of any template', () => {
  test('a distribution has the defaults of CloudFront for properties that the template does not set', () => {
    expect(onlyDistribution(template({}))).toMatchObject({
      ipv6: false, minimumTls: 'TLSv1', viewerProtocol: 'allow-all', allowedMethods: ['GET', 'HEAD'], functionCode: undefined,
      responseHeaders: undefined, bucketName: undefined, originPath: '',
    });
  });

  test.each([
    ['TLSv1.3_2025', 'TLSv1.3'], ['TLSv1.2_2025', 'TLSv1.2'], ['TLSv1.2_2018', 'TLSv1.2'], ['TLSv1.1_2016', 'TLSv1.1'], ['TLSv1_2016', 'TLSv1'], ['SSLv3', 'TLSv1'],
  ])('a distribution with the security policy %s accepts %s and later', (policy, version) => {
    expect(onlyDistribution(template({ ViewerCertificate: { MinimumProtocolVersion: policy } })).minimumTls).toBe(version);
  });

  test('a note names each part of a distribution that the preview ignores', () => {
    const app = template({
      Aliases: ['mta-sts.example.com', 'mta-sts.exa mple.com', '*.example.net'],
      CacheBehaviors: [{}],
      CustomErrorResponses: [{}],
      WebACLId: { Ref: 'Acl' },
      DefaultCacheBehavior: {
        LambdaFunctionAssociations: [{}],
        FunctionAssociations: [
          { EventType: 'viewer-response', FunctionARN: 'x' },
          { EventType: 'viewer-request', FunctionARN: 'arn:aws:cloudfront::123456789012:function/\u001b' },
          { EventType: 'viewer-request', FunctionARN: { 'Fn::ImportValue': 'Edge' } },
          { EventType: 'viewer-request' },
        ],
        ResponseHeadersPolicyId: '00000000-0000-0000-0000-000000000000',
      },
    });
    const { distributions, notes } = readAssembly(app);
    expect(firstItem(distributions).aliases).toEqual(['mta-sts.example.com', '*.example.net']);
    expect(notes.all).toEqual([
      'Mail/Distribution: the preview ignores CacheBehaviors',
      'Mail/Distribution: the preview ignores CustomErrorResponses',
      'Mail/Distribution: the preview ignores WebACLId',
      'Mail/Distribution: the preview does not run Lambda@Edge functions',
      expect.stringMatching(/the alias "mta-sts\.exa mple\.com" .*\. The preview does not serve it/),
      'Mail/Distribution: the preview runs functions for viewer requests, but not for viewer responses',
      expect.stringMatching(/its function arn:aws:cloudfront::123456789012:function\/\\x1b is not in the assembly/),
      'Mail/Distribution: DistributionConfig.DefaultCacheBehavior.FunctionAssociations.2.FunctionARN could not be resolved: it imports Edge, which no stack of the assembly exports',
      'Mail/Distribution: DistributionConfig.DefaultCacheBehavior.FunctionAssociations.3.FunctionARN is missing or not a text',
      expect.stringMatching(/its response headers policy 0{8}-.* is not in the assembly and not a known managed policy\. Its headers are missing/),
    ]);
  });

  test('a note names a distribution that cannot be resolved at all', () => {
    const app = template({}, { Other: { Type: 'AWS::CloudFront::Distribution', Properties: { DistributionConfig: { 'Fn::ImportValue': 'X' } } } });
    expect(readAssembly(app).notes.all).toContainEqual(expect.stringMatching(/^Mail\/Other: DistributionConfig\.Aliases could not be resolved/));
  });

  test('a distribution uses the function and the headers of another stack', () => {
    const app = synthesize((root) => {
      const parts = new Stack(root, 'Parts', { env: ENV });
      const edge = new cloudfront.Function(parts, 'Edge', { code: cloudfront.FunctionCode.fromInline('function handler(e) { return e.request; }') });
      const headers = new cloudfront.ResponseHeadersPolicy(parts, 'Headers', { customHeadersBehavior: { customHeaders: [{ header: 'X-Own', value: '1', override: true }] } });
      const front = new Stack(root, 'Front', { env: ENV });
      new cloudfront.Distribution(front, 'Distribution', {
        domainNames: ['mta-sts.example.com'],
        certificate: acm.Certificate.fromCertificateArn(front, 'Certificate', 'arn:aws:acm:us-east-1:123456789012:certificate/x'),
        defaultBehavior: {
          origin: new origins.HttpOrigin('origin.example.com', { originPath: '/sub' }),
          responseHeadersPolicy: headers,
          functionAssociations: [{ function: edge, eventType: cloudfront.FunctionEventType.VIEWER_REQUEST }],
        },
      });
    });
    expect(onlyDistribution(app)).toMatchObject({
      functionCode: 'function handler(e) { return e.request; }',
      responseHeaders: { remove: [], add: [{ name: 'x-own', value: '1', override: true }] },
      bucketName: undefined,
      originPath: '/sub',
    });
  });

  test('a note names a function without code', () => {
    const { notes } = readAssembly(template({}, { Edge: { Type: 'AWS::CloudFront::Function', Properties: {} } }));
    expect(notes.all).toEqual(['Mail/Edge: FunctionCode is missing or not a text']);
  });
});

describe('a publication', () => {
  const whole = { DomainName: 'Example.com', PolicyHash: policyHash('x\r\n'), Policy: ['x'], BucketName: 'b', ObjectKey: 'k' };
  const read = (properties: object): ReturnType<typeof readAssembly> => readAssembly(template({}, { P: { Type: 'Custom::MtaStsPublication', Properties: properties } }));

  test('the preview leaves out a publication without a policy, with a note', () => {
    const { publications, notes } = read({ ...whole, Policy: undefined, BucketName: { Ref: 'Nothing' } });
    expect(publications).toEqual([]);
    expect(notes.all).toEqual([
      'Mail/P: BucketName could not be resolved: it refers to Nothing, which the template does not have',
      'Mail/P: Policy is missing',
    ]);
  });

  test.each(['$(reboot).example.com', 'com', `${'a.'.repeat(121)}com`, '\u001b[31m.example'])('the preview leaves out a publication for the domain %j, with a note', (DomainName) => {
    const { publications, notes } = read({ ...whole, DomainName });
    expect(publications).toEqual([]);
    expect(notes.all).toEqual([expect.stringMatching(/^Mail\/P: the domain [^\u001b]*\. It is left out$/)]);
  });

  test('a publication has an id of its time and policy, also in the records of the template', () => {
    const P = { Type: 'Custom::MtaStsPublication', Properties: whole };
    const record = (value: unknown): object => ({ Type: 'AWS::Route53::RecordSet', Properties: { Name: 'a.example.com', Type: 'TXT', HostedZoneId: 'Z1', ResourceRecords: [value] } });
    const { publications, recordSets } = readAssembly(template({}, {
      P,
      Joined: record({ 'Fn::Join': ['', ['"v=STSv1; id=', { 'Fn::GetAtt': ['P', 'PolicyId'] }, ';"']] }),
      Substituted: record({ 'Fn::Sub': '"v=STSv1; id=${P.PolicyId};"' }),
    }), Date.UTC(2026, 10, 30, 19, 24, 8, 999));
    const id = `20261130T192408${policyHash('x\r\n')}`;
    expect(publications.map(({ policyId }) => policyId)).toEqual([id]);
    expect(recordSets.map(({ values }) => values)).toEqual([[`"v=STSv1; id=${id};"`], [`"v=STSv1; id=${id};"`]]);
  });

  test('a publication of a release before 0.2 has the id in its template', () => {
    const { PolicyHash, ...rest } = whole;
    const { publications, notes } = read({ ...rest, PolicyId: policyId('x\r\n') });
    expect(publications).toEqual([expect.objectContaining({ policyId: policyId('x\r\n'), refused: undefined })]);
    expect(policyId('x\r\n').startsWith(PolicyHash)).toBe(true);
    expect(notes.all).toEqual([]);
  });

  test.each([
    [{ PolicyHash: '0123456789abcdef' }, '0123456789abcdef'],
    [{ PolicyHash: undefined, PolicyId: '0123456789abcdef0123456789abcdef' }, '0123456789abcdef'],
    [{ PolicyHash: undefined, PolicyId: '1' }, '1'],
  ])('the deployment refuses a publication whose policy changed after the synthesis, with the properties %j', (more, hash) => {
    expect(read({ ...whole, ...more }).publications).toEqual([
      expect.objectContaining({ refused: `its policy has the hash ${policyHash('x\r\n')}, but the template gives ${hash}` }),
    ]);
  });

  test('the preview leaves out a publication without a hash, or with an unknown policy, with a note', () => {
    expect(read({ ...whole, PolicyHash: undefined })).toMatchObject({ publications: [], notes: { all: ['Mail/P: PolicyHash is missing or not a text'] } });
    expect(read({ ...whole, Policy: ['x', { Ref: 'Nothing' }] })).toMatchObject({ publications: [], notes: {
      all: ['Mail/P: Policy.1 could not be resolved: it refers to Nothing, which the template does not have'],
    } });
  });

  test('the domain of a publication is in lower case', () => {
    expect(read(whole).publications).toEqual([expect.objectContaining({ domain: 'example.com', zoneId: undefined })]);
  });
});

describe('record sets', () => {
  const sets = (resources: Record<string, unknown>): ReturnType<typeof readAssembly> => readAssembly(template({}, resources));

  test('the preview leaves out record sets without a name, a type or a target, with a note', () => {
    const { recordSets, notes } = sets({
      A: { Type: 'AWS::Route53::RecordSet', Properties: { Type: 'A' } },
      B: { Type: 'AWS::Route53::RecordSet', Properties: { Name: 'b.example.com' } },
      C: { Type: 'AWS::Route53::RecordSet', Properties: { Name: 'c.example.com', Type: 'A', AliasTarget: { DNSName: { Ref: 'Nothing' } } } },
    });
    expect(recordSets).toEqual([]);
    expect(notes.all).toEqual([
      'Mail/A: Name is missing or not a text',
      'Mail/B: Type is missing or not a text',
      'Mail/C: AliasTarget.DNSName could not be resolved: it refers to Nothing, which the template does not have',
    ]);
  });

  test('the preview reads single record sets and groups, with the zone by id or by name', () => {
    const { recordSets } = sets({
      A: { Type: 'AWS::Route53::RecordSet', Properties: { HostedZoneName: 'Example.com.', Name: 'A.example.com.', Type: 'TXT', TTL: '60', ResourceRecords: ['"x"'] } },
      G: { Type: 'AWS::Route53::RecordSetGroup', Properties: { HostedZoneId: 'Z1', RecordSets: [{ Name: 'g.example.com', Type: 'A', TTL: 'soon', ResourceRecords: ['192.0.2.1'] }] } },
    });
    expect(recordSets).toEqual([
      { path: 'Mail/A', zoneId: undefined, zoneName: 'example.com', name: 'a.example.com', type: 'TXT', ttl: 60, values: ['"x"'] },
      { path: 'Mail/G', zoneId: 'Z1', zoneName: undefined, name: 'g.example.com', type: 'A', ttl: 300, values: ['192.0.2.1'] },
    ]);
  });

  test('the preview reads the alias records and MX records of CDK constructs', () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'Mail', { env: ENV });
      const { policyHost } = oneDomain(stack);
      const target = route53.RecordTarget.fromAlias(new targets.CloudFrontTarget(policyHost.distribution));
      new route53.ARecord(stack, 'More', { zone: importedZone(stack, 'example.org'), recordName: 'mta', target });
      new route53.MxRecord(stack, 'Mx', { zone: importedZone(stack, 'example.net'), values: [{ hostName: 'mx1.example.com', priority: 10 }] });
    });
    expect(readAssembly(app).recordSets).toEqual(expect.arrayContaining([
      expect.objectContaining({ name: 'mta.example.org', aliasTarget: expect.stringMatching(/^d[0-9a-f]{13}\.cloudfront\.net$/) }),
      expect.objectContaining({ name: 'example.net', type: 'MX', values: ['10 mx1.example.com'] }),
    ]));
  });
});

describe('response headers policies', () => {
  test('a response headers policy of the template becomes the headers that CloudFront would send', () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'Mail', { env: ENV });
      const policy = new cloudfront.ResponseHeadersPolicy(stack, 'Headers', {
        securityHeadersBehavior: {
          contentSecurityPolicy: { contentSecurityPolicy: 'default-src \'none\'', override: true },
          contentTypeOptions: { override: true },
          frameOptions: { frameOption: cloudfront.HeadersFrameOption.DENY, override: false },
          referrerPolicy: { referrerPolicy: cloudfront.HeadersReferrerPolicy.NO_REFERRER, override: true },
          strictTransportSecurity: { accessControlMaxAge: Duration.days(1), includeSubdomains: true, preload: true, override: true },
          xssProtection: { protection: true, modeBlock: true, override: true },
        },
        removeHeaders: ['Server'],
      });
      const { policyHost } = oneDomain(stack);
      const distribution = onlyItem(policyHost.distribution.node.findAll().filter((child) => child instanceof cloudfront.CfnDistribution));
      distribution.addPropertyOverride('DistributionConfig.DefaultCacheBehavior.ResponseHeadersPolicyId', policy.responseHeadersPolicyId);
    });
    expect(onlyDistribution(app).responseHeaders).toEqual({
      remove: ['server'],
      add: [
        { name: 'content-security-policy', value: 'default-src \'none\'', override: true },
        { name: 'x-content-type-options', value: 'nosniff', override: true },
        { name: 'x-frame-options', value: 'DENY', override: false },
        { name: 'referrer-policy', value: 'no-referrer', override: true },
        { name: 'strict-transport-security', value: 'max-age=86400; includeSubDomains; preload', override: true },
        { name: 'x-xss-protection', value: '1; mode=block', override: true },
      ],
    });
  });

  test('a response headers policy with missing and invalid headers keeps its valid headers, with notes', () => {
    const app = template({ DefaultCacheBehavior: { ResponseHeadersPolicyId: { Ref: 'H' } } }, {
      H: { Type: 'AWS::CloudFront::ResponseHeadersPolicy', Properties: { ResponseHeadersPolicyConfig: {
        SecurityHeadersConfig: { StrictTransportSecurity: { Override: true }, XSSProtection: { Protection: false, ReportUri: 'https://r.example', Override: true } },
        CustomHeadersConfig: { Items: [{ Value: 'nameless' }, { Header: 'a', Value: 'x\r\nb: y' }] },
      } } },
    });
    expect(onlyDistribution(app).responseHeaders?.add).toEqual([
      { name: 'strict-transport-security', value: 'max-age=0', override: true },
      { name: 'x-xss-protection', value: '0; report=https://r.example', override: true },
    ]);
    expect(readAssembly(app).notes.all).toEqual([
      expect.stringMatching(/CustomHeadersConfig\.Items\.0\.Header is missing/),
      expect.stringMatching(/CustomHeadersConfig\.Items\.1 is not a valid HTTP header\. It is left out/),
    ]);
  });

  test('a response headers policy removes headers, and replaces headers of the origin only with `override`', () => {
    const headers = new Map<string, string | string[]>([['a', 'origin'], ['b', 'origin'], ['c', 'origin']]);
    applyPolicy(headers, { remove: ['c'], add: [{ name: 'a', value: 'policy', override: true }, { name: 'b', value: 'policy', override: false }, { name: 'd', value: 'policy', override: false }] });
    expect([...headers]).toEqual([['a', 'policy'], ['b', 'origin'], ['d', 'policy']]);
  });
});
