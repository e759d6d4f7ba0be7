// Publication histories of any size and shape: a history that can be read can be written, within the limits of the function.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { confirmLive, currentEntry, recordPublication, unusedId } from '../../lib/operations/history/history';
import type { HistoryEntry, History } from '../../lib/operations/history/history';
import { MAX_HISTORY_BYTES, parseHistory, renderHistory } from '../../lib/operations/history/format';
import { readPolicyId } from '../../lib/protocol/policy/id';

const NOW = Date.parse('2027-01-01T00:00:00Z');
const HASH = 'a1b2c3d4e5f60718';

/** Returns a publication history in the shortest readable form, of about this number of bytes. */
function compact(bytes: number, under: number): Uint8Array {
  const entry = (index: number): string => {
    const ids = Array.from({ length: under }, (_, at) => `"i${(index + at) % 1000}"`).join(',');
    return `{"id":"i${index}","mode":"none","maxAge":9999999999,"mx":[],"from":"2026-12-31T00:00:00Z","under":[${ids}]}`;
  };
  const entries: string[] = [];
  for (let length = 30, index = 0; length < bytes; index += 1) {
    const text = entry(index);
    entries.push(text);
    length += text.length + 1;
  }
  return Buffer.from(`{"version":1,"entries":[${entries.join(',')}]}`);
}

function ledgerOf(bytes: Uint8Array): History {
  const reading = parseHistory(bytes);
  if ('problem' in reading) throw new Error(`the publication history ${reading.problem}`);
  return reading.history;
}

describe('a large ledger', () => {
  test.each([
    [1_360_000, 0], [1_360_000, 40], [MAX_HISTORY_BYTES - 400, 0], [MAX_HISTORY_BYTES - 400, 1], [MAX_HISTORY_BYTES - 5000, 300],
  ])('a publication history of %i bytes in compact form, with %i ids for each entry, is read, continued and written', (size, under) => {
    const bytes = compact(size, under);
    expect(bytes.length).toBeLessThanOrEqual(MAX_HISTORY_BYTES);
    const before = process.memoryUsage().rss;
    const begin = performance.now();
    const history = ledgerOf(bytes);
    const id = unusedId(history, HASH, NOW, undefined);
    const noted = confirmLive(recordPublication(history, { id, hash: HASH, mode: 'enforce', maxAge: 86_400, mx: ['mx.example.com'] }, NOW), NOW);
    const text = renderHistory(noted, NOW);
    expect(performance.now() - begin).toBeLessThan(20_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_HISTORY_BYTES);
    expect(currentEntry(ledgerOf(Buffer.from(text)))).toMatchObject({ id, hash: HASH, confirmedLiveAt: NOW });
  });

  test('a publication history whose last entry alone is too large is restarted', () => {
    const under = Array.from({ length: 80_000 }, (_, index) => `${'x'.repeat(24)}${index}`);
    const last: HistoryEntry = { id: 'last', mode: 'none', maxAge: 1, mx: [], publishedAt: NOW, announcedIds: under };
    const text = renderHistory({ entries: [{ ...last, id: 'first', announcedIds: [] }, last] }, NOW);
    expect(ledgerOf(Buffer.from(text))).toEqual({ entries: [], gap: { restartedAt: NOW, reason: 'grew too large' } });
  });
});

const id = fc.stringMatching(/^[A-Za-z0-9]{1,32}$/);
const time = fc.integer({ min: Date.parse('2020-01-01'), max: Date.parse('2040-01-01') });
const entry: fc.Arbitrary<HistoryEntry> = fc.record({
  id: fc.oneof(id, time.map((at) => `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}${HASH}`)),
  mode: fc.constantFrom('enforce' as const, 'testing' as const, 'none' as const),
  maxAge: fc.nat({ max: 9_999_999_999 }),
  mx: fc.array(fc.constantFrom('mx.example.com', '*.example.com'), { maxLength: 3 }),
  publishedAt: time,
  announcedIds: fc.array(id, { maxLength: 4 }),
}, { requiredKeys: ['id', 'mode', 'maxAge', 'mx', 'publishedAt', 'announcedIds'] });
const histories: fc.Arbitrary<History> = fc.record({ entries: fc.array(entry, { maxLength: 8 }) });

describe('any ledger', () => {
  test('a publication history is the same after it was written and read', () => {
    fc.assert(fc.property(histories, (history) => {
      // An id of ours tells the hash, also where it was not written.
      const text = renderHistory(ledgerOf(Buffer.from(renderHistory(history, NOW))), NOW);
      expect(renderHistory(ledgerOf(Buffer.from(text)), NOW)).toBe(text);
    }), { numRuns: 500 });
  });

  test('a publication history gives an id that is later than all its ids, whatever the clock says', () => {
    fc.assert(fc.property(histories, time, (history, now) => {
      const chosen = unusedId(history, HASH, now);
      const times = history.entries.flatMap((one) => [one.id, ...one.announcedIds]).flatMap((used) => readPolicyId(used)?.time ?? []);
      expect(readPolicyId(chosen)?.hash).toBe(HASH);
      expect(readPolicyId(chosen)?.time).toBeGreaterThan(Math.max(0, ...times));
      // Also once the entries that it was later than are gone.
      const noted = recordPublication(history, { id: chosen, hash: HASH, mode: 'none', maxAge: 1, mx: [] }, now);
      const next = unusedId({ ...noted, entries: [] }, HASH, 0);
      expect(next > chosen).toBe(true);
    }), { numRuns: 500 });
  });

  test('a damaged publication history is refused or read, and never throws', () => {
    const policy = { id: 'a', hash: HASH, mode: 'none', maxAge: 1, mx: ['mx.example.com'] } as const;
    const bytes = Buffer.from(renderHistory(recordPublication({ entries: [] }, policy, NOW), NOW));
    const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const damaged = Buffer.from(bytes);
      for (const [at, value] of changes) damaged[at] = value;
      const reading = parseHistory(damaged);
      if ('history' in reading) expect(() => renderHistory(reading.history, NOW)).not.toThrow();
    }), { numRuns: 3000 });
  });

  test('a publication history with an id of the last year that an id can hold leaves room for the next id', () => {
    const stored = { entries: [], lastId: `99991231T235959${HASH}` };
    expect(unusedId(stored, HASH, NOW)).toBe(`20270101T000000${HASH}`);
  });
});
