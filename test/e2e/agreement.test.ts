// Whether the soak would see it: each disagreement of record, bytes, ledger and output, alone.
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

/** A policy, and the id under which it was published. */
type Published = Policy & Required<Pick<ServedPolicy, 'id'>>;

const TESTING = policy('testing', 'mx1.example.test', 30, '20261101T000000');
const ENFORCE = policy('enforce', '*.example.test', 10, '20261102T000000');
const NONE = policy('none', 'mx1.example.test', 1, '20261103T000000');

function policy(mode: Policy['mode'], mx: string, maxAgeDays: number, time: string): Published {
  const text = `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: ${maxAgeDays * 86_400}\r\n`;
  const hash = hashPolicy(text);
  return { mode, mx, maxAgeDays, hash, id: `${time}${hash}`, text };
}

/** A ledger of these, one a day, each seen live a minute after it was put. */
function ledgerOf(...policies: readonly Published[]): History {
  return policies.reduce<History>((history, { id, mode, mx, maxAgeDays }, day) => {
    const now = START + day * DAY;
    return confirmLive(recordPublication(history, { id, mode, mx: [mx], maxAge: maxAgeDays * 86_400 }, now), now + 60_000);
  }, { entries: [], startedAt: START - 365 * DAY });
}

/** When certainly the last sender was given each. */
function servedOnce(...policies: readonly Published[]): readonly ServedPolicy[] {
  return policies.map((served, day) => ({ ...served, lastServedAt: START + (day + 1) * DAY }));
}

function outputOf(history: History, { id }: Published, removal = earliestRemoval(history)): string {
  return JSON.stringify({ mtaSts: { id, earliestRemoval: removal } });
}

/** All as it must be after these were deployed, one after the other. */
function right(...policies: readonly [Published, ...Published[]]): { readonly seen: LiveState; readonly expected: ExpectedState } {
  const stands = policies[policies.length - 1];
  const history = ledgerOf(...policies);
  return {
    seen: {
      records: Array.from({ length: 4 }, () => `v=STSv1; id=${stands.id};`),
      files: Array.from({ length: 3 }, () => Buffer.from(stands.text)),
      historyText: renderHistory(history, START + 10 * DAY),
      output: outputOf(history, stands),
    },
    expected: { policy: stands, servedBefore: servedOnce(...policies.slice(0, -1)), idsBefore: policies.slice(0, -1).map(({ id }) => id) },
  };
}

/** What is found where one thing is otherwise. */
function foundWith(change: Partial<LiveState>, policies: readonly [Published, ...Published[]] = [TESTING, ENFORCE]): readonly string[] {
  const { seen, expected } = right(...policies);
  return findDisagreements({ ...seen, ...change }, expected);
}

/** With the ledger's JSON changed. */
function foundInLedger(change: (history: History) => History): readonly string[] {
  return foundWith({ historyText: renderHistory(change(ledgerOf(TESTING, ENFORCE)), START + 10 * DAY) });
}

function lastEntry(history: History, change: object): History {
  return { ...history, entries: history.entries.map((entry, index, all) => index === all.length - 1 ? { ...entry, ...change } : entry) };
}

