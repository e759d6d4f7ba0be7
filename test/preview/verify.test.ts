// The verifier against previews of changed and unchanged apps.
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { App } from 'aws-cdk-lib';
import { CfnResource, NestedStack, Stack, aws_cloudfront as cloudfront } from 'aws-cdk-lib';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting } from '../../lib';
import { createCertificateAuthority } from '../../lib/preview/tls/certificate-authority';
import { startPreview, verifyPreview } from '../../lib/preview';
import type { Preview, PreviewOptions } from '../../lib/preview';
import type { VerificationResult } from '../../lib/verifier/result';
import { exampleApp } from '../support/examples';
import { ENV, importedZone, oneDomain } from '../support/stack';
import { removeFolders, synthesize, usualApp } from '../support/assemblies';
import { firstItem, onlyItem } from '../support/items';

let running: Preview[] = [];

afterEach(async () => {
  await Promise.all(running.map((preview) => preview.close()));
  running = [];
});

afterAll(removeFolders);

type Options = Partial<PreviewOptions> & { app: string };

async function verifyAll(options: Options): Promise<VerificationResult[]> {
  const preview = await startPreview({ listen: '127.0.0.1', ...options });
  running.push(preview);
  const all: VerificationResult[] = [];
  for await (const result of verifyPreview(preview)) all.push(result);
  return all;
}

async function verifyOne(options: Options): Promise<VerificationResult> {
  return onlyItem(await verifyAll(options));
}

/** Synthesizes the usual app with a change to its resources. */
function synthesizeChanged(change: (resource: CfnResource) => void): string {
  return synthesize((app: App) => {
    const stack = new Stack(app, 'Mail', { env: ENV });
    oneDomain(stack);
    for (const child of stack.node.findAll()) {
      if (child instanceof CfnResource) change(child);
    }
  });
}

function codes({ findings }: VerificationResult, severity: string): string[] {
  return findings.filter((finding) => finding.severity === severity).map(({ code }) => code);
}

describe('a preview with an error', () => {
  test('the verification of a preview fails if the policy does not cover a given MX host', async () => {
    const result = await verifyOne({ app: usualApp(), mx: [{ host: 'mail.other.test', address: '127.0.0.1' }] });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'found', mx: [{ host: 'mail.other.test', covered: false }] });
    expect(codes(result, 'error')).toEqual(['mx-not-covered']);
    expect(firstItem(result.findings).message).toContain('mail.other.test');
  });

  test('the verification of a preview fails if the TXT record has another id than the policy', async () => {
    const app = synthesizeChanged((resource) => {
      if (resource.node.path.includes('Announcement')) resource.addPropertyOverride('ResourceRecords', ['"v=STSv1; id=20260101;"']);
    });
    const result = await verifyOne({ app });
    expect(result.verdict).toBe('fail');
    expect(codes(result, 'error')).toEqual(['id-unexpected']);
  });

  test('the verification of a preview fails if the edge function refuses senders', async () => {
    const app = synthesizeChanged((resource) => {
      if (resource instanceof cloudfront.CfnFunction) resource.addPropertyOverride('FunctionCode', 'function handler() { return { statusCode: 404 }; }');
    });
    const result = await verifyOne({ app });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(codes(result, 'error')).toContain('sts-policy-fetch-error');
  });

  test('the verification of a preview fails if the TXT record is missing', async () => {
    const app = synthesizeChanged((resource) => {
      if (resource.node.path.includes('Announcement')) resource.addPropertyOverride('Name', 'elsewhere.example.com.');
    });
    const result = await verifyOne({ app });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'none' });
  });

  test('the verification of a preview fails if the given certificate is for another name', async () => {
    const authority = await createCertificateAuthority('the user\'s');
    const { keyPem, certificatePem } = await authority.issue({ names: ['other.example'] });
    const result = await verifyOne({ app: usualApp(), tls: { key: keyPem, cert: certificatePem } });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(codes(result, 'error')).toContain('sts-webpki-invalid');
  });
});

