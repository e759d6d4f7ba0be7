// Every command line of the documentation runs. A line that needs the internet gets a closed port. A line that deploys only synthesizes.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsPolicy, MxHosts } from '../../lib';
import { renderPolicyId } from '../../lib/protocol/policy/id';
import { stackOutput } from '../../lib/contract/stack-output';
import { codeBlocks, documentationPages } from '../support/markdown';
import { startMxServer } from '../support/mx-server';
import type { MxBehaviour } from '../support/mx-server';
import { ENV, oneDomain, testStack } from '../support/stack';
import { WALKTHROUGHS, createdFiles } from '../support/walkthrough';

const ROOT = join(__dirname, '..', '..');

/** Command lines with their places. A line of several pages runs once. */
const commands = new Map<string, string[]>();
for (const { page, code, line } of documentationPages().flatMap(codeBlocks).filter(({ language }) => language === 'sh')) {
  for (const [index, text] of code.split('\n').entries()) {
    const command = withoutComment(text);
    if (command !== '') commands.set(command, [...commands.get(command) ?? [], `${page}:${line + index}`]);
  }
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'docs-'));
  const { hash, text: policy } = MtaStsPolicy.enforce({ mx: MxHosts.of('mx1.example.com') });
  const id = renderPolicyId(Date.UTC(2026, 10, 30, 19, 24, 8), hash);
  writeFileSync(join(folder, 'mta-sts.txt'), policy);
  writeFileSync(join(folder, 'domains.txt'), 'example.com\nexample.net\n');
  writeFileSync(join(folder, 'cdk-outputs.json'), JSON.stringify({ MtaSts: { Published: stackOutput({ domain: 'example.com', id, policy, target: 'd111111abcdef8.cloudfront.net' }) } }));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Returns a line without its comment, which begins with `#` after a blank and outside of quotes. */
