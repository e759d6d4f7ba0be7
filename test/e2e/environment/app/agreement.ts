// Whether record, bytes, ledger and output say the same. What the product sums up is checked by sums of its own.
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
  /** As the template has it. */
  readonly text: string;
  /** What each id that names it ends with. */
  readonly hash: string;
}

/** A policy that was served, and when for certain the last time (milliseconds since the epoch). */
export interface ServedPolicy extends Policy {
  readonly lastServedAt: number;
  /** Under which it was announced; missing where it never was. */
  readonly id?: string;
}

/** What must be so. */
export interface ExpectedState {
  readonly policy: Policy;
  /** All that was served before it; of the last day, which is the shortest age here, so that senders can still hold each. */
  readonly servedBefore: readonly ServedPolicy[];
  /** After a rollback the emulator gives this, the output of before, while the ledger may know more: missing where it was deployed. */
  readonly outputBefore?: string;
  /** All ids that were announced or chosen before: one that was deployed since is later than each. Missing after a rollback. */
  readonly idsBefore?: readonly string[];
}

const DAY = 86_400_000;

/** @returns what does not agree, in words; empty where all does */
export function findDisagreements({ records, files, historyText: ledger, output }: LiveState, expected: ExpectedState): readonly string[] {
  const { policy, servedBefore: history, outputBefore, idsBefore = [] } = expected;
  const found: string[] = [];
  const expect = (what: string, actual: unknown, wanted: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(wanted)) found.push(`${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(wanted)}`);
  };
  if (records.length === 0 || files.length === 0) return [`${records.length} records and ${files.length} files were looked at`];
  const id = parseRecordId(records.at(0)) ?? '';
  for (const record of records) expect('the record', record, `v=STSv1; id=${id};`);
  expect('the hash in the published id', parseIdHash(id), policy.hash);
  for (const file of files) expect('the served bytes', file.toString('utf8'), policy.text);
  for (const before of idsBefore) if (!isLater(id, before)) found.push(`the published id ${id} is not later than ${before}, which was used before`);
  expect('the fields of the served bytes', fieldsOf(policy.text), expectedFields(policy));

  const value = parsed(ledger);
  const entries = itemsOf(at(value, 'entries'));
  const last = entries.at(-1);
  expect('the last entry of the history', ['mode', 'maxAge', 'mx'].map((name) => at(last, name)), [policy.mode, policy.maxAgeDays * DAY / 1000, mxOf(policy.text)]);
  // What was put back has an id of its own, which the record may or may not get in a rollback.
  if (outputBefore === undefined) expect('the id of the last entry', at(last, 'id'), id);
  else expect('the hash in the id of the last entry', parseIdHash(textOf(at(last, 'id')) ?? ''), policy.hash);
  expect('the end of the last entry', at(last, 'until'), undefined);
  expect('the gap of the history', at(value, 'gap'), undefined);
  if (typeof at(last, 'live') !== 'string') found.push('the last entry was never seen live');
  const known = entries.map((entry) => textOf(at(entry, 'id')) ?? '');
  for (const served of history) {
    const isKnown = served.id === undefined ? known.some((one) => parseIdHash(one) === served.hash) : known.includes(served.id);
    if (!isKnown) found.push(`the history has lost ${nameOf(served)}, which was served`);
  }

  const published = at(parsed(output), 'mtaSts');
  if (outputBefore === undefined) expect('the id of the output', at(published, 'id'), id);
  else expect('the hash in the id of the output', parseIdHash(textOf(at(published, 'id')) ?? ''), policy.hash);
  if (outputBefore !== undefined) expect('the output after a rollback', output, outputBefore);
  else found.push(...removalFaults(textOf(at(published, 'earliestRemoval')) ?? '', ledger, expected));
  return found;
}

/** All ids of a ledger: of its entries, and the latest that was ever chosen. */
export function listHistoryIds(ledger: string): readonly string[] {
  const value = parsed(ledger);
  return [...itemsOf(at(value, 'entries')).map((entry) => textOf(at(entry, 'id'))), textOf(at(value, 'lastId'))].filter((id) => id !== undefined);
}

function nameOf({ id, mode, hash }: ServedPolicy): string {
  return id ?? `${mode} ${hash}`;
}

/** In the order of the file, which the construct chooses. */
function mxOf(text: string): readonly string[] {
  return [...text.matchAll(/^mx: (.*)\r$/gm)].map(([, pattern]) => pattern);
}

function removalFaults(removal: string, ledger: string, { policy: { mode }, servedBefore: history }: ExpectedState): readonly string[] {
  const reading = parseHistory(Buffer.from(ledger));
  const byLedger = 'problem' in reading ? `none, because the history ${reading.problem}` : earliestRemoval(reading.history);
  const found = removal === byLedger ? [] : [`earliestRemoval is ${removal}, expected ${byLedger} by the history`];
  if (mode !== 'none') return removal.startsWith(`not while ${mode} is published`) ? found : [...found, `earliestRemoval while ${mode} is published: ${removal}`];
  if (/^not (?:before|while) /.test(removal)) return found;
  const moment = Date.parse(removal.split(',', 1)[0]);
  const early = history.filter((served) => served.mode !== 'none' && !(moment >= served.lastServedAt + served.maxAgeDays * DAY));
  return [...found, ...early.map((served) => `earliestRemoval ${removal} is not a time, or is before senders have dropped ${nameOf(served)}`)];
}

/** Sorted, without the version. */
function fieldsOf(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('version:')).sort();
}

function expectedFields({ mode, mx, maxAgeDays }: Policy): readonly string[] {
  return [`mode: ${mode}`, ...mx.split(',').map((pattern) => `mx: ${pattern}`), `max_age: ${maxAgeDays * DAY / 1000}`].sort();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
