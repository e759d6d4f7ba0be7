// The outputs file of a deployment: our outputs in it, and invalid ones.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { readInput } from '../../cli/input/file';
import { MAX_OUTPUTS_BYTES, parseOutputs } from '../../cli/input/deployment-outputs';
import { MtaSts, MtaStsPolicy, MxHosts, PolicyHost } from '../../lib';
import { policyHash, policyId, renderPolicyId } from '../../lib/protocol/policy/id';
import { ENV, importedZone, oneDomain } from '../support/stack';

const POLICY = 'version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n';
const HASH = policyHash(POLICY);
const ID = renderPolicyId(Date.UTC(2026, 10, 30, 19, 24, 8), HASH);

function output(claim: unknown): string {
  return JSON.stringify({ mtaSts: claim });
}

function read(file: unknown): ReturnType<typeof parseOutputs> {
  return parseOutputs(Buffer.from(typeof file === 'string' ? file : JSON.stringify(file)));
}

function problem(file: unknown): string {
  const result = read(file);
  return 'problem' in result ? result.problem : `no problem: ${JSON.stringify(result)}`;
}

describe('invalid outputs files', () => {
  test.each<[string, unknown, RegExp]>([
    ['an empty file', '', /^is not JSON; give the file that `npx cdk deploy --outputs-file/],
    ['half a file', '{"Test": {"a": "b"', /^is not JSON/],
    ['a list', [], /^is JSON, but not an object of stacks/],
    ['a text', '"x"', /^is JSON, but not an object of stacks/],
    ['null', 'null', /^is JSON, but not an object of stacks/],
    ['a stack that is a text', { Test: 'x' }, /^holds no outputs for the stack Test, but a string/],
    ['a stack that is null', { Test: null }, /^holds no outputs for the stack Test, but null/],
    ['a stack that is a list', { Test: [] }, /^holds no outputs for the stack Test, but a list/],
    ['no stack', {}, /^holds no output of a MtaSts construct, since it has no stack at all; deploy/],
    ['foreign stacks', { One: { a: 'x' }, Two: {} }, /^holds no output of a MtaSts construct, only of One, Two; deploy the stack/],
    ['many foreign stacks', Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((i) => [`S${i}`, {}])), /only of S1, S2, S3, S4, S5 and 2 more;/],
    ['half an output of ours', { Test: { a: '{"mtaSts":{"domain"' } }, /^has an output Test\.a that begins as one of a MtaSts construct and is none/],
    ['an output that is no object', { Test: { a: output([]) } }, /Test\.a that begins as one/],
    ['no domain', { Test: { a: output({ id: ID }) } }, /^has an output Test\.a without the name of a domain/],
    ['a domain that is none', { Test: { a: output({ domain: 'a b', id: ID }) } }, /without the name of a domain/],
    ['no id', { Test: { a: output({ domain: 'example.com' }) } }, /without an id for example\.com, 1 to 32 letters and digits/],
    ['an id that is none', { Test: { a: output({ domain: 'example.com', id: 'a-b' }) } }, /without an id for example\.com/],
    ['a policy that is no text', { Test: { a: output({ domain: 'example.com', id: ID, policy: 1 }) } }, /whose policy for example\.com is a number, not a text/],
    ['a policy of another id', { Test: { a: output({ domain: 'example.com', id: 'other', policy: POLICY }) } },
      new RegExp(`^has an output Test\\.a whose policy for example\\.com has the hash ${HASH}, but whose id is other; it was changed`)],
    ['a policy that the hash in its id does not name', { Test: { a: output({ domain: 'example.com', id: ID, policy: `${POLICY}note: x\r\n` }) } },
      /^has an output Test\.a whose policy for example\.com has the hash [0-9a-f]{16}, but whose id is 20261130T192408[0-9a-f]{16}; it was changed/],
    ['a policy that the id of an older release does not name', { Test: { a: output({ domain: 'example.com', id: policyId('other'), policy: POLICY }) } },
      /whose policy for example\.com has the hash/],
    ['a moment that is no text', { Test: { a: output({ domain: 'example.com', id: ID, earliestRemoval: 1 }) } },
      /^has an output Test\.a whose earliestRemoval for example\.com is a number, not a text; it was changed/],
    ['warnings that are no text', { Test: { a: output({ domain: 'example.com', id: ID, warnings: [] }) } },
      /^has an output Test\.a whose warnings for example\.com is a list, not a text/],
    ['a domain with two ids', { One: { a: output({ domain: 'example.com', id: ID }) }, Two: { b: output({ domain: 'example.com', id: 'other' }) } },
      new RegExp(`^gives example\\.com two ids, ${ID} in One\\.a and other in Two\\.b; only one`)],
  ])('the outputs file is refused with a reason: %s', (_, file, message) => {
    expect(problem(file)).toMatch(message);
  });

  test('an outputs file that is too large is refused without being parsed', () => {
    const result = parseOutputs(Buffer.alloc(MAX_OUTPUTS_BYTES + 1, ' '));
    expect(result).toEqual({ problem: `has ${MAX_OUTPUTS_BYTES + 1} bytes; outputs of more than ${MAX_OUTPUTS_BYTES} are not read` });
  });

  test.each([['a file', ''], ['standard input', '-']])('an outputs file that is too large is not read to its end from %s', async (_, name) => {
    const file = join(mkdtempSync(join(tmpdir(), 'outputs-')), 'cdk-outputs.json');
    const content = Buffer.alloc(MAX_OUTPUTS_BYTES + 1000, ' ');
    writeFileSync(file, content);
    const input = await readInput(name === '' ? file : name, Readable.from([content]), MAX_OUTPUTS_BYTES + 1);
    expect(input).toHaveProperty('bytes.length', MAX_OUTPUTS_BYTES + 1);
    rmSync(file);
  });

  test('the reason for a refused outputs file is one line without control characters', () => {
    expect(problem({ 'a\u001b[2J\n': {} })).toMatch(/only of a\\x1b\[2J\\x0a;/);
  });
});

test('an outputs file yields the policies of MtaSts in order, each domain once and with its text if any output has it', () => {
  const ours = { domain: 'example.com', id: ID };
  const result = read({
    Other: { Bucket: 'arn:aws:s3:::x', Number: 3, Json: '{"other":{}}', Broken: '{' },
    First: { Zed: output({ domain: 'zed.example', id: 'abc' }), Ours: output(ours) },
    Second: { Ours: output({ ...ours, policy: POLICY, later: 'field' }), Again: output(ours) },
  });
  expect(result).toEqual({ policies: [{ domain: 'zed.example', id: 'abc' }, { ...ours, policy: POLICY }] });
});

test('an outputs file of a release before 0.2 is read, whose id is 32 characters of the hash', () => {
  const ours = { domain: 'example.com', id: policyId(POLICY), policy: POLICY };
  expect(read({ Test: { a: output(ours) } })).toEqual({ policies: [ours] });
});

test('an outputs file may begin with a byte order mark', () => {
  expect(read(`\ufeff${JSON.stringify({ Test: { a: output({ domain: 'example.com', id: ID }) } })}`)).toHaveProperty('policies');
});

describe('outputs of the construct', () => {
  /** The longest values that the function makes. */
  const ANSWERED: Readonly<Record<string, string>> = {
    EarliestRemoval: 'r'.repeat(600), Warnings: 'w'.repeat(600), DomainName: 'd111111abcdef8.cloudfront.net',
  };
  const late = {
    earliestRemoval: ANSWERED.EarliestRemoval,
    warnings: ANSWERED.Warnings,
    target: ANSWERED.DomainName,
    tlsRpt: 'v=TLSRPTv1; rua=mailto:tls-reports@example.com',
  };

  /** Returns the outputs file as `cdk deploy` would write it. */
  function outputsFile(...stacks: Stack[]): Record<string, Record<string, unknown>> {
    return Object.fromEntries(stacks.map((stack) => {
      const { Outputs, Resources } = Template.fromStack(stack).toJSON() as Synthesized;
      const value = (late: unknown): unknown => deployed(late, (name) => idOf(String(Resources[name]?.Properties?.PolicyHash)));
      return [stack.stackName, Object.fromEntries(Object.entries(Outputs).map(([name, { Value }]) => [name, value(Value)]))];
    }));
  }

  interface Synthesized {
    readonly Outputs: Record<string, { readonly Value: unknown }>;
    readonly Resources: Record<string, { readonly Properties?: { readonly PolicyHash?: unknown } }>;
  }

  /** Returns an id as the function makes it. */
  function idOf(hash: string): string {
    return renderPolicyId(Date.UTC(2026, 10, 30, 19, 24, 8), hash);
  }

  /** Resolves an output like CloudFormation. */
  function deployed(value: unknown, publishedId: (publication: string) => string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const { 'Fn::Join': [separator, parts] } = value as { 'Fn::Join': [string, (string | { 'Fn::GetAtt': [string, string] })[]] };
    return parts.map((part) => {
      if (typeof part === 'string') return part;
      const [resource, attribute] = part['Fn::GetAtt'];
      return attribute === 'PolicyId' ? publishedId(resource) : ANSWERED[attribute];
    }).join(separator);
  }

  test('the output of the construct is read back with domain, id and exact text', () => {
    const stack = new Stack(new App(), 'Test', { env: ENV });
    const { policy } = oneDomain(stack);
    new CfnOutput(stack, 'Foreign', { value: 'x' });
    expect(read(outputsFile(stack))).toEqual({ policies: [{ domain: 'example.com', id: idOf(policy.hash), policy: policy.text, ...late }] });
  });

  test('the construct writes one output for each domain, over several stacks', () => {
    const app = new App();
    const one = new Stack(app, 'One', { env: ENV });
    const domains = ['example.net', 'example.org'].map((zoneName) => ({ hostedZone: importedZone(one, zoneName) }));
    const policyHost = new PolicyHost(one, 'Host', { domains });
    domains.forEach(({ hostedZone }, i) => {
      new MtaSts(one, `MtaSts${i}`, { hostedZone, policyHost, policy: MtaStsPolicy.testing({ mx: MxHosts.fastmail() }) });
    });
    const two = new Stack(app, 'Two', { env: ENV });
    oneDomain(two);
    const file = outputsFile(one, two);
    expect(Object.values(file).map((outputs) => Object.keys(outputs).length)).toEqual([2, 1]);
    expect(read(file)).toMatchObject({ policies: [{ domain: 'example.net' }, { domain: 'example.org' }, { domain: 'example.com' }] });
  });

  test('the construct leaves out a policy that would make the output longer than 4,096 bytes, and the id holds its hash', () => {
    const stack = new Stack(new App(), 'Test', { env: ENV });
    const mx = MxHosts.of(...Array.from({ length: 200 }, (_, i) => `mx${i}.hosts.example.com`));
    const { policy } = oneDomain(stack, { policy: MtaStsPolicy.enforce({ mx }) });
    expect(read(outputsFile(stack))).toEqual({ policies: [{ domain: 'example.com', id: idOf(policy.hash), ...late }] });
  });

  test('the construct keeps a policy that just fits into its output', () => {
    const lengths = [50, 60, 70, 80, 90].map((count) => {
      const stack = new Stack(new App(), 'Test', { env: ENV });
      oneDomain(stack, { policy: MtaStsPolicy.enforce({ mx: MxHosts.of(...Array.from({ length: count }, (_, i) => `mx${100 + i}.longer-name.hosts.example.com`)) }) });
      const [value] = Object.values(outputsFile(stack)).flatMap((outputs) => Object.values(outputs));
      return Buffer.byteLength(String(value));
    });
    expect(lengths.every((length) => length <= 4096)).toBe(true);
    expect(lengths[0]).toBeGreaterThan(3000);
    expect(lengths[4]).toBeLessThan(1500);
  });
});
