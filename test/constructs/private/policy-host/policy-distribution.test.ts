// The distribution of a policy host, and its edge function.
import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { App, NestedStack, Stack, Stage, aws_s3 as s3 } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { MtaSts, MtaStsPolicy } from '../../../../lib';
import { policyObjectKey } from '../../../../lib/contract/object-keys';
import { edgeFunctionCode, edgeFunctionName } from '../../../../lib/private/policy-host/policy-distribution';
import { POLICY_PATH } from '../../../../lib/protocol/policy/url';
import { hostTemplate } from '../../../support/policy-host';
import { ENV, importedZone } from '../../../support/stack';

describe('the distribution', () => {
  const template = hostTemplate();
  const config = (expected: unknown): void => {
    template.hasResourceProperties('AWS::CloudFront::Distribution', { DistributionConfig: Match.objectLike(expected as Record<string, unknown>) });
  };

  test('the distribution refuses TLS below 1.2, and speaks IPv6, HTTP/2 and HTTP/3', () => {
    config({ ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.2_2021', SslSupportMethod: 'sni-only' }, IPV6Enabled: true, HttpVersion: 'http2and3' });
  });

  test('the distribution redirects HTTP, allows only GET and HEAD, and caches nothing', () => {
    config({ DefaultCacheBehavior: Match.objectLike({
      ViewerProtocolPolicy: 'redirect-to-https',
      AllowedMethods: ['GET', 'HEAD'],
      // CachingDisabled: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
      CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
    }) });
  });

  test('the distribution sends the managed security headers', () => {
    config({ DefaultCacheBehavior: Match.objectLike({ ResponseHeadersPolicyId: '67f7725c-6f97-4210-82d7-5512b31e9d03' }) });
  });

  test('the distribution runs the edge function on each request', () => {
    config({ DefaultCacheBehavior: Match.objectLike({ FunctionAssociations: [{ EventType: 'viewer-request', FunctionARN: Match.anyValue() }] }) });
    template.hasResourceProperties('AWS::CloudFront::Function', { FunctionConfig: { Runtime: 'cloudfront-js-2.0' } });
  });

  test('the distribution reads the bucket by origin access control', () => {
    const [id] = Object.keys(template.findResources('AWS::CloudFront::OriginAccessControl'));
    template.resourceCountIs('AWS::CloudFront::OriginAccessControl', 1);
    config({ Origins: [Match.objectLike({ OriginAccessControlId: { 'Fn::GetAtt': [id, 'Id'] }, S3OriginConfig: { OriginAccessIdentity: '' } })] });
  });

  test('the distribution answers only for the policy host, over IPv4 and IPv6', () => {
    config({ Aliases: ['mta-sts.example.com'] });
    const [id] = Object.keys(template.findResources('AWS::CloudFront::Distribution'));
    // The zone of all distributions (AWS General Reference, "Amazon CloudFront endpoints and quotas").
    const AliasTarget = { DNSName: { 'Fn::GetAtt': [id, 'DomainName'] }, HostedZoneId: 'Z2FDTNDATAQYW2' };
    template.hasResourceProperties('AWS::Route53::RecordSetGroup', {
      HostedZoneId: 'Z0123456789ABCDEFGHIJ',
      RecordSets: Match.arrayWith(['A', 'AAAA'].map((Type) => ({ Name: 'mta-sts.example.com.', Type, AliasTarget }))),
    });
  });

  test('the distribution uses a given bucket for access logs and a given web ACL', () => {
    const webAclArn = 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/senders/11111111-2222-3333-4444-555555555555';
    const template = hostTemplate((stack) => ({
      accessLogBucket: new s3.Bucket(stack, 'Logs', { objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED }),
      webAclArn,
    }));
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({ Logging: Match.objectLike({ Bucket: Match.anyValue() }), WebACLId: webAclArn }),
    });
  });
});

interface EdgeRequest { method: string; uri: string; headers: Record<string, { value: string }>; querystring: object; cookies: object }
type EdgeResult = EdgeRequest & { statusCode?: number };

/** Runs the function as CloudFront does: it takes an event and returns a request or a response. */
function edge(request: Partial<Pick<EdgeRequest, 'method' | 'uri'>> & { host?: string }): EdgeResult {
  const event = {
    version: '1.0',
    request: {
      method: request.method ?? 'GET',
      uri: request.uri ?? POLICY_PATH,
      querystring: {},
      cookies: {},
      headers: request.host === '' ? {} : { host: { value: request.host ?? 'mta-sts.example.com' } },
    },
  };
  const code = edgeFunctionCode(['mta-sts.example.net', 'mta-sts.example.com']);
  return JSON.parse(String(runInContext(`${code}; JSON.stringify(handler(${JSON.stringify(event)}))`, createContext({})))) as EdgeResult;
}

describe('refused requests', () => {
  test.each([
    ['an unknown host', { host: 'mta-sts.other.example' }],
    ['no host', { host: '' }],
    ['a host that is a property of all objects', { host: 'constructor' }],
    ['the root', { uri: '/' }],
    ['a longer path', { uri: `${POLICY_PATH}/` }],
    ['the path in another case', { uri: POLICY_PATH.toUpperCase() }],
    ['the object key itself', { uri: `/${policyObjectKey('mta-sts.example.com')}` }],
    ['a publication history', { uri: '/ledger/example.com.json' }],
    ['a publication history by a path with dots', { uri: '/.well-known/../ledger/example.com.json' }],
    ['a publication history by a host with the name of its folder', { host: 'ledger', uri: '/example.com.json' }],
    ['a path with dots', { uri: `/x/..${POLICY_PATH}` }],
    ['the method POST', { method: 'POST' }],
    ['the method OPTIONS', { method: 'OPTIONS' }],
  ])('the edge function answers 404 for %s', (_what, request) => {
    expect(edge(request)).toMatchObject({ statusCode: 404, headers: { 'cache-control': { value: 'no-store' } } });
  });
});

