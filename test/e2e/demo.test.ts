// Runs `npm run demo`, the first command of the README, and asserts when it installs or builds first.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

const ROOT = join(__dirname, '..', '..');

/** Returns why the demo would install or build first. */
function findProblems(folder: string): unknown {
  const script = `import { buildProblem, installationProblem } from ${JSON.stringify(join(ROOT, 'tools', 'freshness.mjs'))};
    console.log(JSON.stringify({ installation: installationProblem(process.argv[1]), build: buildProblem(process.argv[1]) }));`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script, folder], { encoding: 'utf8' });
  return JSON.parse(text) as unknown;
}

describe('reasons to install or build before the demo', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mta-sts-freshness-'));
    lock('package-lock.json', { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/other-platform': { version: '1.0.0', optional: true } });
    lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } });
    put(0, 'package.json', 'tsconfig.json', 'tools/bundle.mjs', 'node_modules/a/package.json');
    put(10, 'lib/index.ts', 'lib/protocol/mx/pattern.ts', 'lib/verifier/verify.ts', 'lib/functions/deployment/index.ts', 'bin/mta-sts.ts', 'cli/main.ts', 'bin/app.ts');
    put(10, 'test/integ.one.ts', 'test/integ.test.ts');
    put(20, 'lib/index.js', 'lib/index.d.ts', 'lib/protocol/mx/pattern.js', '.jsii', 'lib/functions/deployment/bundle/index.js', 'bin/mta-sts.js', 'bin/app.js', 'test/integ.one.js');
  });

  /** Writes files with a modification time so many seconds after a fixed time. */
  function put(seconds: number, ...files: string[]): void {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), '{}');
      utimesSync(join(root, file), 1_700_000_000 + seconds, 1_700_000_000 + seconds);
    }
  }

  function lock(file: string, packages: object): void {
    put(0, file);
    writeFileSync(join(root, file), JSON.stringify({ packages }));
    utimesSync(join(root, file), 1_700_000_000, 1_700_000_000);
  }

  test.each<[string, () => void, object]>([
    ['node_modules is missing', () => { rmSync(join(root, 'node_modules'), { recursive: true }); }, { installation: 'node_modules is missing' }],
    ['an installation was interrupted', () => { rmSync(join(root, 'node_modules/.package-lock.json')); }, { installation: 'node_modules/a 1.0.0 is not installed' }],
    ['a package was deleted', () => { rmSync(join(root, 'node_modules/a'), { recursive: true }); }, { installation: 'node_modules/a 1.0.0 is not installed' }],
    ['a package has another version', () => { lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '0.9.0' } }); }, { installation: 'node_modules/a 1.0.0 is not installed' }],
    ['a compiled file is missing', () => { rmSync(join(root, 'lib/protocol/mx/pattern.js')); }, { build: 'lib/protocol/mx/pattern.js is missing' }],
    ['the bundle of the command is missing', () => { rmSync(join(root, 'bin/mta-sts.js')); }, { build: 'bin/mta-sts.js is missing' }],
    ['a construct changed', () => { put(30, 'lib/index.ts'); }, { build: '.jsii is older than lib/index.ts' }],
    ['the verifier changed', () => { put(30, 'lib/verifier/verify.ts'); }, { build: 'lib/functions/deployment/bundle/index.js is older than lib/verifier/verify.ts' }],
    ['the command changed', () => { put(30, 'cli/main.ts'); }, { build: 'bin/mta-sts.js is older than cli/main.ts' }],
    ['the app changed', () => { put(30, 'bin/app.ts'); }, { build: 'bin/app.js is older than bin/app.ts' }],
    ['a manual integration app changed', () => { put(30, 'test/integ.one.ts'); }, { build: 'test/integ.one.js is older than test/integ.one.ts' }],
    ['the bundler script changed', () => { put(30, 'tools/bundle.mjs'); }, { build: '.jsii is older than tools/bundle.mjs' }],
  ])('the demo installs or builds first if %s', (_, change, expected) => {
    change();
    expect(findProblems(root)).toMatchObject(expected);
  });

  test('the demo starts at once if all files exist and are current', () => {
    expect(findProblems(root)).toEqual({});
  });
});

describe('npm run demo', () => {
  let temporary: string;
  let result: { readonly status: number | null; readonly stdout: string; readonly stderr: string };

  beforeAll(() => {
    // Otherwise the demo would install into the folder that these tests run from. Run `npm cit` or `npm run build` first.
    expect(findProblems(ROOT)).toEqual({});
    temporary = mkdtempSync(join(tmpdir(), 'mta-sts-demo-test-'));
    // Unit tests turn the validator of aws-cdk-lib off. Users have it on.
    const env = { ...process.env };
    delete env.CDK_VALIDATION;
    result = spawnSync(process.execPath, [join(ROOT, 'tools', 'demo.mjs')], {
      encoding: 'utf8',
      timeout: 280_000,
      // Another working folder, no AWS account, and no network access.
      cwd: temporary,
      env: { ...env, TMPDIR: temporary, AWS_PROFILE: 'none-of-this-name', HTTPS_PROXY: 'http://127.0.0.1:9' },
    });
  }, 300_000);

  afterAll(() => {
    rmSync(temporary, { recursive: true });
  });

  test('the demo ends with status 0 and no error output', () => {
    expect({ status: result.status, stderr: result.stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('the demo shows a passing verification, then a deliberate failure with its message, then the next steps', () => {
    const [before, good, bad, next] = result.stdout.split(/\n(?:2\. What|3\. A deliberate|What next)/);
    expect(before).toContain('1. One construct');
    expect(good).toContain('✔ example.test: pass');
    expect(good).toContain('mx1.example.test is covered');
    expect(good).toContain('mx2.example.test is covered');
    expect(bad).toContain('✘ example.test: fail');
    expect(bad).toMatch(/✘ mx-not-covered[^\n]*\n[^\n]*mail\.other\.test/);
    expect(next).toContain('npx cdk deploy');
    expect(next).toContain('npm run demo -- --real');
  });

  test('the demo leaves no files behind', () => {
    expect(readdirSync(temporary)).toEqual([]);
  });
});
