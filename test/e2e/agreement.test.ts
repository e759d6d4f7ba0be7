// Asserts that the soak finds each single disagreement of record, served bytes, publication history and output.
import { describe, expect, test } from '@jest/globals';
import { renderHistory } from '../../lib/operations/history/format';
import { confirmLive, earliestRemoval, recordPublication } from '../../lib/operations/history/history';
import type { History } from '../../lib/operations/history/history';
import { findDisagreements } from './environment/app/agreement';
import type { ExpectedState, Policy, ServedPolicy } from './environment/app/agreement';
import type { LiveState } from './environment/app/live-state';
import { hashPolicy } from './environment/app/policy-ids';

const DAY = 86_400_000;
const START = Date.parse('2026-11-01T00:00:00Z');

/** A policy with the id under which it was published. */
type Published = Policy & Required<Pick<ServedPolicy, 'id'>>;

const TESTING = policy('testing', 'mx1.example.test', 30, '20261101T000000');
const ENFORCE = policy('enforce', '*.example.test', 10, '20261102T000000');
const NONE = policy('none', 'mx1.example.test', 1, '20261103T000000');

function policy(mode: Policy['mode'], mx: string, maxAgeDays: number, time: string): Published {
  const text = `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: ${maxAgeDays * 86_400}\r\n`;
  const hash = hashPolicy(text);
  return { mode, mx, maxAgeDays, hash, id: `${time}${hash}`, text };
}

/** Builds a history with one policy a day. Each was confirmed live a minute after it was written. */
function buildHistory(...policies: readonly Published[]): History {
  return policies.reduce<History>((history, { id, mode, mx, maxAgeDays }, day) => {
    const now = START + day * DAY;
    return confirmLive(recordPublication(history, { id, mode, mx: [mx], maxAge: maxAgeDays * 86_400 }, now), now + 60_000);
  }, { entries: [], startedAt: START - 365 * DAY });
}

/** Returns the policies as served until the end of their day. */
function toServed(...policies: readonly Published[]): readonly ServedPolicy[] {
  return policies.map((served, day) => ({ ...served, lastServedAt: START + (day + 1) * DAY }));
}

function buildOutput(history: History, { id }: Published, removal = earliestRemoval(history)): string {
  return JSON.stringify({ mtaSts: { id, earliestRemoval: removal } });
}

/** Builds the right state after deployments of these policies, one after the other. */
function buildRightState(
  ...policies: readonly [Published, ...Published[]]
): { readonly state: LiveState; readonly expected: ExpectedState } {
  const [first] = policies;
  const current = policies.at(-1) ?? first;
  const history = buildHistory(...policies);
  return {
    state: {
      records: Array.from({ length: 4 }, () => `v=STSv1; id=${current.id};`),
      files: Array.from({ length: 3 }, () => Buffer.from(current.text)),
      historyText: renderHistory(history, START + 10 * DAY),
      output: buildOutput(history, current),
    },
    expected: { policy: current, servedBefore: toServed(...policies.slice(0, -1)), idsBefore: policies.slice(0, -1).map(({ id }) => id) },
  };
}

/** Finds the disagreements after one change of the right state. */
function findWith(change: Partial<LiveState>, policies: readonly [Published, ...Published[]] = [TESTING, ENFORCE]): readonly string[] {
  const { state, expected } = buildRightState(...policies);
  return findDisagreements({ ...state, ...change }, expected);
}

/** Finds the disagreements after a change of the history. */
function findInHistory(change: (history: History) => History): readonly string[] {
  return findWith({ historyText: renderHistory(change(buildHistory(TESTING, ENFORCE)), START + 10 * DAY) });
}

function changeLastEntry(history: History, change: object): History {
  return { ...history, entries: history.entries.map((entry, index, all) => index === all.length - 1 ? { ...entry, ...change } : entry) };
}

