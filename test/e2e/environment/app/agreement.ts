// Checks that record, served bytes, publication history and output agree. Computes the expected values apart from the product's code.
import { parseHistory } from '../../../../lib/operations/history/format';
import { earliestRemoval } from '../../../../lib/operations/history/history';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import type { LiveState } from './live-state';
import { parseRecordId, isLater, parseIdHash } from './policy-ids';

/** A policy that the soak deploys. */
export interface Policy {
  readonly mode: 'enforce' | 'testing' | 'none';
  readonly mx: string;
  readonly maxAgeDays: number;
  /** Policy file, as in the template. */
  readonly text: string;
  /** Hash of the text, with which each id that names it ends. */
  readonly hash: string;
}

/** A policy that was served. */
export interface ServedPolicy extends Policy {
  /** Latest time at which it was certainly served, in milliseconds since the epoch. */
  readonly lastServedAt: number;
  /** Id under which it was published. Undefined if it never was. */
  readonly id?: string;
}

/** What the live state must agree with. */
export interface ExpectedState {
  readonly policy: Policy;
  /** Policies that were served before, within the last day. That is the shortest max age here, so senders may have each of them cached. */
  readonly servedBefore: readonly ServedPolicy[];
  /** Output before a rollback, which the emulator restores although the history may know more. Undefined after a deployment. */
  readonly outputBefore?: string;
  /** Ids that were published or chosen before. The id of a deployment must be later than each. Undefined after a rollback. */
  readonly idsBefore?: readonly string[];
}

const DAY_MS = 86_400_000;

/**
 * Finds what does not agree.
 *
 * @returns one line for each disagreement, empty if all agree
 */
export function findDisagreements({ records, files, historyText, output }: LiveState, expected: ExpectedState): readonly string[] {
  const { policy, servedBefore, outputBefore, idsBefore = [] } = expected;
  const found: string[] = [];
  const expect = (what: string, actual: unknown, wanted: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(wanted)) found.push(`${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(wanted)}`);
  };
  if (records.length === 0 || files.length === 0) return [`${records.length} records and ${files.length} files were read`];
  const id = parseRecordId(records.at(0)) ?? '';
  for (const record of records) expect('the record', record, `v=STSv1; id=${id};`);
  expect('the hash in the published id', parseIdHash(id), policy.hash);
  for (const file of files) expect('the served bytes', file.toString('utf8'), policy.text);
  for (const before of idsBefore) if (!isLater(id, before)) found.push(`the published id ${id} is not later than ${before}, which was used before`);
  expect('the fields of the served bytes', readFields(policy.text), listExpectedFields(policy));

  const value = parseJson(historyText);
  const entries = itemsOf(at(value, 'entries'));
  const last = entries.at(-1);
  expect('the last entry of the history', ['mode', 'maxAge', 'mx'].map((name) => at(last, name)), [policy.mode, policy.maxAgeDays * DAY_MS / 1000, readMxPatterns(policy.text)]);
  // A rollback writes an entry with a new id. The record may get that id or the previous one.
  if (outputBefore === undefined) expect('the id of the last entry', at(last, 'id'), id);
  else expect('the hash in the id of the last entry', parseIdHash(textOf(at(last, 'id')) ?? ''), policy.hash);
  expect('the end of the last entry', at(last, 'until'), undefined);
  expect('the gap of the history', at(value, 'gap'), undefined);
  if (typeof at(last, 'live') !== 'string') found.push('the last entry was never seen live');
  const known = entries.map((entry) => textOf(at(entry, 'id')) ?? '');
  for (const served of servedBefore) {
    const isKnown = served.id === undefined ? known.some((one) => parseIdHash(one) === served.hash) : known.includes(served.id);
    if (!isKnown) found.push(`the history has lost ${describeServed(served)}, which was served`);
  }

  const published = at(parseJson(output), 'mtaSts');
  if (outputBefore === undefined) expect('the id of the output', at(published, 'id'), id);
  else expect('the hash in the id of the output', parseIdHash(textOf(at(published, 'id')) ?? ''), policy.hash);
  if (outputBefore !== undefined) expect('the output after a rollback', output, outputBefore);
  else found.push(...findRemovalProblems(textOf(at(published, 'earliestRemoval')) ?? '', historyText, expected));
  return found;
}

/** Lists the ids in a history: those of its entries, and the latest id that was ever chosen. */
export function listHistoryIds(historyText: string): readonly string[] {
  const value = parseJson(historyText);
  return [...itemsOf(at(value, 'entries')).map((entry) => textOf(at(entry, 'id'))), textOf(at(value, 'lastId'))].filter((id) => id !== undefined);
}

function describeServed({ id, mode, hash }: ServedPolicy): string {
  return id ?? `${mode} ${hash}`;
}

/** Reads the mx patterns in the order of the file, which the construct chooses. */
function readMxPatterns(text: string): readonly string[] {
  return [...text.matchAll(/^mx: (.*)\r$/gm)].map(([, pattern = '']) => pattern);
}

function findRemovalProblems(removal: string, historyText: string, { policy: { mode }, servedBefore }: ExpectedState): readonly string[] {
  const reading = parseHistory(Buffer.from(historyText));
  const expectedRemoval = 'problem' in reading ? `none, because the history ${reading.problem}` : earliestRemoval(reading.history);
  const found = removal === expectedRemoval ? [] : [`earliestRemoval is ${removal}, expected ${expectedRemoval} by the history`];
  if (mode !== 'none') return removal.startsWith(`not while ${mode} is published`) ? found : [...found, `earliestRemoval while ${mode} is published: ${removal}`];
  if (/^not (?:before|while) /.test(removal)) return found;
  const time = Date.parse(removal.split(',', 1).join());
  const early = servedBefore.filter((served) => served.mode !== 'none' && !(time >= served.lastServedAt + served.maxAgeDays * DAY_MS));
  return [...found, ...early.map((served) => `earliestRemoval ${removal} is not a time, or is before senders have dropped ${describeServed(served)}`)];
}

/** Reads the fields of a policy file, sorted, without the version. */
function readFields(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('version:')).sort();
}

function listExpectedFields({ mode, mx, maxAgeDays }: Policy): readonly string[] {
  return [`mode: ${mode}`, ...mx.split(',').map((pattern) => `mx: ${pattern}`), `max_age: ${maxAgeDays * DAY_MS / 1000}`].sort();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
