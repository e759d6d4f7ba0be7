// Follows each walkthrough of docs/contribute/ in a copy of the repository. The added files must compile, obey the architecture and pass.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WALKTHROUGHS, applyBlocks, createdFiles, followWalkthrough } from '../support/walkthrough';

const ROOT = join(__dirname, '..', '..');

/** Files and folders that the copy does not need. */
const LEFT_OUT: ReadonlySet<string> = new Set(['.git', 'node_modules', 'coverage', 'cdk.out', 'dist']);

const CREATED = WALKTHROUGHS.flatMap(createdFiles);
const TESTS = CREATED.filter((file) => file.endsWith('.test.ts'));

let copy: string;

function run(args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', timeout: 280_000 });
  return { status, output: status === 0 ? '' : stdout + stderr };
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'walkthroughs-'));
  for (const entry of readdirSync(ROOT)) if (!LEFT_OUT.has(entry)) cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
}, 60_000);

afterAll(() => {
  rmSync(copy, { recursive: true });
});

test('there is a walkthrough for a check, a format, a custom resource, a function and a command', () => {
  expect(WALKTHROUGHS).toEqual(['check', 'command', 'custom-resource', 'format', 'function'].map((name) => `docs/contribute/add-a-${name}.md`));
});

test.each(WALKTHROUGHS)('the walkthrough %s creates a test', (page) => {
  expect(createdFiles(page).filter((file) => file.endsWith('.test.ts'))).not.toEqual([]);
});

describe('a reader who follows all walkthroughs', () => {
  // One copy for all pages: the steps of one page must not break those of another.
  test('a reader of all walkthroughs finds the lines that each step changes', () => {
    for (const page of WALKTHROUGHS) followWalkthrough(page, copy);
    expect(CREATED.map((file) => readFileSync(join(copy, file), 'utf8').split('\n', 1).join()).filter((line) => !line.startsWith('// '))).toEqual([]);
  });

  test('the code of all walkthroughs compiles together', () => {
    expect(run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.dev.json'])).toEqual({ status: 0, output: '' });
  }, 300_000);

  test('every function can be bundled after all walkthroughs', () => {
    expect(run(['tools/bundle.mjs'])).toEqual({ status: 0, output: '' });
  }, 60_000);

  test('the tests and the architecture test pass after all walkthroughs', () => {
    expect(run(['node_modules/jest/bin/jest.js', 'test/architecture.test.ts', ...TESTS])).toEqual({ status: 0, output: '' });
  }, 300_000);
});

describe('a step that does not fit the code', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'steps-'));
    writeFileSync(join(folder, 'a.ts'), 'one\ntwo\ntwo\n');
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function apply(language: string, code: string): () => void {
    return () => {
      applyBlocks([{ page: 'page.md', line: 7, language, code, headings: [] }], folder);
    };
  }

  test.each([
    ['lines that the file does not have', 'diff', '--- a.ts\n-three\n+four', 'page.md:7: the lines to change are 0 times in a.ts, expected once: three'],
    ['lines that the file has twice', 'diff', '--- a.ts\n two\n+four', 'the lines to change are 2 times in a.ts'],
    ['a line without its mark', 'diff', '--- a.ts\n one\n+four\ntwo', 'line 4 of the change begins with neither a space nor + nor -'],
    ['a new file that exists', 'ts', '// ./a.ts\nfour', './a.ts exists'],
  ])('a walkthrough fails at %s', (_, language, code, message) => {
    expect(apply(language, code)).toThrow(message);
    expect(readFileSync(join(folder, 'a.ts'), 'utf8')).toBe('one\ntwo\ntwo\n');
  });

  test('a walkthrough changes each place of a diff, and keeps the other lines', () => {
    apply('diff', '--- a.ts\n-one\n+three\n@@\n two\n two\n+four')();
    expect(readFileSync(join(folder, 'a.ts'), 'utf8')).toBe('three\ntwo\ntwo\nfour\n');
  });
});