describe('where all agree', () => {
  test('nothing is found after a first deployment', () => {
    const { seen, expected } = right(TESTING);
    expect(findDisagreements(seen, expected)).toEqual([]);
  });

  test('nothing is found after a change', () => {
    const { seen, expected } = right(TESTING, ENFORCE);
    expect(findDisagreements(seen, expected)).toEqual([]);
  });

  test('nothing is found after none, which has a moment of earliest removal', () => {
    const { seen, expected } = right(TESTING, ENFORCE, NONE);
    expect(seen.output).toMatch(/"earliestRemoval":"2026-12-02T/);
    expect(findDisagreements(seen, expected)).toEqual([]);
  });

  test('nothing is found after a rollback, where the output is the one from before', () => {
    const { seen, expected } = right(TESTING, ENFORCE);
    const outputBefore = outputOf(ledgerOf(ENFORCE), ENFORCE, 'not while enforce is published; publish none first (as it was said then)');
    expect(findDisagreements({ ...seen, output: outputBefore }, { ...expected, outputBefore })).toEqual([]);
  });
});

describe('records and bytes', () => {
  test('another id at one of the name servers is seen', () => {
    const { seen: { records } } = right(TESTING, ENFORCE);
    expect(foundWith({ records: [...records.slice(1), `v=STSv1; id=${TESTING.id};`] })).toEqual([
      `the record: "v=STSv1; id=${TESTING.id};", expected "v=STSv1; id=${ENFORCE.id};"`,
    ]);
  });

  test('two records at one of the name servers are seen', () => {
    const [one, other] = [ENFORCE, TESTING].map(({ id }) => `v=STSv1; id=${id};`);
    expect(foundWith({ records: [`${one} | ${other}`] })).toContainEqual(expect.stringMatching(/^the record: /));
  });

  test('an id that names other bytes than those that are served is seen', () => {
    const id = `20261105T000000${NONE.hash}`;
    expect(foundWith({ records: [`v=STSv1; id=${id};`] })).toContain(`the hash in the published id: "${NONE.hash}", expected "${ENFORCE.hash}"`);
  });

  test.each([['as late as', '20261102T000000'], ['later than', '20261102T000001']])('an id that was used before is seen, and one before is %s it', (_, time) => {
    const { seen, expected } = right(TESTING, ENFORCE);
    const used = `${time}${NONE.hash}`;
    expect(findDisagreements(seen, { ...expected, idsBefore: [used] })).toEqual([`the published id ${ENFORCE.id} is not later than ${used}, which was used before`]);
  });

  test('an id of somebody else\'s form is seen', () => {
    expect(foundWith({ records: ['v=STSv1; id=20261102;'] })).toContainEqual(expect.stringMatching(/^the hash in the published id: undefined, /));
  });

  test.each([['records', { records: [] }], ['files', { files: [] }]])('a look at no %s is no agreement', (_, nothing) => {
    expect(foundWith(nothing)).toHaveLength(1);
  });

  test('a byte more at one of the edges is seen', () => {
    const { seen: { files } } = right(TESTING, ENFORCE);
    expect(foundWith({ files: [...files.slice(1), Buffer.from(`${ENFORCE.text}\n`)] })).toEqual([expect.stringMatching(/^the served bytes: /)]);
  });

  test.each([
    ['mode', ENFORCE.text.replace('enforce', 'testing')],
    ['mx', ENFORCE.text.replace('*.example.test', 'mx9.example.test')],
    ['max_age', ENFORCE.text.replace('864000', '864001')],
  ])('a template that has another %s than was asked for is seen, though all serve it', (_, text) => {
    const { seen, expected } = right(TESTING, ENFORCE);
    const hash = hashPolicy(text);
    const records = [`v=STSv1; id=20261102T000000${hash};`];
    const found = findDisagreements({ ...seen, records, files: [Buffer.from(text)] }, { ...expected, policy: { ...ENFORCE, text, hash } });
    expect(found.at(0)).toMatch(/^the fields of the served bytes: /);
  });
});

describe('the ledger', () => {
  test.each([['gone', ''], ['damaged', '{"version":1'], ['empty', '{"version":1,"entries":[]}']])('one that is %s is seen', (_, ledger) => {
    expect(foundWith({ historyText: ledger })).toEqual(expect.arrayContaining([
      expect.stringMatching(/^the last entry of the history: /), 'the last entry was never seen live', `the history has lost ${TESTING.id}, which was served`,
    ]));
  });

  test.each([['mode', { mode: 'testing' }], ['age', { maxAge: 1 }], ['mx', { mx: ['mx9.example.test'] }]])(
    'another %s in its last entry is seen', (_, change) => {
      expect(foundInLedger((history) => lastEntry(history, change))).toContainEqual(expect.stringMatching(/^the last entry of the history: /));
    });

  test('another id in its last entry is seen', () => {
    expect(foundInLedger((history) => lastEntry(history, { id: NONE.id }))).toEqual([`the id of the last entry: "${NONE.id}", expected "${ENFORCE.id}"`]);
  });

  test('after a rollback the last entry may have an id of its own, of the same bytes and no other', () => {
    const after = (id: string): readonly string[] => {
      const { seen, expected } = right(TESTING, ENFORCE);
      const ledger = renderHistory(lastEntry(ledgerOf(TESTING, ENFORCE), { id }), START + 10 * DAY);
      return findDisagreements({ ...seen, historyText: ledger }, { ...expected, idsBefore: undefined, outputBefore: seen.output });
    };
    expect(after(`20261105T000000${ENFORCE.hash}`)).toEqual([]);
    expect(after(NONE.id)).toEqual([expect.stringMatching(/^the hash in the id of the last entry: /)]);
  });

  test('a last entry with an end is seen', () => {
    expect(foundInLedger((history) => lastEntry(history, { replacedAt: START + 9 * DAY }))).toContainEqual(expect.stringMatching(/^the end of the last entry: /));
  });

  test('a last entry that was never seen live is seen', () => {
    expect(foundInLedger((history) => lastEntry(history, { confirmedLiveAt: undefined }))).toEqual(['the last entry was never seen live']);
  });

  test('a gap is seen', () => {
    expect(foundInLedger((history) => ({ ...history, gap: { restartedAt: START, reason: 'was missing' } }))).toEqual([expect.stringMatching(/^the gap of the history: /)]);
  });

  test('a policy that was served and is not in it is seen', () => {
    expect(foundInLedger((history) => ({ ...history, entries: history.entries.slice(1) }))).toEqual([`the history has lost ${TESTING.id}, which was served`]);
  });

  test('one that was never announced is known by its bytes', () => {
    const { seen, expected } = right(TESTING, ENFORCE);
    const [known, lost] = [TESTING, NONE].map((one) => ({ ...one, lastServedAt: START, id: undefined }));
    expect(findDisagreements(seen, { ...expected, servedBefore: [known] })).toEqual([]);
    expect(findDisagreements(seen, { ...expected, servedBefore: [lost] })).toEqual([`the history has lost none ${NONE.hash}, which was served`]);
  });
});

describe('the output', () => {
  const history = ledgerOf(TESTING, ENFORCE, NONE);
  const all = [TESTING, ENFORCE, NONE] as const;

  test('one that is missing is seen', () => {
    expect(foundWith({ output: '' })).toContainEqual(expect.stringMatching(/^the id of the output: /));
  });

  test('another id is seen', () => {
    expect(foundWith({ output: outputOf(ledgerOf(TESTING, ENFORCE), TESTING) })).toEqual([`the id of the output: "${TESTING.id}", expected "${ENFORCE.id}"`]);
  });

  test('after a rollback one that is not the one from before is seen', () => {
    const { seen, expected } = right(TESTING, ENFORCE);
    expect(findDisagreements(seen, { ...expected, outputBefore: `${seen.output} ` })).toEqual([expect.stringMatching(/^the output after a rollback: /)]);
  });

  test('a moment of removal while enforce is published is seen', () => {
    const output = outputOf(ledgerOf(TESTING, ENFORCE), ENFORCE, '2027-01-01T00:00:00Z');
    expect(foundWith({ output })).toContain('earliestRemoval while enforce is published: 2027-01-01T00:00:00Z');
  });

  test('a moment before a policy that was served has been dropped is seen, for each such policy', () => {
    // Ten days after enforce was served the last time, and thirty after testing.
    const [afterEnforce, afterTesting] = [START + 12 * DAY, START + 31 * DAY];
    const early = (moment: number): readonly string[] => foundWith({ output: outputOf(history, NONE, new Date(moment).toISOString()) }, all)
      .filter((found) => found.includes('before senders have dropped'));
    expect(early(afterTesting)).toEqual([]);
    expect(early(afterTesting - 1)).toEqual([expect.stringContaining(`dropped ${TESTING.id}`)]);
    expect(early(afterEnforce)).toEqual([expect.stringContaining(`dropped ${TESTING.id}`)]);
    expect(early(afterEnforce - 1)).toEqual([expect.stringContaining(`dropped ${TESTING.id}`), expect.stringContaining(`dropped ${ENFORCE.id}`)]);
  });

  test('a moment that is later than the ledger has it is seen', () => {
    expect(foundWith({ output: outputOf(history, NONE, '2027-06-01T00:00:00Z') }, all)).toEqual([
      expect.stringMatching(/^earliestRemoval is 2027-06-01T00:00:00Z, expected 2026-.* by the history$/),
    ]);
  });

  test('words that are no moment are seen', () => {
    expect(foundWith({ output: outputOf(history, NONE, 'some day') }, all)).toContainEqual(expect.stringContaining(`is not a time, or is before senders have dropped ${TESTING.id}`));
  });

  test('a ledger and an output that are early together are seen', () => {
    // Both forget that enforce was served.
    const short = ledgerOf(policy('testing', 'mx1.example.test', 1, '20261101T000000'), NONE);
    const found = foundWith({ historyText: renderHistory(short, START + 10 * DAY), output: outputOf(short, NONE) }, all);
    expect(found).toContainEqual(expect.stringMatching(`^earliestRemoval .* before senders have dropped ${ENFORCE.id}$`));
  });
});
