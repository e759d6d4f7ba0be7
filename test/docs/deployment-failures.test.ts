// The page of deployment failures agrees with the catalogue.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEPLOYMENT_FAILURES } from '../../lib/contract/deployment-failures';
import type { DeploymentFailureKind } from '../../lib/contract/deployment-failures';

const ROOT = join(__dirname, '..', '..');
const PAGE = join(ROOT, 'docs/troubleshooting/deployment-failures.md');
const CODES = Object.entries<DeploymentFailureKind>(DEPLOYMENT_FAILURES).map(([code, kind]) => ({ code, ...kind }));

function generate(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/docs/deployment-failures.mjs', ...args], { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
  return { status, output: stdout + stderr };
}

describe('docs/troubleshooting/deployment-failures.md', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'docs-failures-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('the page of deployment failures is up to date with the catalogue', () => {
    expect(generate('--check')).toEqual({ status: 0, output: '' });
  });

  test('a page with another fix than the catalogue is stale', () => {
    const page = join(folder, 'page.md');
    writeFileSync(page, readFileSync(PAGE, 'utf8').replace('0 issue "amazon.com"', '0 issue "ca.example"'));
    expect(generate('--check', page)).toEqual({ status: 1, output: 'stale: deployment-failures.md; run `npm run docs`\n' });
    expect(generate(page)).toEqual({ status: 0, output: '' });
    expect(readFileSync(page, 'utf8')).toBe(readFileSync(PAGE, 'utf8'));
  });

  test('a page without a place for the codes is an error', () => {
    const page = join(folder, 'empty.md');
    writeFileSync(page, '# Deployment failures\n');
    expect(generate(page)).toMatchObject({ status: 1, output: expect.stringContaining('has no place for the codes') });
  });

  test.each(CODES)('the page of deployment failures has a row for $code', ({ code }) => {
    expect(readFileSync(PAGE, 'utf8')).toContain(`\n| <a id="${code}"></a>\`${code}\` | `);
  });

  test.each(CODES)('$code has a cause, a consequence and a fix in the form of the catalogue', ({ meaning, impact, fix, steps, reference, url }) => {
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(impact).toMatch(/^[A-Z].*\.$/);
    expect(fix).toMatch(/^[a-z].*[^.]$/);
    expect(steps.length).toBeGreaterThan(0);
    expect(url ?? reference).toMatch(/^(?:RFC \d+ §|https:\/\/)/);
  });
});
