// The figure of docs/guide/how-it-works.md shows the policy that a sender sees during a change. This test checks the figure and its data.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { draw } from '../docs/figures/race.mjs';
import type { Race } from './e2e/environment/observer/race';

const FIGURES = join(__dirname, '..', 'docs', 'figures');
const races = JSON.parse(readFileSync(join(FIGURES, 'race.json'), 'utf8')) as readonly Race[];
const figure = readFileSync(join(FIGURES, 'race.svg'), 'utf8');

describe('docs/figures/race.json', () => {
  test('the race of file and id was recorded for each kind of change', () => {
    expect(races.map(({ what }) => what)).toEqual([
      'testing becomes enforce', 'a mail host is added', 'a mail host is removed', 'testing becomes none',
    ]);
  });

  test.each(races.map((race) => [race.what, race] as const))('the new file was live before the new id in every check: %s', (_, { steps, newIdOldBytes, idAfter, observations, blind }) => {
    expect(newIdOldBytes).toBe(0);
    expect(steps.filter((step) => step[4] !== 0)).toEqual([]);
    expect(idAfter).toBeGreaterThan(0);
    // Both changes were seen, and at most one check in fifty had no answer.
    for (const kind of [1, 2, 3]) expect(steps.some((step) => (step[kind] ?? 0) > 0)).toBe(true);
    expect(blind * 50).toBeLessThanOrEqual(observations);
  });
});

describe('docs/figures/race.svg', () => {
  test('the race figure is what docs/figures/race.mjs draws from the data', () => {
    expect(draw(races)).toBe(figure);
  });

  test('the race figure is small and loads nothing from the network', () => {
    expect(figure.length).toBeLessThan(64 * 1024);
    expect(figure.match(/https?:[^"]*/g)).toEqual(['http://www.w3.org/2000/svg']);
  });

  test('the race figure has a title and a description for screen readers', () => {
    expect(figure).toMatch(/<title id="title">[^<]+<\/title>\n<desc id="desc">[^<]+<\/desc>/);
    for (const { what, idAfter } of races) expect(figure).toContain(`${what}: the new file ${idAfter} ms before the new id`);
  });
});
