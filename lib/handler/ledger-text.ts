// The ledger as the JSON that lies in the bucket; what is read there is not taken on trust.
import { isMode } from '../protocol/policy-model';
import { isObject } from './event';
import { begunAnew } from './ledger';
import type { Entry, Gap, Ledger } from './ledger';
import { endOfHold } from './ledger-time';

/** Of the form. A later one is not read: it may mean something else by the same names. */
const VERSION = 1;

/** In bytes. Senders hold few policies at a time; but each entry names the ids of the hour before it, so that many in an hour need room. */
export const MAX_LEDGER_BYTES = 2_097_152;

/** A ledger, or what is wrong with it: a phrase to put after "the ledger". */
export type LedgerReading = { readonly ledger: Ledger } | { readonly fault: string };

/** Never throws. */
export function parseLedger(bytes: Uint8Array): LedgerReading {
  if (bytes.length > MAX_LEDGER_BYTES) return { fault: `was larger than ${MAX_LEDGER_BYTES} bytes` };
  const value = parsed(Buffer.from(bytes).toString('utf8'));
  if (!isObject(value)) return DAMAGED;
  const { version, entries, gap } = value;
  const begun = timeOf(value.begun);
  if (typeof version === 'number' && version > VERSION) return { fault: `was of a later version (${version})` };
  if (version !== VERSION || !Array.isArray(entries)) return DAMAGED;
  const read = entries.map(entryOf);
  const readGap = gap === undefined ? undefined : gapOf(gap);
  if (read.includes(undefined) || readGap === null || begun === null) return DAMAGED;
  const whole = read.filter((entry) => entry !== undefined);
  // What is published has no end; a list that ends otherwise was cut.
  if (whole.at(-1)?.until !== undefined) return DAMAGED;
  return { ledger: { entries: whole, ...readGap === undefined ? {} : { gap: readGap }, ...begun === undefined ? {} : { begun } } };
}

const DAMAGED = { fault: 'was damaged' } as const;

/** Canonical: the same ledger is the same text. Of one that is too large the entries that senders drop first are left out. */
export function renderLedger(ledger: Ledger, now: number): string {
  const text = rendered(ledger);
  if (Buffer.byteLength(text) <= MAX_LEDGER_BYTES) return text;
  const first = [...ledger.entries.slice(0, -1)].sort((a, b) => endOf(a) - endOf(b)).at(0);
  if (first === undefined) return rendered(begunAnew(TOO_LARGE, now));
  const entries = ledger.entries.filter((entry) => entry !== first);
  return renderLedger({ entries, gap: begunAnew(TOO_LARGE, now).gap }, now);
}

const TOO_LARGE = 'grew too large';

function endOf({ maxAge, until = Infinity }: Entry): number {
  return endOfHold(maxAge, until);
}

function rendered({ entries, gap, begun }: Ledger): string {
  const written = {
    version: VERSION,
    begun: time(begun),
    entries: entries.map(({ id, mode, maxAge, mx, from, live, until, under }) => {
      return { id, mode, maxAge, mx, from: time(from), live: time(live), until: time(until), under };
    }),
    gap: gap && { at: time(gap.at), why: gap.why },
  };
  return `${JSON.stringify(written, undefined, 2)}\n`;
}

function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

function entryOf(value: unknown): Entry | undefined {
  if (!isObject(value)) return undefined;
  const { id, mode, maxAge, mx } = value;
  const [from, live, until] = [value.from, value.live, value.until].map(timeOf);
  if (!isId(id) || typeof mode !== 'string' || !isMode(mode) || !isAge(maxAge) || !isNames(mx) || !isIds(value.under)) return undefined;
  if (typeof from !== 'number' || live === null || until === null) return undefined;
  return { id, mode, maxAge, mx, from, ...live === undefined ? {} : { live }, ...until === undefined ? {} : { until }, under: value.under };
}

function gapOf(value: unknown): Gap | null {
  if (!isObject(value)) return null;
  const at = timeOf(value.at);
  // It is shown, in the value of an output as well.
  return typeof at === 'number' && typeof value.why === 'string' && /^[a-z0-9 ()]{1,80}$/.test(value.why) ? { at, why: value.why } : null;
}

/** `null` for what is no time. */
function timeOf(value: unknown): number | undefined | null {
  if (value === undefined) return undefined;
  const milliseconds = typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(milliseconds) ? null : milliseconds;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9]{1,32}$/.test(value);
}

function isIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isId);
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && /^[\w*.-]{1,255}$/.test(name));
}

function isAge(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 9_999_999_999;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
