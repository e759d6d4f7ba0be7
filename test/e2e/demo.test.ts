// The README's first command, for real; and what decides whether it installs or builds first.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

const ROOT = join(__dirname, '..', '..');

/** What the demo would install or build first. */
function faults(folder: string): unknown {
  const script = `import { buildProblem, installationProblem } from ${JSON.stringify(join(ROOT, 'tools', 'freshness.mjs'))};
    console.log(JSON.stringify({ installation: installationProblem(process.argv[1]), build: buildProblem(process.argv[1]) }));`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script, folder], { encoding: 'utf8' });
  return JSON.parse(text) as unknown;
}

describe('what must be installed or built first', () => {
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

  /** Writes files that are so many seconds young. */
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
    ['no packages at all', () => { rmSync(join(root, 'node_modules'), { recursive: true }); }, { installation: 'node_modules is missing' }],
    ['an installation that was broken off', () => { rmSync(join(root, 'node_modules/.package-lock.json')); }, { installation: 'node_modules/a 1.0.0 is not installed' }],
    ['a package that was deleted', () => { rmSync(join(root, 'node_modules/a'), { recursive: true }); }, { installation: 'node_modules/a 1.0.0 is not installed' }],
    ['a package of another version', () => { lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '0.9.0' } }); }, { installation: 'node_modules/a 1.0.0 is not installed' }],
    ['nothing compiled', () => { rmSync(join(root, 'lib/protocol/mx/pattern.js')); }, { build: 'lib/protocol/mx/pattern.js is missing' }],
    ['no bundle of the command', () => { rmSync(join(root, 'bin/mta-sts.js')); }, { build: 'bin/mta-sts.js is missing' }],
    ['a construct that changed', () => { put(30, 'lib/index.ts'); }, { build: '.jsii is older than lib/index.ts' }],
    ['the verifier that changed', () => { put(30, 'lib/verifier/verify.ts'); }, { build: 'lib/functions/deployment/bundle/index.js is older than lib/verifier/verify.ts' }],
    ['the command that changed', () => { put(30, 'cli/main.ts'); }, { build: 'bin/mta-sts.js is older than cli/main.ts' }],
    ['the app that changed', () => { put(30, 'bin/app.ts'); }, { build: 'bin/app.js is older than bin/app.ts' }],
    ['an app to deploy by hand that changed', () => { put(30, 'test/integ.one.ts'); }, { build: 'test/integ.one.js is older than test/integ.one.ts' }],
    ['another way of bundling', () => { put(30, 'tools/bundle.mjs'); }, { build: '.jsii is older than tools/bundle.mjs' }],
  ])('%s', (_, change, expected) => {
    change();
    expect(faults(root)).toMatchObject(expected);
  });

  test('nothing, where all is there and young enough', () => {
    expect(faults(root)).toEqual({});
  });
});

describe('npm run demo', () => {
  let temporary: string;
  let ran: { readonly status: number | null; readonly stdout: string; readonly stderr: string };

  beforeAll(() => {
    // It would install into the folder that these tests run from: `npm cit` first, or `npm run build` if that is all.
    expect(faults(ROOT)).toEqual({});
    temporary = mkdtempSync(join(tmpdir(), 'mta-sts-demo-test-'));
    // The validator of aws-cdk-lib, off in unit tests, is on for people.
    const env = { ...process.env };
    delete env.CDK_VALIDATION;
    ran = spawnSync(process.execPath, [join(ROOT, 'tools', 'demo.mjs')], {
      encoding: 'utf8',
      timeout: 280_000,
      // Neither a folder to depend on, nor an account, nor a way out.
      cwd: temporary,
      env: { ...env, TMPDIR: temporary, AWS_PROFILE: 'none-of-this-name', HTTPS_PROXY: 'http://127.0.0.1:9' },
    });
  }, 300_000);

  afterAll(() => {
    rmSync(temporary, { recursive: true });
  });

  test('ends well', () => {
    expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('shows a good report, then the deliberate failure with its message, then the way on', () => {
    const [before, good, bad, next] = ran.stdout.split(/\n(?:2\. What|3\. A deliberate|What next)/);
    expect(before).toContain('1. One construct');
    expect(good).toContain('✔ example.test: pass');
    expect(good).toContain('mx1.example.test is covered');
    expect(good).toContain('mx2.example.test is covered');
    expect(bad).toContain('✘ example.test: fail');
    expect(bad).toMatch(/✘ mx-not-covered[^\n]*\n[^\n]*mail\.other\.test/);
    expect(next).toContain('npx cdk deploy');
    expect(next).toContain('npm run demo -- --real');
  });

  test('leaves nothing behind', () => {
    expect(readdirSync(temporary)).toEqual([]);
  });
});