describe('a preview without errors', () => {
  test('the verification of a preview passes for the construct, without error or unknown', async () => {
    const result = await verifyOne({ app: usualApp() });
    expect(result).toMatchObject({
      domain: 'example.com', verdict: 'pass', lookup: 'found', policy: { mode: 'enforce' },
      mx: [{ host: 'mx1.example.com', covered: true }, { host: 'mx2.example.com', covered: true }],
    });
    expect([...codes(result, 'error'), ...codes(result, 'unknown')]).toEqual([]);
  });

  test('the verification of a preview passes with a certificate of the user', async () => {
    const authority = await createCertificateAuthority('the user\'s');
    const { keyPem, certificatePem } = await authority.issue({ names: ['mta-sts.example.com'] });
    expect((await verifyOne({ app: usualApp(), tls: { key: keyPem, cert: certificatePem } })).verdict).toBe('pass');
  });

  test('the verification of a preview passes for several domains on one policy host', async () => {
    const app = synthesize((root) => {
      const stack = new Stack(root, 'Mail', { env: ENV });
      const domains = ['example.com', 'example.net', 'example.org'].map((name) => ({ hostedZone: importedZone(stack, name) }));
      const policyHost = new PolicyHost(stack, 'Host', { domains });
      for (const { hostedZone } of domains) {
        new MtaSts(stack, hostedZone.zoneName, { hostedZone, policyHost, policy: MtaStsPolicy.testing({ mx: MxHosts.of(`mx.${hostedZone.zoneName}`) }) });
      }
    });
    const all = await verifyAll({ app });
    expect(all.map(({ domain, verdict, policy }) => [domain, verdict, policy?.mx])).toEqual([
      ['example.com', 'pass', ['mx.example.com']],
      ['example.net', 'pass', ['mx.example.net']],
      ['example.org', 'pass', ['mx.example.org']],
    ]);
  });

  test.each<[string, (app: App) => Stack]>([
    ['a nested stack', (app) => new NestedStack(new Stack(app, 'Outer', { env: ENV }), 'Mail')],
    ['a stack of another Region', (app) => new Stack(app, 'Mail', { env: { ...ENV, region: 'eu-central-1' } })],
    ['a nested stack of another Region', (app) => new NestedStack(new Stack(app, 'Outer', { env: { ...ENV, region: 'eu-central-1' } }), 'Mail')],
  ])('the verification of a preview passes for %s, with an id of the preview', async (_, stackIn) => {
    const app = synthesize((root) => oneDomain(stackIn(root)));
    const result = await verifyOne({ app, time: Date.UTC(2026, 10, 30, 19, 24, 8) });
    expect(result).toMatchObject({ verdict: 'pass', record: { id: expect.stringMatching(/^20261130T192408[0-9a-f]{16}$/) } });
    expect([...codes(result, 'error'), ...codes(result, 'unknown')]).toEqual([]);
  });

  test('the verification of a preview passes for records that a stack in another account creates', async () => {
    const app = exampleApp('records-in-another-account.ts').synth().directory;
    const result = await verifyOne({ app, time: Date.UTC(2026, 10, 30, 19, 24, 8) });
    expect(result).toMatchObject({ verdict: 'pass', record: { id: expect.stringMatching(/^20261130T192408[0-9a-f]{16}$/) } });
  });

  test('the verification of a preview passes for wildcards, with hosts that match them', async () => {
    const app = synthesize((root) => {
      oneDomain(new Stack(root, 'Mail', { env: ENV }), { policy: MtaStsPolicy.enforce({ mx: MxHosts.microsoft365() }) });
    });
    const result = await verifyOne({ app });
    expect(result.verdict).toBe('pass');
    expect(result.mx.every(({ covered }) => covered === true)).toBe(true);
  });
});

test('the verification of a preview passes for a domain with external DNS, as if its manual records existed', async () => {
  const app = synthesize((root) => {
    new MtaSts(new Stack(root, 'Mail', { env: ENV }), 'MtaSts', {
      domainName: 'example.com',
      policy: MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com') }),
      tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
    });
  });
  const result = await verifyOne({ app });
  expect(result).toMatchObject({ domain: 'example.com', verdict: 'pass', lookup: 'found' });
  expect(result.findings.map(({ code }) => code)).toContain('delegated');
});
