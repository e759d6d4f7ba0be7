// Every command line of the README is run: as it stands where it can be, with a closed port for the internet, `synth` for `deploy`.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsPolicy, MxHosts } from '../lib';
import { renderPolicyId } from '../lib/protocol/policy/id';
import { stackOutput } from '../lib/private/stack-output';
import { codeBlocks } from './support/markdown';
import { startMxServer } from './support/mx-server';
import type { MxBehaviour } from './support/mx-server';
import { ENV, oneDomain, testStack } from './support/stack';

const ROOT = join(__dirname, '..');
const lines = codeBlocks(join(ROOT, 'README.md')).filter(({ language }) => language === 'sh').flatMap(({ code }) => code.split('\n'));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readme-'));
  const { hash, text: policy } = MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com') });
  const id = renderPolicyId(Date.UTC(2026, 10, 30, 19, 24, 8), hash);
  writeFileSync(join(folder, 'mta-sts.txt'), policy);
  writeFileSync(join(folder, 'domains.txt'), 'example.com\nexample.net\n');
  writeFileSync(join(folder, 'cdk-outputs.json'), JSON.stringify({ MtaSts: { Published: stackOutput({ domain: 'example.com', id, policy, target: 'd111111abcdef8.cloudfront.net' }) } }));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Splits a line as a shell does; the README uses no more than single quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/'[^']*'|\S+/g)].map(([word]) => word.replace(/^'|'$/g, ''));
}

function run(script: string, args: string[], cwd: string): { status: number | null; output: string } {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, script), ...args], { cwd, env, encoding: 'utf8', timeout: 60_000 });
  return { status, output: stdout + stderr };
}

function cdk(args: string[]): void {
  const output = join(folder, 'cdk.out');
  expect(run('node_modules/aws-cdk/bin/cdk', ['synth', '--quiet', '--no-notices', '--output', output, ...args], ROOT)).toMatchObject({ status: 0 });
}

function mtaSts(args: string[]): { status: number | null; output: string } {
  return run('bin/mta-sts.js', args, folder);
}

/** Runs a line that asks the mail host `mx1.example.net`, which is on this machine for once. */
async function askMailHost(line: string, behaviour: MxBehaviour): Promise<{ status: unknown; output: string }> {
  const mx = await startMxServer({ names: ['mx1.example.net'], behaviour });
  const authority = join(folder, 'authority.pem');
  writeFileSync(authority, mx.ca);
  const [program, ...args] = words(line.replace('-connect mx1.example.net:25', `-connect ${mx.address}:${mx.port}`).replace(/ < \/dev\/null$/, ''));
  const child = spawn(program, [...args, '-CAfile', authority], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output += chunk.toString());
  const [status] = await once(child, 'close') as unknown[];
  await mx.close();
  return { status, output };
}

/** Who runs a line: the first that knows it. */
const RUNNERS: [RegExp, (line: string) => Promise<void> | void][] = [
  // test/e2e/demo.test.ts runs it.
  [/^npm run demo$/, () => { expect(scripts()).toHaveProperty('demo'); }],
  // This is it.
  [/^npm cit$/, () => { expect(readFileSync(join(ROOT, '.ci/run'), 'utf8')).toContain('npm cit'); }],
  // test/package.test.ts installs what npm packs.
  [/^npm install cdk-mta-sts$/, () => { expect(readFileSync(join(ROOT, 'package.json'), 'utf8')).toContain('"name": "cdk-mta-sts"'); }],
  // In the reader's own app, which test/readme-snippets.test.ts synthesizes.
  [/^npx cdk deploy(?: --outputs-file cdk-outputs\.json)?$/, () => undefined],
  [/^npx cdk bootstrap /, (line) => {
    expect(run('node_modules/aws-cdk/bin/cdk', [...words(line).slice(2), '--show-template', '--no-notices'], folder)).toMatchObject({ status: 0 });
  }],
  // A pipeline cannot answer a question.
  [/^npx cdk deploy --all --require-approval never --outputs-file cdk-outputs\.json$/, () => undefined],
  // Without `--exclusively`, CDK also destroys the outer stack, which depends on the inner one.
  [/^npx cdk destroy Mail\/MtaStsUsEast1 --exclusively$/, () => undefined],
  [/^npx cdk (deploy|synth) -c /, (line) => {
    cdk([...words(line).slice(3), '-c', 'hostedZoneId=Z0123456789ABCDEFGHIJ']);
  }],
  // Only AWS can answer these two; what they ask for is in the template.
  [/^aws cloudformation describe-stack-events .*'Announcement'/, () => {
    const announced = Object.keys(Template.fromStack(oneDomain(testStack()).node.scope as Stack).findResources('AWS::Route53::RecordSet'));
    expect(announced).toEqual([expect.stringContaining('Announcement')]);
  }],
  [/^aws cloudformation continue-update-rollback --region us-east-1 --stack-name MtaSts$/, () => undefined],
  [/^openssl s_client /, async (line) => {
    // The tests need no more than Node.js; nearly every machine has it.
    if (spawnSync('openssl', ['version']).error !== undefined) return;
    const good = { status: 0, output: expect.stringMatching(/Verification: OK\nVerified peername: mx1\.example\.net/) };
    expect(await askMailHost(line, 'ok')).toMatchObject(good);
    expect((await askMailHost(line, 'ok')).output).not.toContain('STARTTLS');
    for (const behaviour of ['wrong-name', 'untrusted', 'expired'] as const) expect(await askMailHost(line, behaviour)).toMatchObject({ status: 1 });
    expect((await askMailHost(line, 'no-starttls')).output).toContain('Didn\'t find STARTTLS');
  }],
  // Only AWS can answer it; the warning at synthesis gives the same, and test/dns-elsewhere.test.ts holds that to the letter.
  [/^aws cloudformation describe-stack-events /, (line) => {
    const stack = new Stack(new App(), 'MtaSts', { env: ENV });
    new MtaSts(stack, 'MtaSts', { domainName: 'example.com', policy: MtaStsPolicy.none() });
    const [{ entry: { data } }] = Annotations.fromStack(stack).findWarning('/MtaSts/MtaSts/PolicyHost', Match.anyValue());
    expect(typeof data === 'string' ? data : '').toContain(line);
  }],
  [/^npx cdk-mta-sts (verify|suggest) /, (line) => {
    // Port 1 of the loopback: nobody is asked, and nothing can be decided.
    const args = words(line.replace(/ --(?:resolver|wait) \S+/g, '')).slice(2);
    expect(mtaSts([...args, '--resolver', '127.0.0.1:1'])).toMatchObject({ status: 3 });
  }],
  [/^npx cdk-mta-sts /, (line) => {
    expect(mtaSts(words(line).slice(2))).toMatchObject({ status: 0 });
  }],
];

function scripts(): Record<string, string> {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts;
}

describe('runs', () => {
  test.each(lines)('%s', async (line) => {
    const runner = RUNNERS.find(([form]) => form.test(line));
    expect(runner).toBeDefined();
    await runner?.[1](line);
  }, 120_000);
});
