// Asserts which selections `npm run e2e` accepts and refuses.
import { expect, test } from '@jest/globals';
import { matches, select } from './selection';
import type { Choice, Parts, Selection } from './selection';

const SCENARIOS: ReadonlyMap<string, Parts> = new Map<string, Parts>([
  ['bootstrap', null], ['faults', (part) => part === 'quick' || matches(part, ['S3 is slow', 'DNS is dead'])], ['region', null],
]);

function selectFrom(...words: string[]): Selection {
  return select(words, SCENARIOS, ['region']);
}

function selectChoices(...words: string[]): readonly Choice[] {
  return selectFrom(...words).choices;
}

test('npm run e2e without arguments selects all scenarios in order', () => {
  expect(selectFrom()).toEqual({ kind: 'all', choices: [{ scenario: 'bootstrap' }, { scenario: 'faults' }, { scenario: 'region' }] });
});

test('npm run e2e quick leaves out long scenarios, and passes quick only to scenarios with parts', () => {
  expect(selectFrom('quick')).toEqual({ kind: 'quick', choices: [{ scenario: 'bootstrap' }, { scenario: 'faults', part: 'quick' }] });
});

test('npm run e2e runs scenarios and parts in the order of its arguments', () => {
  expect(selectChoices('faults=S3|=', 'bootstrap')).toEqual([{ scenario: 'faults', part: 'S3|=' }, { scenario: 'bootstrap' }]);
});

test.each([
  [['faults=S4'], 'faults=S4 selects nothing of the scenario faults'],
  [['faults='], 'faults= selects nothing of the scenario faults'],
  [['faults=('], 'faults=( selects nothing of the scenario faults'],
  [['bootstrap=foo'], 'the scenario bootstrap has no parts, got bootstrap=foo'],
  [['quick', 'faults'], 'quick takes no other word beside it, got quick faults'],
  [['faults', 'quick'], 'quick takes no other word beside it, got faults quick'],
  [['demo', 'faults'], 'demo takes no other word beside it, got demo faults'],
  [['fautls'], 'there is no scenario fautls, expected one of bootstrap, faults, region, or quick, or soak'],
  [['soak', 'many'], 'the number of deployments must be a whole number, got many'],
  [['soak', '0'], 'the number of deployments must be a whole number, got 0'],
  [['soak', '20', '-1'], 'the seed must be a whole number, got -1'],
  [['soak', '20', '1', '2'], 'a soak takes a number of deployments and a seed, got 20 1 2'],
])('npm run e2e refuses the arguments %j', (words, message) => {
  expect(() => selectChoices(...words)).toThrow(message);
});

test('npm run soak accepts a number of deployments and a seed', () => {
  expect(selectFrom('soak', '20', '0').kind).toBe('soak');
});
