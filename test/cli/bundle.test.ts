// The installed command: one file, run by node.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { startDnsServer } from '../../lib/preview/dns-server/server';
import { version } from '../../package.json';
import { ENV, oneDomain } from '../support/stack';

const ROOT = join(__dirname, '..', '..');

const BUNDLE = join(ROOT, 'bin', 'mta-sts.js');

let folder: string;

beforeAll(() => {
  // Build first: the test is about the published file, not an old one.
  const script = `import { buildProblem } from ${JSON.stringify(join(ROOT, 'tools', 'freshness.mjs'))}; console.log(buildProblem(process.argv[1]) ?? '');`;
  const fault = execFileSync(process.execPath, ['--input-type=module', '-e', script, ROOT], { encoding: 'utf8' }).trim();
  if (fault !== '') throw new Error(`${fault}; run \`npm run build\` first`);
  folder = mkdtempSync(join(tmpdir(), 'mta-sts-bundle-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function mtaSts(args: readonly string[], input = ''): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [BUNDLE, ...args], { input, encoding: 'utf8' });
}

describe('the bundle', () => {
  test('the bundle of the command begins with the line that makes it executable', () => {
    expect(readFileSync(BUNDLE, 'utf8').startsWith('#!/usr/bin/env node\n')).toBe(true);
  });

  test('the bundle of the command runs in a folder without packages', () => {
    const alone = join(folder, 'mta-sts.js');
    copyFileSync(BUNDLE, alone);
    expect(spawnSync(process.execPath, [alone, '--version'], { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each<[string[], string, number]>([
    [['match', '*.example.com', 'mx.example.com'], '', 0],
    [['match', '*.example.com', 'example.com'], '', 1],
    [['lint', 'policy', '-'], 'version: STSv1\nmode: none\nmax_age: 86400\n', 0],
    [['lint', 'policy', '-'], '', 1],
    [['lint', 'record'], '', 1],
    [['verify', 'a@b.example'], '', 2],
    [['preview', '--app', '/nonexistent'], '', 2],
    [['explain', 'mx-not-covered'], '', 0],
    [['explain', 'mx-not'], '', 2],
    [['records', '--domain', 'example.com', '--policy', '-'], 'version: STSv1\nmode: none\nmax_age: 86400\n', 0],
    [['records', '--domain', 'example.com', '--policy', '-'], '', 1],
    [['suggest', 'example.com', '--resolver', '127.0.0.1:1'], '', 3],
  ])('the bundle run with %j ends with the right exit status', (args, input, status) => {
    expect(mtaSts(args, input).status).toBe(status);
  });

  test('the bundle prints no colours and no escape sequences to a pipe', () => {
    expect(mtaSts(['lint', 'record', 'v=STSv1; id=;']).stdout).not.toContain('\u001b');
  });

  test('the bundle writes a large output completely to a slow reader', async () => {
    const file = join(folder, 'many.txt');
    writeFileSync(file, `version: STSv1\n${'a field that is none\n'.repeat(3000)}`);
    const child = spawn(process.execPath, [BUNDLE, 'lint', 'policy', '--format', 'json', ...Array.from({ length: 20 }, () => file)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    await new Promise((resolve) => setTimeout(resolve, 300));
    let text = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) text += String(chunk);
    expect(await ended).toBe(1);
    expect(text.length).toBeGreaterThan(65536);
    expect(JSON.parse(text)).toHaveLength(20);
  });

  test('the bundle prints no error when its reader closes the pipe early', () => {
    const file = join(folder, 'many.txt');
    writeFileSync(file, `version: STSv1\n${'a field that is none\n'.repeat(3000)}`);
    const files = Array.from({ length: 20 }, () => file).join(' ');
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', `"${process.execPath}" "${BUNDLE}" lint policy --format json ${files} | head -n 1`], { encoding: 'utf8' });
    expect(stdout).toBe('[\n');
    expect(stderr).toBe('');
  });
});

test('a pending DNS answer does not delay the end of the command', async () => {
  const silent = await startDnsServer({ address: '127.0.0.1', answer: () => 'drop' });
  const child = spawn(process.execPath, [BUNDLE, 'verify', 'example.test', '--timeout', '200ms', '--resolver', `127.0.0.1:${silent.port}`], { stdio: 'ignore' });
  const status = await new Promise((resolve) => child.on('exit', resolve));
  await silent.close();
  expect(status).toBe(3);
  // The resolver itself would retry all queries after 2 seconds.
  const asked = silent.queries.map(({ name, type }) => `${name} ${type}`);
  expect(asked).toContain('example.test MX');
  expect(asked).toEqual([...new Set(asked)]);
});

describe('pending work keeps the process alive', () => {
  test('verify --wait keeps the process alive until its time is over, and ends with a result and a bad status', () => {
    const { status, stdout, stderr } = mtaSts(['verify', 'example.test', '--wait', '4s', '--no-smtp', '--resolver', '127.0.0.1:1']);
    expect(stderr).toContain('again in');
    expect(stdout).toContain('example.test: could not be decided');
    expect(status).toBe(3);
  });

  test('after an interrupt an open list on standard input does not keep the process alive', async () => {
    const args = ['verify', '--file', '-', '--no-smtp', '--format', 'ndjson', '--resolver', '127.0.0.1:1'];
    const child = spawn(process.execPath, [BUNDLE, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.stdin.write('a.test\n');
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    child.stdin.destroy();
  });
});

describe('preview', () => {
  let app: string;

  beforeAll(() => {
    app = join(folder, 'cdk.out');
    const cdk = new App({ outdir: app });
    oneDomain(new Stack(cdk, 'Test', { env: ENV }));
    cdk.synth();
  });

  /** Returns the files that it left in the folder for temporary files. */
  async function leftBehind(end: (child: ChildProcess) => void): Promise<{ readonly status: unknown; readonly files: string[] }> {
    const temporary = mkdtempSync(join(folder, 'tmp-'));
    const child = spawn(process.execPath, [BUNDLE, 'preview', '--app', app], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: temporary } });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(readdirSync(temporary)).toHaveLength(1);
    end(child);
    return { status: await ended, files: readdirSync(temporary) };
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends the preview and leaves nothing behind', async (signal) => {
    expect(await leftBehind((child) => child.kill(signal))).toEqual({ status: 0, files: [] });
  });
});

describe('a quick start', () => {
  const HEAVY = ['dns', 'tls', 'https', 'http2', 'worker_threads'];

  /** Returns the heavy modules of Node that a run has loaded: those of DNS, TLS and the preview. */
  function heavy(args: readonly string[]): string[] {
    const script = `
      process.on('exit', () => process.stderr.write('\\n' + JSON.stringify(process.moduleLoadList)));
      process.argv.push(...${JSON.stringify([BUNDLE, ...args])});
      require('node:module').runMain();`;
    const { stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    const loaded = JSON.parse(stderr.slice(stderr.lastIndexOf('\n'))) as string[];
    return HEAVY.filter((name) => loaded.includes(`NativeModule ${name}`));
  }

  test.each<[string[]]>([
    [['--version']],
    [['verify', '--help']],
    [['preview', '--help']],
    [['match', '*.example.com', 'mx.example.com']],
    [['lint', 'record', 'v=STSv1; id=1;']],
    [['verify', 'a@b.example']],
    [['explain']],
    [['explain', 'mx-not-covered']],
    [['suggest', '--help']],
    [['records', '--app', '/nonexistent']],
  ])('the command line %j loads neither DNS, TLS, HTTP nor the preview', (args) => {
    expect(heavy(args)).toEqual([]);
  });

  test('a verification loads DNS and TLS, so this check can see them', () => {
    expect(heavy(['verify', 'example.test', '--timeout', '20ms', '--resolver', '127.0.0.1:1'])).toEqual(expect.arrayContaining(['dns', 'tls']));
  });
});
