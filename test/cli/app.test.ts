import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { Stack } from 'aws-cdk-lib';
import { ContextError, createApp, synthesize } from '../../bin/app';

const CONTEXT = { domain: 'example.com', mx: 'mx1.example.com', mode: 'enforce', hostedZoneId: 'Z0123456789ABCDEFGHIJ' };

function stackOf(context: Record<string, unknown>, env: Record<string, string> = {}): Stack {
  const stack = createApp(env, { context }).node.children.find((child) => child instanceof Stack);
  if (stack === undefined) {
    throw new Error('the app has no stack');
  }
  return stack;
}

describe('bin/app.ts checks its context before AWS credentials are needed', () => {
  test('the app names every missing context value at once', () => {
    expect(() => createApp({}, {})).toThrow(ContextError);
    expect(() => createApp({}, {})).toThrow(/missing context:\n {2}-c domain=.*\n {2}-c mx=.*google-workspace.*\n {2}-c mode=.*begin with testing/);
  });

  test.each([
    [{ mode: 'enforced' }, /-c mode must be enforce, testing or none, got "enforced"/],
    [{ mx: 'google' }, /-c mx must be the hosts.*google-workspace.*got "google"/],
    [{ mx: 'constructor' }, /-c mx must be/],
    [{ mx: 'mx1.example.com.' }, /mx pattern "mx1\.example\.com\."/],
    [{ mx: 'ses-inbound:Ireland' }, /`region` must be the name of an AWS Region/],
    [{ maxAgeDays: 'a week' }, /-c maxAgeDays must be a number of days/],
    [{ hostedZoneId: 'example.com' }, /-c hostedZoneId must be the id of a Route 53 hosted zone/],
    [{ tlsReporting: 'tls@example.com' }, /reporting address "tls@example\.com"/],
    [{ domain: 'example.com/' }, /-c domain "example\.com\/" contains/],
    [{ domain: '_x.com' }, /-c domain "_x\.com"/],
    [{ maxAgeDays: true }, /-c maxAgeDays must be a text, got true/],
  ])('the app rejects the context %j', (context, message) => {
    expect(() => createApp({}, { context: { ...CONTEXT, ...context } })).toThrow(message);
  });

  test('the app needs credentials only to look up a zone', () => {
    const context = { ...CONTEXT, hostedZoneId: '' };
    expect(() => createApp({}, { context })).toThrow(/no AWS credentials were found to look up the hosted zone of example\.com.*-c hostedZoneId/);
    expect(stackOf(context, { CDK_DEFAULT_ACCOUNT: '123456789012' }).stackName).toBe('MtaSts-example-com');
  });
});

describe('the stack of bin/app.ts', () => {
  test('the app makes one us-east-1 stack for each domain, named after the domain', () => {
    expect(stackOf(CONTEXT).region).toBe('us-east-1');
    const names = ['a-b.com', 'a.b.com', 'a.b-com.com'].map((domain) => stackOf({ ...CONTEXT, domain }).stackName);
    expect(new Set(names).size).toBe(3);
  });

  test.each([
    ['google-workspace', '*.aspmx.l.google.com'],
    ['microsoft-365', '*.mail.protection.outlook.com'],
    ['fastmail', 'in1-smtp.messagingengine.com'],
    ['proton-mail', 'mail.protonmail.ch'],
    ['icloud', 'mx01.mail.icloud.com'],
    ['zoho', 'mx.zoho.com'],
    ['cloudflare-email-routing', '*.mx.cloudflare.net'],
    ['ses-inbound:eu-west-1', 'inbound-smtp.eu-west-1.amazonaws.com'],
    ['a.example.com,b.example.com', 'b.example.com'],
  ])('the app accepts -c mx=%s', (mx, host) => {
    const template = JSON.stringify(Template.fromStack(stackOf({ ...CONTEXT, mx })).toJSON());
    expect(template).toContain(`mx: ${host}`);
  });

  test('the app accepts a domain in U-labels', () => {
    expect(stackOf({ ...CONTEXT, domain: 'Bücher.example' }).stackName).toBe('MtaSts-xn----bcher--kva-example');
  });

  test('the app accepts numbers as cdk.json may hold them', () => {
    expect(JSON.stringify(Template.fromStack(stackOf({ ...CONTEXT, maxAgeDays: 3 })).toJSON())).toContain('max_age: 259200');
  });

  test.each(['testing', 'none'])('the app accepts -c mode=%s with an age and reporting addresses', (mode) => {
    const template = JSON.stringify(Template.fromStack(
      stackOf({ ...CONTEXT, mode, maxAgeDays: '3', tlsReporting: 'mailto:a@example.com,mailto:b@example.com' }),
    ).toJSON());
    expect(template).toContain(`mode: ${mode}`);
    expect(template).toContain('max_age: 259200');
    expect(template).toContain('rua=mailto:a@example.com,mailto:b@example.com');
  });

  test('the app accepts a domain below the zone', () => {
    const template = JSON.stringify(Template.fromStack(stackOf({ ...CONTEXT, domain: 'mail.example.com', zone: 'example.com' })).toJSON());
    expect(template).toContain('_mta-sts.mail.example.com.');
  });
});

test('the app prints an error as a message without a stack trace', () => {
  const said: string[] = [];
  const status = synthesize({}, (text) => said.push(text), { context: { ...CONTEXT, mode: 'on' } });
  expect([status, said]).toEqual([1, ['\n-c mode must be enforce, testing or none, got "on"\n']]);
});

test('the app prints nothing when it synthesizes a valid context', () => {
  const said: string[] = [];
  expect(synthesize({}, (text) => said.push(text), { context: CONTEXT })).toBe(0);
  expect(said).toEqual([]);
});

test('cdk synth prints a template in which the order of the resources can be read', () => {
  const output = mkdtempSync(join(tmpdir(), 'cdk-mta-sts-synth-'));
  try {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
    execFileSync(process.execPath, [
      join(__dirname, '../../node_modules/aws-cdk/bin/cdk'), 'synth', '--quiet', '--no-notices', '--output', output,
      ...Object.entries(CONTEXT).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ], { cwd: join(__dirname, '../..'), env: { ...env, AWS_EC2_METADATA_DISABLED: 'true', CI: 'true' }, stdio: 'pipe' });
    const { Resources } = JSON.parse(readFileSync(join(output, 'MtaSts-example-com.template.json'), 'utf8')) as {
      Resources: Record<string, { Type: string; DependsOn?: string[]; Properties: { Name?: string } }>;
    };
    const [id, record] = Object.entries(Resources).find(([, { Properties }]) => Properties.Name === '_mta-sts.example.com.') ?? [];
    expect(record?.DependsOn?.map((dependency) => Resources[dependency]?.Type)).toContain('Custom::MtaStsPublication');
    const verification = Object.values(Resources).find(({ Type }) => Type === 'Custom::MtaStsVerification');
    expect(verification?.DependsOn).toContain(id);
  } finally {
    rmSync(output, { recursive: true });
  }
}, 60_000);
