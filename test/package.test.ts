import { beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  dependencies?: unknown;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
};

describe('what npm publishes', () => {
  let files: string[];

  beforeAll(() => {
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    files = (JSON.parse(output) as { files: { path: string }[] }[])[0].files.map(({ path }) => path);
  });

  test.each([
    '.jsii', 'API.md', 'CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'THIRD-PARTY-LICENSES.txt', 'package.json',
    'bin/mta-sts.js', 'lib/handler/bundle/index.js', 'lib/index.js', 'lib/index.d.ts', 'lib/protocol/policy.js',
  ])('holds %s', (file) => {
    expect(files).toContain(file);
  });

  test('holds no test, no source, no synthesized app and nothing of the rooms that are bundled', () => {
    const unwanted = files.filter((file) =>
      (file.endsWith('.ts') && !file.endsWith('.d.ts'))
      || /^(test|tools|docs|coverage|cdk\.out|dist|node_modules)\//.test(file)
      || /^lib\/(handler\/(?!bundle\/)|verifier\/|preview\/)/.test(file)
      || /tsconfig|jest|eslint|cdk\.json/.test(file));
    expect(unwanted).toEqual([]);
  });
});

describe('dependencies', () => {
  test('there are none at run time', () => {
    expect(manifest.dependencies).toBeUndefined();
  });

  test.each(['aws-cdk-lib', 'constructs'])('the tests run against the floor of the peer range of %s', (peer) => {
    expect(manifest.peerDependencies[peer]).toBe(`^${manifest.devDependencies[peer]}`);
  });
});
