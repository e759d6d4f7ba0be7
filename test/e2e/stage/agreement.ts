// Whether record, bytes, ledger and output say the same. What the product sums up is checked by sums of its own.
import { earliestRemoval } from '../../../lib/handler/ledger-removal';
import { parseLedger } from '../../../lib/handler/ledger-text';
import { at, itemsOf, textOf } from '../../../lib/preview/json';
import type { Standing } from './standing';

/** A policy that the soak deploys. */
export interface Policy {
  readonly mode: 'enforce' | 'testing' | 'none';
  readonly mx: string;
  readonly maxAgeDays: number;
  /** As the template has them. */
  readonly id: string;
  readonly text: string;
}

/** A policy that was served, and when for certain the last time (milliseconds since the epoch). */
export interface Served extends Policy {
  readonly last: number;
}

/** What must be so. */
export interface Expected {
  readonly policy: Policy;
  /** All that was served before it; of the last day, which is the shortest age here, so that senders can still hold each. */
  readonly history: readonly Served[];
  /** After a rollback the emulator gives this, the output of before, while the ledger may know more: missing where it was deployed. */
  readonly outputBefore?: string;
}

const DAY = 86_400_000;

/** @returns what does not agree, in words; empty where all does */
export function disagreements({ records, files, ledger, output }: Standing, expected: Expected): readonly string[] {
  const { policy, history, outputBefore } = expected;
  const found: string[] = [];
  const expect = (what: string, actual: unknown, wanted: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(wanted)) found.push(`${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(wanted)}`);
  };
  if (records.length === 0 || files.length === 0) found.push(`${records.length} records and ${files.length} files were looked at`);
  for (const record of records) expect('the record', record, `v=STSv1; id=${policy.id};`);
  for (const file of files) expect('the served bytes', file.toString('utf8'), policy.text);
  expect('the fields of the served bytes', fieldsOf(policy.text), expectedFields(policy));

  const value = parsed(ledger);
  const entries = itemsOf(at(value, 'entries'));
  const last = entries.at(-1);
  expect('the last entry of the ledger', ['id', 'mode', 'maxAge', 'mx'].map((name) => at(last, name)),
    [policy.id, policy.mode, policy.maxAgeDays * DAY / 1000, mxOf(policy.text)]);
  expect('the end of the last entry', at(last, 'until'), undefined);
  expect('the gap of the ledger', at(value, 'gap'), undefined);
  if (typeof at(last, 'live') !== 'string') found.push('the last entry was never seen live');
  const known = new Set(entries.map((entry) => textOf(at(entry, 'id'))));
  for (const { id } of history) if (!known.has(id)) found.push(`the ledger has lost ${id}, which was served`);

  const published = at(parsed(output), 'mtaSts');
  expect('the id of the output', at(published, 'id'), policy.id);
  if (outputBefore !== undefined) expect('the output after a rollback', output, outputBefore);
  else found.push(...removalFaults(textOf(at(published, 'earliestRemoval')) ?? '', ledger, expected));
  return found;
}

/** In the order of the file, which the construct chooses. */
function mxOf(text: string): readonly string[] {
  return [...text.matchAll(/^mx: (.*)\r$/gm)].map(([, pattern]) => pattern);
}

function removalFaults(removal: string, ledger: string, { policy: { mode }, history }: Expected): readonly string[] {
  const reading = parseLedger(Buffer.from(ledger));
  const byLedger = 'fault' in reading ? `none, since the ledger ${reading.fault}` : earliestRemoval(reading.ledger);
  const found = removal === byLedger ? [] : [`earliestRemoval is ${removal}, expected by the ledger ${byLedger}`];
  if (mode !== 'none') return removal.startsWith(`not while ${mode} is published`) ? found : [...found, `earliestRemoval while ${mode} is published: ${removal}`];
  if (/^not (?:before|while) /.test(removal)) return found;
  const moment = Date.parse(removal.split(',', 1)[0]);
  const early = history.filter((served) => served.mode !== 'none' && !(moment >= served.last + served.maxAgeDays * DAY));
  return [...found, ...early.map(({ id }) => `earliestRemoval ${removal} is no moment, or before senders have dropped ${id}`)];
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
