// The apps for manual deployments: each is synthesized as the CDK command does, and read as the preview does.
import { afterAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAssembly } from '../../lib/preview/assembly/assembly';

const OUTPUT = mkdtempSync(join(tmpdir(), 'cdk-mta-sts-integ-'));

/** Domains that each app must publish. */
const APPS: Readonly<Record<string, readonly string[]>> = {
  'integ.external-dns': ['example.com'],
  'integ.many-domains': Array.from({ length: 10 }, (_, i) => `mail${i}.example.com`),
  'integ.one-domain': ['example.com'],
  'integ.other-region': ['example.com'],
};

afterAll(() => {
  rmSync(OUTPUT, { recursive: true });
});

test('this test knows every app for manual deployments', () => {
  expect(readdirSync(join(__dirname, '..')).filter((file) => /^integ\..*(?<!test)\.ts$/.test(file)).sort()).toEqual(Object.keys(APPS).map((name) => `${name}.ts`));
});

test.each(Object.entries(APPS))('the app %s publishes its domains, and the preview reads all of its resources', (name, domains) => {
  const output = join(OUTPUT, name);
  execFileSync(process.execPath, [join(__dirname, '..', `${name}.js`)], { env: { ...process.env, CDK_OUTDIR: output, CDK_VALIDATION: 'false' } });
  const { publications, distributions, recordSets } = readAssembly(output);
  expect(publications.map(({ domain }) => domain).sort()).toEqual([...domains].sort());
  expect(distributions.flatMap(({ aliases }) => aliases).sort()).toEqual(domains.map((domain) => `mta-sts.${domain}`).sort());
  // Each domain has A and AAAA, or a manual CNAME, and TXT. Some have a record for TLS reports.
  const hosts = name === 'integ.external-dns' ? 1 : 2;
  expect(recordSets.length).toBe(domains.length * (hosts + 1) + (/one-domain|external/.test(name) ? 1 : 0));
}, 60_000);
