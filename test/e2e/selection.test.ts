// What `npm run e2e` takes for a selection, and what it refuses before the stage stands.
import { expect, test } from '@jest/globals';
import { matches, select } from './selection';
import type { Choice, Parts, Selection } from './selection';

const SCENARIOS: ReadonlyMap<string, Parts> = new Map<string, Parts>([
  ['bootstrap', null], ['faults', (part) => part === 'quick' || matches(part, ['S3 is slow', 'DNS is dead'])], ['region', null],
]);

function selected(...words: string[]): Selection {
  return select(words, SCENARIOS, ['region']);
}

function choices(...words: string[]): readonly Choice[] {
  return selected(...words).choices;
}

test('no word selects all, in order', () => {
  expect(selected()).toEqual({ kind: 'all', choices: [{ scenario: 'bootstrap' }, { scenario: 'faults' }, { scenario: 'region' }] });
});

test('quick leaves out what takes long, and tells only those scenes that have parts', () => {
  expect(selected('quick')).toEqual({ kind: 'quick', choices: [{ scenario: 'bootstrap' }, { scenario: 'faults', part: 'quick' }] });
});

test('words select scenes in their order, and parts of them', () => {
  expect(choices('faults=S3|=', 'bootstrap')).toEqual([{ scenario: 'faults', part: 'S3|=' }, { scenario: 'bootstrap' }]);
});

test.each([
  [['faults=S4'], 'faults=S4 selects nothing of the scene faults'],
  [['faults='], 'faults= selects nothing of the scene faults'],
  [['faults=('], 'faults=( selects nothing of the scene faults'],
  [['bootstrap=foo'], 'the scene bootstrap is played as a whole, got bootstrap=foo'],
  [['quick', 'faults'], 'quick goes alone, got quick faults'],
  [['faults', 'quick'], 'quick goes alone, got faults quick'],
  [['demo', 'faults'], 'demo goes alone, got demo faults'],
  [['fautls'], 'there is no scene fautls; expected one of bootstrap, faults, region, or quick, or soak'],
  [['soak', 'many'], 'the number of deployments must be a whole number, got many'],
  [['soak', '0'], 'the number of deployments must be a whole number, got 0'],
  [['soak', '20', '-1'], 'the seed must be a whole number, got -1'],
  [['soak', '20', '1', '2'], 'a soak takes a number of deployments and a seed, got 20 1 2'],
])('%j is refused', (words, message) => {
  expect(() => choices(...words)).toThrow(message);
});

test('a soak takes a number and a seed', () => {
  expect(selected('soak', '20', '0').kind).toBe('soak');
});
