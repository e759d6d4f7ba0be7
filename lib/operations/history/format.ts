// The ledger as the JSON that lies in the bucket; what is read there is not taken on trust.
import { hashOfPolicyId } from '../../protocol/policy/id';
import { isMode } from '../../protocol/policy/model';
import { isObject } from '../../functions/deployment/event';
import { restarted } from './history';
import type { HistoryEntry, Gap, History } from './history';
import { cacheEnd } from './time';

/** Of the form. A later one is not read: it may mean something else by the same names. */
const VERSION = 1;

/** In bytes. Senders hold few policies at a time; but each entry names the ids of the hour before it, so that many in an hour need room. */
export const MAX_HISTORY_BYTES = 2_097_152;

/** A ledger, or what is wrong with it: a phrase to put after "the ledger". */
export type HistoryReading = { readonly history: History } | { readonly problem: string };

/** Never throws. */
export function parseHistory(bytes: Uint8Array): HistoryReading {
  if (bytes.length > MAX_HISTORY_BYTES) return { problem: `was larger than ${MAX_HISTORY_BYTES} bytes` };
  const value = parsed(Buffer.from(bytes).toString('utf8'));
  if (!isObject(value)) return DAMAGED;
  const { version, entries, gap } = value;
  const begun = timeOf(value.begun);
  const { lastId } = value;
  if (typeof version === 'number' && version > VERSION) return { problem: `was of a later version (${version})` };
  if (version !== VERSION || !Array.isArray(entries)) return DAMAGED;
  const read = entries.map(entryOf);
  const readGap = gap === undefined ? undefined : gapOf(gap);
  if (read.includes(undefined) || readGap === null || begun === null || !(lastId === undefined || isId(lastId))) return DAMAGED;
  const whole = read.filter((entry) => entry !== undefined);
  // What is published has no end; a list that ends otherwise was cut.
  if (whole.at(-1)?.replacedAt !== undefined) return DAMAGED;
  return { history: {
    entries: whole,
    ...readGap === undefined ? {} : { gap: readGap },
    ...begun === undefined ? {} : { startedAt: begun },
    ...lastId === undefined ? {} : { lastId },
  } };
}

const DAMAGED = { problem: 'was damaged' } as const;

/**
 * Renders the ledger, an entry a line. The same ledger is the same text. Of one that is too large, the entries that senders drop first
 * are left out.
 *
 * @param now - milliseconds since the epoch
 */
export function renderHistory(history: History, now: number): string {
  const lines = history.entries.map((entry) => ({ entry, text: JSON.stringify(writtenEntry(entry)) }));
  const whole = rendered(history, lines.map(({ text }) => text));
  if (Buffer.byteLength(whole) <= MAX_HISTORY_BYTES) return whole;
  const gapped = { ...history, startedAt: undefined, gap: restarted(TOO_LARGE, now).gap };
  let left = ROOM_FOR_ENTRIES;
  const fitting = new Set<HistoryEntry>();
  // What is published now comes first, then what senders hold longest.
  const last = lines.at(-1);
  for (const line of [...lines].sort((a, b) => Number(b === last) - Number(a === last) || endOf(b.entry) - endOf(a.entry))) {
    left -= Buffer.byteLength(line.text) + LINE_BYTES;
    if (left < 0) break;
    fitting.add(line.entry);
  }
  // Without its last entry a ledger would say that something else is published.
  const kept = lines.filter(({ entry }) => fitting.has(entry));
  return rendered(gapped, kept.map(({ text }) => text));
}

const TOO_LARGE = 'grew too large';

/** What is left of the limit beside the head. */
const ROOM_FOR_ENTRIES = MAX_HISTORY_BYTES - 1024;

/** The comma and the line end. */
const LINE_BYTES = 2;

function endOf({ maxAge, replacedAt: until = Infinity }: HistoryEntry): number {
  return until === Infinity ? Number.MAX_VALUE : cacheEnd(maxAge, until);
}

function rendered({ gap, startedAt: begun, lastId }: Omit<History, 'entries'>, lines: readonly string[]): string {
  const head = JSON.stringify({ version: VERSION, begun: time(begun), lastId, gap: gap && { at: time(gap.restartedAt), why: gap.reason } });
  return `${head.slice(0, -1)},"entries":[${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n`}]}\n`;
}

function writtenEntry({ id, hash, requestId: request, mode, maxAge, mx, publishedAt: from, confirmedLiveAt: live, replacedAt: until, announcedIds: under }: HistoryEntry): unknown {
  return { id, hash, request, mode, maxAge, mx, from: time(from), live: time(live), until: time(until), under };
}

function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

function entryOf(value: unknown): HistoryEntry | undefined {
  if (!isObject(value)) return undefined;
  const { id, mode, maxAge, mx } = value;
  // The releases before 0.2 wrote none: their ids were a longer hash of the same bytes.
  const { request, hash = typeof id === 'string' ? hashOfPolicyId(id) : undefined } = value;
  const [from, live, until] = [value.from, value.live, value.until].map(timeOf);
  if (!isId(id) || typeof mode !== 'string' || !isMode(mode) || !isAge(maxAge) || !isNames(mx) || !isIds(value.under)) return undefined;
  if (typeof from !== 'number' || live === null || until === null) return undefined;
  if (!isOptionalText(hash, /^[0-9a-f]{16}$/) || !isOptionalText(request, /^[\w-]{1,128}$/)) return undefined;
  return {
    id,
    ...hash === undefined ? {} : { hash },
    ...request === undefined ? {} : { requestId: request },
    mode, maxAge, mx, publishedAt: from,
    ...live === undefined ? {} : { confirmedLiveAt: live },
    ...until === undefined ? {} : { replacedAt: until },
    announcedIds: value.under,
  };
}

function gapOf(value: unknown): Gap | null {
  if (!isObject(value)) return null;
  const at = timeOf(value.at);
  // It is shown, in the value of an output as well.
  return typeof at === 'number' && typeof value.why === 'string' && /^[a-z0-9 ()]{1,80}$/.test(value.why) ? { restartedAt: at, reason: value.why } : null;
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

function isOptionalText(value: unknown, form: RegExp): value is string | undefined {
  return value === undefined || (typeof value === 'string' && form.test(value));
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