test.each(['GET', 'HEAD'])('the edge function maps %s of the policy to the object of the host', (method) => {
  expect(edge({ method })).toMatchObject({ method, uri: '/mta-sts.example.com/.well-known/mta-sts.txt' });
});

test('the edge function accepts the host with a port and in any case', () => {
  expect(edge({ host: 'MTA-STS.example.net:8443' }).uri).toBe('/mta-sts.example.net/.well-known/mta-sts.txt');
});

test('the order of the hosts does not change the edge function', () => {
  expect(edgeFunctionCode(['b', 'a'])).toBe(edgeFunctionCode(['a', 'b']));
});

test('the edge function for a hundred domains with the longest names fits the 10 KB that CloudFront allows', () => {
  const names = Array.from({ length: 100 }, (_, i) => `mta-sts.${String(i).padStart(56, 'd')}`);
  expect(Buffer.byteLength(edgeFunctionCode(names))).toBeLessThan(10_240);
});

const policy = MtaStsPolicy.none();

function stackNamed(stackName: string, id = 'Mail', app: Construct = new App()): Stack {
  return new Stack(app, id, { stackName, env: ENV });
}

/** Returns the names of the edge functions in the template. */
function namesIn(stack: Stack): string[] {
  return Object.values(Template.fromStack(stack).findResources('AWS::CloudFront::Function'))
    .map(({ Properties }: { Properties?: { Name: string } }) => Properties?.Name ?? '');
}

function addDomain(stack: Stack, id = 'MtaSts', zoneName = 'example.com'): MtaSts {
  return new MtaSts(stack, id, { hostedZone: importedZone(stack, zoneName), policy });
}

describe('names of edge functions', () => {
  test('the name of an edge function contains the name of the stack and the path of the host', () => {
    const stack = stackNamed('mail-dev');
    addDomain(stack);
    expect(namesIn(stack)).toEqual([expect.stringMatching(/^mail-dev-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
  });

  test('the name of an edge function is the same at each synthesis', () => {
    const [before, after] = [stackNamed('mail'), stackNamed('mail')];
    [before, after].forEach((stack) => addDomain(stack));
    expect(namesIn(before)).toEqual(namesIn(after));
  });

  test('each stack, each host and each similar path has its own name of an edge function', () => {
    const app = new App();
    const [dev, prod] = [stackNamed('mail-dev', 'dev', app), stackNamed('mail-prod', 'prod', app)];
    for (const stack of [dev, prod]) {
      addDomain(stack, 'One');
      addDomain(stack, 'Two', 'example.net');
      addDomain(new Stack(new Stage(app, `${stack.node.id}Stage`), 'Mail', { env: ENV }));
    }
    const similar = ['a-b', 'a.b', 'a+b'].map((id) => edgeFunctionName(new Construct(dev, id)));
    const names = [...namesIn(dev), ...namesIn(prod), ...similar];
    expect(new Set(names).size).toBe(7);
  });

  test.each([
    ['a long stack name', 's'.repeat(128), 'Id'],
    ['a long path', 'mail', 'p'.repeat(200)],
    ['a long stack name and a long path', 's'.repeat(128), 'p'.repeat(200)],
    ['other characters in the path', 'mail', 'Ünïcode (of 2) ☂'],
  ])('CloudFront accepts the name of an edge function with %s, and the name is unique', (_, stackName, id) => {
    const names = [`${id}1${'q'.repeat(100)}`, `${id}2${'q'.repeat(100)}`, id].map((one) => edgeFunctionName(new Construct(stackNamed(stackName), one)));
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9-_]{1,64}$/);
    expect(new Set(names).size).toBe(3);
  });

  test('the name of an edge function in a nested stack contains the name of the outermost stack', () => {
    const [dev, prod] = ['mail-dev', 'mail-prod'].map((stackName) => {
      const nested = new NestedStack(new NestedStack(stackNamed(stackName), 'Outer'), 'Inner');
      addDomain(nested);
      return namesIn(nested);
    });
    expect(dev).toEqual([expect.stringMatching(/^mail-dev-Outer-Inner-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
    expect(prod).toEqual([expect.stringMatching(/^mail-prod-Outer-Inner-/)]);
  });

  test('stacks with the same name in two Regions have different names of edge functions', () => {
    const names = ['eu-central-1', 'ap-southeast-2'].map((region) => {
      const stack = new Stack(new App(), 'Mail', { stackName: 'mail', env: { ...ENV, region } });
      addDomain(stack);
      const inner = stack.node.findChild('MtaStsUsEast1');
      return inner instanceof Stack ? namesIn(inner) : [];
    });
    expect(names[0]).toEqual([expect.stringMatching(/^mail-eu-central-1-mta-sts-MtaSts-PolicyHost-[0-9A-F]{8}$/)]);
    expect(names[1]).not.toEqual(names[0]);
  });
});
