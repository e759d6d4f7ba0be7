// The publication history as JSON in the bucket. The names and forms in the JSON are data: every release must read what older ones wrote.
// The reader trusts no value.
import { hashOfPolicyId } from '../../protocol/policy/id';
import { isMode } from '../../protocol/policy/model';
import { isObject } from '../../util/objects';
import { cacheEnd, restarted } from './history';
import type { Gap, History, HistoryEntry } from './history';

/** Version of the format. A later version is not read, because its names may have other meanings. */
const VERSION = 1;

/**
 * Maximum size in bytes. Senders hold few policies at a time. But each entry names the ids of the hour before it, so many entries in one
 * hour need room.
 */
export const MAX_HISTORY_BYTES = 2_097_152;

/** A history, or the problem that makes it unreadable: a phrase to put after "the publication history". */
export type HistoryReading = { readonly history: History } | { readonly problem: string };

/** Reads a history. Never throws. */
export function parseHistory(bytes: Uint8Array): HistoryReading {
  if (bytes.length > MAX_HISTORY_BYTES) return { problem: `was larger than ${MAX_HISTORY_BYTES} bytes` };
  const value = parseJson(Buffer.from(bytes).toString('utf8'));
  if (!isObject(value)) return DAMAGED;
  const { version, lastId } = value;
  if (typeof version === 'number' && version > VERSION) return { problem: `was of a later version (${version})` };
  if (version !== VERSION || !Array.isArray(value.entries)) return DAMAGED;
  const read = value.entries.map(readEntry);
  const gap = value.gap === undefined ? undefined : readGap(value.gap);
  const startedAt = readTime(value.begun);
  if (read.includes(undefined) || gap === null || startedAt === null || !(lastId === undefined || isId(lastId))) return DAMAGED;
  const entries = read.filter((entry) => entry !== undefined);
  // The published policy has no end. A list with another last entry was cut.
  if (entries.at(-1)?.replacedAt !== undefined) return DAMAGED;
  return { history: { entries, gap, startedAt, lastId } };
}

const DAMAGED = { problem: 'was damaged' } as const;

/**
 * Renders a history with one entry a line. Equal histories give equal texts. A history that is too large loses the entries that senders
 * drop first.
 *
 * @param now - milliseconds since the epoch
 */
export function renderHistory(history: History, now: number): string {
  const lines = history.entries.map((entry) => ({ entry, text: JSON.stringify(storedEntry(entry)) }));
  const whole = renderLines(history, lines.map(({ text }) => text));
  if (Buffer.byteLength(whole) <= MAX_HISTORY_BYTES) return whole;
  const gapped = { ...history, startedAt: undefined, gap: restarted(TOO_LARGE, now).gap };
  let left = MAX_ENTRIES_BYTES;
  const fitting = new Set<HistoryEntry>();
  // The published policy comes first, then the policies that senders hold longest.
  const last = lines.at(-1);
  for (const line of [...lines].sort((a, b) => Number(b === last) - Number(a === last) || endOf(b.entry) - endOf(a.entry))) {
    left -= Buffer.byteLength(line.text) + LINE_BYTES;
    if (left < 0) break;
    fitting.add(line.entry);
  }
  // Without its last entry, a history would name another policy as the published one.
  const kept = lines.filter(({ entry }) => fitting.has(entry));
  return renderLines(gapped, kept.map(({ text }) => text));
}

const TOO_LARGE = 'grew too large';

/** Room for the entries: the maximum without the head. */
const MAX_ENTRIES_BYTES = MAX_HISTORY_BYTES - 1024;

/** Size of the comma and the line end. */
const LINE_BYTES = 2;

function endOf({ maxAge, replacedAt }: HistoryEntry): number {
  return replacedAt === undefined ? Number.MAX_VALUE : cacheEnd(maxAge, replacedAt);
}

function renderLines({ gap, startedAt, lastId }: Omit<History, 'entries'>, lines: readonly string[]): string {
  const storedGap = gap && { at: formatTime(gap.restartedAt), why: gap.reason };
  const head = JSON.stringify({ version: VERSION, begun: formatTime(startedAt), lastId, gap: storedGap });
  return `${head.slice(0, -1)},"entries":[${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n`}]}\n`;
}

/** Returns an entry with the names and the order of the stored format. */
function storedEntry(entry: HistoryEntry): unknown {
  const { id, hash, requestId, mode, maxAge, mx, publishedAt, confirmedLiveAt, replacedAt, announcedIds } = entry;
  const [from, live, until] = [publishedAt, confirmedLiveAt, replacedAt].map(formatTime);
  return { id, hash, request: requestId, mode, maxAge, mx, from, live, until, under: announcedIds };
}

function readEntry(value: unknown): HistoryEntry | undefined {
  if (!isObject(value)) return undefined;
  const { id, mode, maxAge, mx, request: requestId, under: announcedIds } = value;
  // Releases before 0.2 stored no hash. Their ids are a longer hash of the same bytes.
  const { hash = typeof id === 'string' ? hashOfPolicyId(id) : undefined } = value;
  const [publishedAt, confirmedLiveAt, replacedAt] = [readTime(value.from), readTime(value.live), readTime(value.until)];
  if (!isId(id) || typeof mode !== 'string' || !isMode(mode) || !isAge(maxAge) || !isNames(mx) || !isIds(announcedIds)) return undefined;
  if (typeof publishedAt !== 'number' || confirmedLiveAt === null || replacedAt === null) return undefined;
  if (!isOptionalText(hash, /^[0-9a-f]{16}$/) || !isOptionalText(requestId, /^[\w-]{1,128}$/)) return undefined;
  return { id, hash, requestId, mode, maxAge, mx, publishedAt, confirmedLiveAt, replacedAt, announcedIds };
}

function readGap(value: unknown): Gap | null {
  if (!isObject(value)) return null;
  const restartedAt = readTime(value.at);
  // The reason becomes part of messages and of a stack output.
  const { why: reason } = value;
  return typeof restartedAt === 'number' && typeof reason === 'string' && /^[a-z0-9 ()]{1,80}$/.test(reason) ? { restartedAt, reason } : null;
}

function formatTime(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

/** Returns undefined for no value, and null for an invalid one. */
function readTime(value: unknown): number | undefined | null {
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
