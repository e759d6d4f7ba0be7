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
  /** After a rollback the emulator gives the output of the deployment before: then the ledger knows more than it. */
  readonly outputOf: 'this deployment' | 'an earlier one';
}

const DAY = 86_400_000;

/** @returns what does not agree, in words; empty where all does */
export function disagreements({ records, files, ledger, output }: Standing, { policy, history, outputOf }: Expected): readonly string[] {
  const found: string[] = [];
  const expect = (what: string, actual: unknown, expected: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) found.push(`${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  };
  for (const record of records) expect('the record', record, `v=STSv1; id=${policy.id};`);
  for (const file of files) expect('the served bytes', file.toString('utf8'), policy.text);
  expect('the fields of the served bytes', fieldsOf(policy.text), expectedFields(policy));

  const value = parsed(ledger);
  const entries = itemsOf(at(value, 'entries'));
  const last = entries.at(-1);
  expect('the last entry of the ledger', ['id', 'mode', 'maxAge', 'mx'].map((name) => at(last, name)),
    [policy.id, policy.mode, policy.maxAgeDays * DAY / 1000, policy.mx.split(',')]);
  expect('the end of the last entry', at(last, 'until'), undefined);
  expect('the gap of the ledger', at(value, 'gap'), undefined);
  if (typeof at(last, 'live') !== 'string') found.push('the last entry was never seen live');
  const known = new Set(entries.map((entry) => textOf(at(entry, 'id'))));
  for (const { id } of history) if (!known.has(id)) found.push(`the ledger has lost ${id}, which was served`);

  const published = at(parsed(output), 'mtaSts');
  const removal = textOf(at(published, 'earliestRemoval')) ?? '';
  expect('the id of the output', at(published, 'id'), policy.id);
  const reading = parseLedger(Buffer.from(ledger));
  if (outputOf === 'this deployment') expect('earliestRemoval', removal, 'fault' in reading ? reading.fault : earliestRemoval(reading.ledger));
  if (policy.mode !== 'none') {
    if (!removal.startsWith(`not while ${policy.mode} is published`)) found.push(`earliestRemoval while ${policy.mode} is published: ${removal}`);
  } else if (/^\d/.test(removal) && outputOf === 'this deployment') {
    const moment = Date.parse(removal.split(',', 1)[0]);
    for (const { id, mode, last: seen, maxAgeDays } of history) {
      if (mode !== 'none' && !(moment >= seen + maxAgeDays * DAY)) found.push(`earliestRemoval ${removal} is before senders have dropped ${id}`);
    }
  } else if (!removal.startsWith('not ') && outputOf === 'this deployment') {
    found.push(`earliestRemoval is neither a moment nor a reason: ${removal}`);
  }
  return found;
}

/** In the order of the file, without the version. */
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
