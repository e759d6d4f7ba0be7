// The apps to deploy by hand, each synthesized as the CDK command does, and read as the preview reads an app.
import { afterAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAssembly } from '../../lib/preview/assembly/assembly';

const OUTPUT = mkdtempSync(join(tmpdir(), 'cdk-mta-sts-integ-'));

/** The domains that each must publish. */
const APPS: Readonly<Record<string, readonly string[]>> = {
  'integ.external-dns': ['example.com'],
  'integ.many-domains': Array.from({ length: 10 }, (_, i) => `mail${i}.example.com`),
  'integ.one-domain': ['example.com'],
  'integ.other-region': ['example.com'],
};

afterAll(() => {
  rmSync(OUTPUT, { recursive: true });
});

test('all apps are known here', () => {
  expect(readdirSync(join(__dirname, '..')).filter((file) => /^integ\..*(?<!test)\.ts$/.test(file)).sort()).toEqual(Object.keys(APPS).map((name) => `${name}.ts`));
});

test.each(Object.entries(APPS))('%s publishes what it should, and all of it can be previewed', (name, domains) => {
  const output = join(OUTPUT, name);
  execFileSync(process.execPath, [join(__dirname, '..', `${name}.js`)], { env: { ...process.env, CDK_OUTDIR: output, CDK_VALIDATION: 'false' } });
  const { publications, distributions, recordSets } = readAssembly(output);
  expect(publications.map(({ domain }) => domain).sort()).toEqual([...domains].sort());
  expect(distributions.flatMap(({ aliases }) => aliases).sort()).toEqual(domains.map((domain) => `mta-sts.${domain}`).sort());
  // Of each A and AAAA, or the CNAME that is made by hand, and TXT; and the reporting record of those that have it.
  const hosts = name === 'integ.external-dns' ? 1 : 2;
  expect(recordSets.length).toBe(domains.length * (hosts + 1) + (/one-domain|external/.test(name) ? 1 : 0));
}, 60_000);
