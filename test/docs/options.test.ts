// The options in docs/command are those of `--help`.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const PAGES = join(ROOT, 'docs/command');

function node(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
  return { status, output: stdout + stderr };
}

describe('docs/command', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'docs-options-'));
    cpSync(PAGES, folder, { recursive: true });
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('the pages of the commands have the options that `--help` prints', () => {
    expect(node('tools/docs/options.mjs', '--check')).toEqual({ status: 0, output: '' });
  });

  test('every command has its options on a page', () => {
    const [, section = ''] = node('bin/mta-sts.js', '--help').output.split('Commands:\n');
    const commands = [...section.matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, name = '']) => name === 'help' ? [] : [name]);
    expect(commands.length).toBeGreaterThan(5);
    const pages = readdirSync(PAGES).map((file) => readFileSync(join(PAGES, file), 'utf8')).join('');
    expect(commands.filter((name) => !pages.includes(`\nnpx cdk-mta-sts ${name} `))).toEqual([]);
  });

  test('a page with an option that the command does not have is stale', () => {
    const page = join(folder, 'verify.md');
    writeFileSync(page, readFileSync(page, 'utf8').replace('| `--concurrency ', '| `--parallel '));
    expect(node('tools/docs/options.mjs', '--check', folder)).toEqual({ status: 1, output: 'stale: verify.md; run `npm run docs`\n' });
  });
});
