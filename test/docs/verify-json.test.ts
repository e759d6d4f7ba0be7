// The page about the JSON of `mta-sts verify` has the fields that the command prints.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstItem } from '../support/items';

const ROOT = join(__dirname, '..', '..');

const page = readFileSync(join(ROOT, 'docs/command/verify-json.md'), 'utf8');

interface Printed {
  readonly findings: readonly object[];
  readonly recordObservations: readonly object[];
}

/** Returns the fields in the table below a heading of the page. */
function documented(heading: string): string[] {
  const section = page.split(`\n## ${heading}\n`).at(1)?.split('\n## ').at(0) ?? '';
  const cells = [...section.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
}

describe('the JSON of verify', () => {
  let printed: Printed;

  beforeAll(() => {
    // Nothing listens on port 1 of the loopback, so the result holds the failed questions.
    const args = ['verify', 'example.com', '--resolver', '127.0.0.1:1', '--format', 'json'];
    const { stdout } = spawnSync(process.execPath, [join(ROOT, 'bin/mta-sts.js'), ...args], { encoding: 'utf8', timeout: 60_000 });
    [printed] = (JSON.parse(stdout) as { readonly domains: readonly [Printed] }).domains;
  });

  test('the page about the JSON of verify has every field of a domain, and no other', () => {
    expect(documented('One domain').filter((name) => name !== 'deployment').sort()).toEqual(Object.keys(printed).sort());
  });

  test('the page about the JSON of verify has every field of an observation, and no other', () => {
    const observation = firstItem(printed.recordObservations);
    expect(documented('An observation').sort()).toEqual(Object.keys(observation).sort());
  });

  test('the page about the JSON of verify has every field of a finding', () => {
    expect(printed.findings.length).toBeGreaterThan(0);
    expect(documented('A finding')).toEqual(expect.arrayContaining(printed.findings.flatMap(Object.keys)));
  });
});
