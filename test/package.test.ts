// The published package: its files, its licences, and its use after installation.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLES } from '../tools/bundles.mjs';

const ROOT = join(__dirname, '..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  dependencies?: unknown;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
};

describe('the files of the package', () => {
  let files: string[];

  beforeAll(() => {
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    files = (JSON.parse(output) as { files: { path: string }[] }[]).flatMap((packed) => packed.files.map(({ path }) => path));
  });

  test.each([
    '.jsii', '.jsii.gz', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md', 'THIRD-PARTY-LICENSES.txt', 'package.json',
    'docs/README.md', 'docs/guide/getting-started.md', 'docs/command/verify.md', 'docs/reference/api.md', 'docs/reference/findings.md',
    ...BUNDLES.map(({ outfile }) => outfile), 'lib/index.js', 'lib/index.d.ts', 'lib/protocol/policy/policy.js',
  ])('the package contains %s', (file) => {
    expect(files).toContain(file);
  });

  test('the package contains no bundle that tools/bundles.mjs does not list', () => {
    const bundles = files.filter((file) => /^bin\/|\/bundle\//.test(file));
    expect(bundles.sort()).toEqual(BUNDLES.map(({ outfile }) => outfile).sort());
  });

  test('the package contains no test, example, source, figure or synthesized app, and no file of the bundled rooms', () => {
    const unwanted = files.filter((file) =>
      (file.endsWith('.ts') && !file.endsWith('.d.ts'))
      || /^(test|tools|examples|coverage|cdk\.out|dist|node_modules)\//.test(file)
      || /^docs\/(?!.*\.md$)/.test(file)
      || /^(cli|lib\/(functions\/[^/]+\/(?!bundle\/)|operations|verifier|preview))\//.test(file)
      || /tsconfig|jest|eslint|cdk\.json/.test(file));
    expect(unwanted).toEqual([]);
  });
});

describe('THIRD-PARTY-LICENSES.txt', () => {
  const licenses = readFileSync(join(ROOT, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
  const sections = licenses.split(`\n${'-'.repeat(72)}\n\n`);

  test('THIRD-PARTY-LICENSES.txt has the text of each licence', () => {
    expect(sections.length).toBeGreaterThan(20);
    expect(sections.filter((section) => section.length < 500).map((section) => section.split('\n').at(0))).toEqual([]);
  });

  test('THIRD-PARTY-LICENSES.txt names the Public Suffix List of both bundles, its licence and its source', () => {
    // Only the list has this entry.
    for (const bundle of ['bin/mta-sts.js', 'lib/functions/deployment/bundle/index.js']) expect(readFileSync(join(ROOT, bundle), 'utf8')).toContain('kawasaki');
    const [list] = sections.filter((section) => section.startsWith('Public Suffix List (MPL-2.0), the data in tldts '));
    expect(list).toContain('https://publicsuffix.org/list/public_suffix_list.dat');
    expect(list).toContain('subject to the terms of the Mozilla Public License, v. 2.0');
    expect(list).toContain('Mozilla Public License Version 2.0\n==================================');
  });

  test('THIRD-PARTY-LICENSES.txt has the notices that a licence demands', () => {
    const [section] = sections.filter((one) => one.startsWith('reflect-metadata '));
    expect(section).toContain('Copyright (c) Microsoft Corporation');
  });
});

describe('the installed package', () => {
  let project: string;
  const node = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8' });

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'project-'));
    const modules = join(project, 'node_modules');
    mkdirSync(modules);
    const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
      cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
    });
    for (const { filename } of JSON.parse(packed) as { filename: string }[]) execFileSync('tar', ['-xzf', join(project, filename), '-C', modules]);
    renameSync(join(modules, 'package'), join(modules, 'cdk-mta-sts'));
    // Only the peer dependencies, no other package of this repository.
    for (const peer of Object.keys(manifest.peerDependencies)) {
      symlinkSync(join(ROOT, 'node_modules', peer), join(modules, peer));
    }
  });

  afterAll(() => {
    rmSync(project, { recursive: true });
  });

  test('the installed package synthesizes a domain, with the Lambda bundle as an asset', () => {
    writeFileSync(join(project, 'app.js'), `
      const { App, Stack, aws_route53 } = require('aws-cdk-lib');
      const { MtaSts, MtaStsPolicy, MxHosts } = require('cdk-mta-sts');
      const app = new App({ outdir: 'cdk.out' });
      const stack = new Stack(app, 'Test', { env: { account: '123456789012', region: 'us-east-1' } });
      const hostedZone = aws_route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' });
      new MtaSts(stack, 'MtaSts', { hostedZone, policy: MtaStsPolicy.testing({ mx: MxHosts.fastmail() }) });
      app.synth();
    `);
    node('app.js');
    const bundles = readdirSync(join(project, 'cdk.out')).filter((entry) => entry.startsWith('asset.'))
      .flatMap((asset) => readdirSync(join(project, 'cdk.out', asset)));
    expect(bundles).toContain('index.js');
  });

  test('the installed package runs the command', () => {
    expect(node('node_modules/cdk-mta-sts/bin/mta-sts.js', '--version')).toBe(`${manifest.version}\n`);
    expect(node('node_modules/cdk-mta-sts/bin/mta-sts.js', 'match', '*.example.com', 'mx.example.com')).toContain('yes');
  });
});

describe('dependencies', () => {
  test('the package has no dependencies at run time', () => {
    expect(manifest.dependencies).toBeUndefined();
  });

  test.each(['aws-cdk-lib', 'constructs'])('the tests run against the floor of the peer range of %s', (peer) => {
    expect(manifest.peerDependencies[peer]).toBe(`^${manifest.devDependencies[peer]}`);
  });
});