describe('a live state without disagreement', () => {
  test('the soak finds no disagreement after a right first deployment', () => {
    const { state, expected } = buildRightState(TESTING);
    expect(findDisagreements(state, expected)).toEqual([]);
  });

  test('the soak finds no disagreement after a right change of the policy', () => {
    const { state, expected } = buildRightState(TESTING, ENFORCE);
    expect(findDisagreements(state, expected)).toEqual([]);
  });

  test('the soak finds no disagreement after a right change to none, which has a time of earliest removal', () => {
    const { state, expected } = buildRightState(TESTING, ENFORCE, NONE);
    expect(state.output).toMatch(/"earliestRemoval":"2026-12-02T/);
    expect(findDisagreements(state, expected)).toEqual([]);
  });

  test('the soak finds no disagreement after a rollback that restored the previous output', () => {
    const { state, expected } = buildRightState(TESTING, ENFORCE);
    const outputBefore = buildOutput(buildHistory(ENFORCE), ENFORCE, 'not while enforce is published; publish none first (the earlier text)');
    expect(findDisagreements({ ...state, output: outputBefore }, { ...expected, outputBefore })).toEqual([]);
  });
});

describe('disagreements of record and served bytes', () => {
  test('the soak finds another id at one name server', () => {
    const { state: { records } } = buildRightState(TESTING, ENFORCE);
    expect(findWith({ records: [...records.slice(1), `v=STSv1; id=${TESTING.id};`] })).toEqual([
      `the record: "v=STSv1; id=${TESTING.id};", expected "v=STSv1; id=${ENFORCE.id};"`,
    ]);
  });

  test('the soak finds two TXT records at one name server', () => {
    const [one, other] = [ENFORCE, TESTING].map(({ id }) => `v=STSv1; id=${id};`);
    expect(findWith({ records: [`${one} | ${other}`] })).toContainEqual(expect.stringMatching(/^the record: /));
  });

  test('the soak finds an id that names other bytes than the served ones', () => {
    const id = `20261105T000000${NONE.hash}`;
    expect(findWith({ records: [`v=STSv1; id=${id};`] })).toContain(`the hash in the published id: "${NONE.hash}", expected "${ENFORCE.hash}"`);
  });

  test.each([['as late as', '20261102T000000'], ['later than', '20261102T000001']])('the soak finds a published id that is not later: an earlier id is %s the published one', (_, time) => {
    const { state, expected } = buildRightState(TESTING, ENFORCE);
    const used = `${time}${NONE.hash}`;
    expect(findDisagreements(state, { ...expected, idsBefore: [used] })).toEqual([`the published id ${ENFORCE.id} is not later than ${used}, which was used before`]);
  });

  test('the soak finds a published id of another form', () => {
    expect(findWith({ records: ['v=STSv1; id=20261102;'] })).toContainEqual(expect.stringMatching(/^the hash in the published id: undefined, /));
  });

  test.each([['records', { records: [] }], ['files', { files: [] }]])('the soak reports a state without %s as a disagreement', (_, nothing) => {
    expect(findWith(nothing)).toHaveLength(1);
  });

  test('the soak finds an extra byte at one edge', () => {
    const { state: { files } } = buildRightState(TESTING, ENFORCE);
    expect(findWith({ files: [...files.slice(1), Buffer.from(`${ENFORCE.text}\n`)] })).toEqual([expect.stringMatching(/^the served bytes: /)]);
  });

  test.each([
    ['mode', ENFORCE.text.replace('enforce', 'testing')],
    ['mx', ENFORCE.text.replace('*.example.test', 'mx9.example.test')],
    ['max_age', ENFORCE.text.replace('864000', '864001')],
  ])('the soak finds another %s in the template than requested, even if all edges serve it', (_, text) => {
    const { state, expected } = buildRightState(TESTING, ENFORCE);
    const hash = hashPolicy(text);
    const records = [`v=STSv1; id=20261102T000000${hash};`];
    const found = findDisagreements({ ...state, records, files: [Buffer.from(text)] }, { ...expected, policy: { ...ENFORCE, text, hash } });
    expect(found.at(0)).toMatch(/^the fields of the served bytes: /);
  });
});

describe('disagreements of the publication history', () => {
  test.each([['gone', ''], ['damaged', '{"version":1'], ['empty', '{"version":1,"entries":[]}']])('the soak finds a publication history that is %s', (_, historyText) => {
    expect(findWith({ historyText })).toEqual(expect.arrayContaining([
      expect.stringMatching(/^the last entry of the history: /), 'the last entry was never seen live', `the history has lost ${TESTING.id}, which was served`,
    ]));
  });

  test.each([['mode', { mode: 'testing' }], ['age', { maxAge: 1 }], ['mx', { mx: ['mx9.example.test'] }]])(
    'the soak finds another %s in the last entry of the publication history', (_, change) => {
      expect(findInHistory((history) => changeLastEntry(history, change))).toContainEqual(expect.stringMatching(/^the last entry of the history: /));
    });

  test('the soak finds another id in the last entry of the publication history', () => {
    expect(findInHistory((history) => changeLastEntry(history, { id: NONE.id }))).toEqual([`the id of the last entry: "${NONE.id}", expected "${ENFORCE.id}"`]);
  });

  test('the soak accepts another id in the last entry after a rollback only if it names the same bytes', () => {
    const after = (id: string): readonly string[] => {
      const { state, expected } = buildRightState(TESTING, ENFORCE);
      const historyText = renderHistory(changeLastEntry(buildHistory(TESTING, ENFORCE), { id }), START + 10 * DAY);
      return findDisagreements({ ...state, historyText }, { ...expected, idsBefore: undefined, outputBefore: state.output });
    };
    expect(after(`20261105T000000${ENFORCE.hash}`)).toEqual([]);
    expect(after(NONE.id)).toEqual([expect.stringMatching(/^the hash in the id of the last entry: /)]);
  });

  test('the soak finds a last entry of the publication history that has an end', () => {
    expect(findInHistory((history) => changeLastEntry(history, { replacedAt: START + 9 * DAY }))).toContainEqual(expect.stringMatching(/^the end of the last entry: /));
  });

  test('the soak finds a last entry of the publication history that was never confirmed live', () => {
    expect(findInHistory((history) => changeLastEntry(history, { confirmedLiveAt: undefined }))).toEqual(['the last entry was never seen live']);
  });

  test('the soak finds a gap in the publication history', () => {
    expect(findInHistory((history) => ({ ...history, gap: { restartedAt: START, reason: 'was missing' } }))).toEqual([expect.stringMatching(/^the gap of the history: /)]);
  });

  test('the soak finds a served policy that is missing in the publication history', () => {
    expect(findInHistory((history) => ({ ...history, entries: history.entries.slice(1) }))).toEqual([`the history has lost ${TESTING.id}, which was served`]);
  });

  test('the soak recognizes a served policy that was never published by its bytes', () => {
    const { state, expected } = buildRightState(TESTING, ENFORCE);
    const [known, lost] = [{ ...TESTING, lastServedAt: START, id: undefined }, { ...NONE, lastServedAt: START, id: undefined }];
    expect(findDisagreements(state, { ...expected, servedBefore: [known] })).toEqual([]);
    expect(findDisagreements(state, { ...expected, servedBefore: [lost] })).toEqual([`the history has lost none ${NONE.hash}, which was served`]);
  });
});

describe('disagreements of the stack output', () => {
  const history = buildHistory(TESTING, ENFORCE, NONE);
  const all = [TESTING, ENFORCE, NONE] as const;

  test('the soak finds a missing stack output', () => {
    expect(findWith({ output: '' })).toContainEqual(expect.stringMatching(/^the id of the output: /));
  });

  test('the soak finds another id in the stack output', () => {
    expect(findWith({ output: buildOutput(buildHistory(TESTING, ENFORCE), TESTING) })).toEqual([`the id of the output: "${TESTING.id}", expected "${ENFORCE.id}"`]);
  });

  test('the soak finds a stack output after a rollback that is not the previous one', () => {
    const { state, expected } = buildRightState(TESTING, ENFORCE);
    expect(findDisagreements(state, { ...expected, outputBefore: `${state.output} ` })).toEqual([expect.stringMatching(/^the output after a rollback: /)]);
  });

  test('the soak finds a time of earliest removal while enforce is published', () => {
    const output = buildOutput(buildHistory(TESTING, ENFORCE), ENFORCE, '2027-01-01T00:00:00Z');
    expect(findWith({ output })).toContain('earliestRemoval while enforce is published: 2027-01-01T00:00:00Z');
  });

  test('the soak finds each served policy that senders may have cached after the earliest removal', () => {
    // Ten days after enforce was last served, and thirty days after testing was.
    const [afterEnforce, afterTesting] = [START + 12 * DAY, START + 31 * DAY];
    const early = (time: number): readonly string[] => findWith({ output: buildOutput(history, NONE, new Date(time).toISOString()) }, all)
      .filter((found) => found.includes('before senders have dropped'));
    expect(early(afterTesting)).toEqual([]);
    expect(early(afterTesting - 1)).toEqual([expect.stringContaining(`dropped ${TESTING.id}`)]);
    expect(early(afterEnforce)).toEqual([expect.stringContaining(`dropped ${TESTING.id}`)]);
    expect(early(afterEnforce - 1)).toEqual([expect.stringContaining(`dropped ${TESTING.id}`), expect.stringContaining(`dropped ${ENFORCE.id}`)]);
  });

  test('the soak finds an earliest removal that is later than by the publication history', () => {
    expect(findWith({ output: buildOutput(history, NONE, '2027-06-01T00:00:00Z') }, all)).toEqual([
      expect.stringMatching(/^earliestRemoval is 2027-06-01T00:00:00Z, expected 2026-.* by the history$/),
    ]);
  });

  test('the soak finds an earliest removal that is not a time', () => {
    expect(findWith({ output: buildOutput(history, NONE, 'some day') }, all)).toContainEqual(expect.stringContaining(`is not a time, or is before senders have dropped ${TESTING.id}`));
  });

  test('the soak finds an earliest removal that is too early by history and output alike', () => {
    // Both lack the policy with enforce.
    const short = buildHistory(policy('testing', 'mx1.example.test', 1, '20261101T000000'), NONE);
    const found = findWith({ historyText: renderHistory(short, START + 10 * DAY), output: buildOutput(short, NONE) }, all);
    expect(found).toContainEqual(expect.stringMatching(`^earliestRemoval .* before senders have dropped ${ENFORCE.id}$`));
  });
});