function withoutComment(line: string): string {
  return line.replace(/^((?:'[^']*'|"[^"]*"|[^'"])*?)(?:^|\s+)#.*$/, '$1').trim();
}

/** Splits a line as a shell does. The documentation uses only single quotes. */
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

/** Runs a line that connects to the mail host `mx1.example.net`. A mail host on this machine answers. */
async function askMailHost(line: string, behaviour: MxBehaviour): Promise<{ status: unknown; output: string }> {
  const mx = await startMxServer({ names: ['mx1.example.net'], behaviour });
  const authority = join(folder, 'authority.pem');
  writeFileSync(authority, mx.ca);
  const [program = '', ...args] = words(line.replace('-connect mx1.example.net:25', `-connect ${mx.address}:${mx.port}`).replace(/ < \/dev\/null$/, ''));
  const child = spawn(program, [...args, '-CAfile', authority], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output += chunk.toString());
  const [status] = await once(child, 'close') as unknown[];
  await mx.close();
  return { status, output };
}

/** Forms of commands, each with its check. The first form that matches a line counts. */
const RUNNERS: [RegExp, (line: string) => Promise<void> | void][] = [
  // The commands of this repository. They take long or change files, and each has a test or a step of .ci/run.
  [/^npm (?:cit|ci|test)$/, () => {
    expect(readFileSync(join(ROOT, '.ci/run'), 'utf8')).toContain('npm cit');
  }],
  [/^(?:[A-Z_]+=\S+ )*npm run [\w:-]+/, (line) => {
    expect(scripts()).toHaveProperty([/npm run ([\w:-]+)/.exec(line)?.[1] ?? '']);
  }],
  [/^(?:[A-Z_]+=\S+ )*(?:npx jest|npx eslint|node) (?:-\S+ )*[\w/.-]+/, (line) => {
    const paths = words(line).filter((word) => /^[\w-]+(?:\/[\w.-]+)+$/.test(word));
    const created = WALKTHROUGHS.flatMap(createdFiles);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)) && !created.includes(path))).toEqual([]);
  }],
  [/^\.ci\/run(?: [\w-]+)*$/, () => {
    expect(existsSync(join(ROOT, '.ci/run'))).toBe(true);
  }],
  [/^git clone \S+$/, (line) => {
    expect(line).toContain(repository());
  }],
  [/^cd cdk-mta-sts$/, () => undefined],
  // test/package.test.ts installs what npm packs.
  [/^npm install (?:--save-dev )?cdk-mta-sts(?: aws-cdk-lib constructs)?$/, () => {
    expect(readFileSync(join(ROOT, 'package.json'), 'utf8')).toContain('"name": "cdk-mta-sts"');
  }],
  // In the reader's own app. test/docs/snippets.test.ts synthesizes the snippets of it.
  [/^npx cdk (?:deploy|diff|synth|destroy|ls)(?: --all| [A-Z]\w*(?:\/\w+)*)?(?: --outputs-file cdk-outputs\.json)?$/, () => undefined],
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
  // Only AWS can answer these commands. The template has what they ask for.
  [/^aws cloudformation describe-stack-events .*'Announcement'/, () => {
    const records = Object.keys(Template.fromStack(oneDomain(testStack()).node.scope as Stack).findResources('AWS::Route53::RecordSet'));
    expect(records).toEqual([expect.stringContaining('Announcement')]);
  }],
  [/^aws cloudformation describe-stack-events .*'FAILED'/, (line) => {
    expect(line).toContain('"StackEvents[?contains(ResourceStatus, \'FAILED\')].[LogicalResourceId, ResourceStatusReason]"');
  }],
  [/^aws acm request-certificate --domain-name mta-sts\.\S+ --validation-method DNS --region us-east-1$/, () => undefined],
  [/^aws cloudformation (?:continue-update-rollback|delete-stack) --region us-east-1 --stack-name [\w-]+$/, () => undefined],
  [/^aws route53 list-hosted-zones-by-name --dns-name example\.com$/, () => undefined],
  [/^openssl s_client /, async (line) => {
    // The tests need nothing but Node.js; .ci/run installs openssl.
    if (spawnSync('openssl', ['version']).error !== undefined) return;
    const good = { status: 0, output: expect.stringMatching(/Verification: OK\nVerified peername: mx1\.example\.net/) };
    expect(await askMailHost(line, 'ok')).toMatchObject(good);
    expect((await askMailHost(line, 'ok')).output).not.toContain('STARTTLS');
    for (const behaviour of ['wrong-name', 'untrusted', 'expired'] as const) expect(await askMailHost(line, behaviour)).toMatchObject({ status: 1 });
    expect((await askMailHost(line, 'no-starttls')).output).toContain('Didn\'t find STARTTLS');
  }],
  // Only AWS can answer. The warning at synthesis gives the same line.
  [/^aws cloudformation describe-stack-events /, (line) => {
    const stack = new Stack(new App(), 'MtaSts', { env: ENV });
    new MtaSts(stack, 'MtaSts', { domainName: 'example.com', policy: MtaStsPolicy.none() });
    const warnings = Annotations.fromStack(stack).findWarning('/MtaSts/MtaSts/PolicyHost', Match.anyValue());
    expect(warnings.map(({ entry: { data } }) => data)).toEqual([expect.stringContaining(line)]);
  }],
  // The commands that the preview prints; tools/pasted.mjs runs them.
  [/^(?:dig|curl) /, () => undefined],
  [/^npx cdk-mta-sts (?:verify|suggest) (?!--help$)/, (line) => {
    // Nothing listens on port 1 of the loopback, so that nothing can be decided: status 3.
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

function repository(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { repository: { url: string } }).repository.url;
}

test('the comment of a command line is not a part of the command', () => {
  expect(withoutComment('npx cdk-mta-sts verify example.com   # expect: pass')).toBe('npx cdk-mta-sts verify example.com');
  expect(withoutComment('npx cdk-mta-sts lint record \'v=STSv1; id=1 # 2\'')).toBe('npx cdk-mta-sts lint record \'v=STSv1; id=1 # 2\'');
  expect(withoutComment('# first')).toBe('');
});

describe('commands of the documentation', () => {
  test.each([...commands])('the command runs: %s (%s)', async (line) => {
    const runner = RUNNERS.find(([form]) => form.test(line));
    expect(runner).toBeDefined();
    await runner?.[1](line);
  }, 120_000);
});
