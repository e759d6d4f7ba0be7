// The figure of the README that shows a change as a sender saw it, and the data that it was drawn from.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import type { Race } from './e2e/stage/race';

const DOCS = join(__dirname, '..', 'docs');
const races = JSON.parse(readFileSync(join(DOCS, 'race.json'), 'utf8')) as readonly Race[];
const figure = readFileSync(join(DOCS, 'race.svg'), 'utf8');

describe('the race', () => {
  test('was watched at each kind of change', () => {
    expect(races.map(({ what }) => what)).toEqual([
      'testing becomes enforce', 'a mail host is added', 'a mail host is removed', 'testing becomes none',
    ]);
  });

  test.each(races.map((race) => [race.what, race] as const))('(%s) was won by the bytes, in every look', (_, { steps, newIdOldBytes, idAfter, looks, blind }) => {
    expect(newIdOldBytes).toBe(0);
    expect(steps.filter((step) => step[4] !== 0)).toEqual([]);
    expect(idAfter).toBeGreaterThan(0);
    // Both were seen to change, and no more than one look in fifty was blind.
    for (const kind of [1, 2, 3]) expect(steps.some((step) => step[kind] > 0)).toBe(true);
    expect(blind * 50).toBeLessThanOrEqual(looks);
  });
});

describe('the figure', () => {
  test('is what tools/race.mjs draws from the data', () => {
    const script = `import { draw } from ${JSON.stringify(pathToFileURL(join(DOCS, '..', 'tools', 'race.mjs')).href)};
      import { readFileSync } from 'node:fs';
      process.stdout.write(draw(JSON.parse(readFileSync(process.argv[1], 'utf8'))));`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script, join(DOCS, 'race.json')], { encoding: 'utf8' })).toBe(figure);
  });

  test('is small, and asks nobody for anything', () => {
    expect(figure.length).toBeLessThan(64 * 1024);
    expect(figure.match(/https?:[^"]*/g)).toEqual(['http://www.w3.org/2000/svg']);
  });

  test('has words for whoever cannot see it', () => {
    expect(figure).toMatch(/<title id="title">[^<]+<\/title>\n<desc id="desc">[^<]+<\/desc>/);
    for (const { what, idAfter } of races) expect(figure).toContain(`${what}: the new bytes ${idAfter} ms before the new id`);
  });
});
