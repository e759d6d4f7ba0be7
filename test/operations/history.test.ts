// The history: what it notes, and what it tells of it.
import { describe, expect, test } from '@jest/globals';
import {
  CACHE_MARGIN_MS, cacheEnd, confirmLive, earliestRemoval, isoTime, recordPublication, restarted, uncoveredByCachedPolicies,
} from '../../lib/operations/history/history';
import type { History, PublishedVersion } from '../../lib/operations/history/history';
import { MAX_HISTORY_BYTES, parseHistory, renderHistory } from '../../lib/operations/history/format';
import { historyLocation } from '../../lib/contract/object-keys';
import { outputText } from '../../lib/functions/deployment/failure-message';
import { formatAge, mxConflictText } from '../../lib/operations/history/mx-conflicts';
import type { Policy } from '../../lib/protocol/policy/policy';
import { BUCKET, KEY, HISTORY_KEY } from '../support/deployment';

const DAY = 86_400;
const START = Date.parse('2027-01-01T00:00:00Z');

function policy(id: string, mode: Policy['mode'], days: number, mx: readonly string[] = ['mx1.example.com']): PublishedVersion {
  return { id, mode, maxAge: days * DAY, mx };
}

const ENFORCE = policy('e', 'enforce', 30);
const TESTING = policy('t', 'testing', 1);
const NONE = policy('n', 'none', 1);

/** Days after the start. */
function at(days: number): number {
  return START + days * DAY * 1000;
}

/** Recorded and seen live at once, each on its day. */
function published(...all: readonly (readonly [PublishedVersion, number])[]): History {
  return all.reduce<History>((history, [one, day]) => confirmLive(recordPublication(history, one, at(day)), at(day)), { entries: [] });
}

describe('what it notes', () => {
  test('an unchanged policy adds no entry to the publication history', () => {
    const history = published([ENFORCE, 0]);
    expect(recordPublication(history, ENFORCE, at(5))).toEqual(history);
    expect(confirmLive(history, at(5))).toBe(history);
  });

  test('a policy that returns is a new entry of the publication history', () => {
    expect(published([ENFORCE, 0], [TESTING, 1], [ENFORCE, 2]).entries.map(({ id }) => id)).toEqual(['e', 't', 'e']);
  });

  test('an entry stays open until the newer policy was seen live', () => {
    const recorded = recordPublication(published([ENFORCE, 0]), TESTING, at(1));
    expect(recorded.entries.map(({ replacedAt: until }) => until)).toEqual([undefined, undefined]);
    expect(confirmLive(recorded, at(2)).entries.map(({ replacedAt: until }) => until)).toEqual([at(2), undefined]);
  });

  test('an entry is dropped when no sender can hold its policy any more', () => {
    const over = cacheEnd(TESTING.maxAge, at(1)) - START;
    const history = published([TESTING, 0], [ENFORCE, 1]);
    expect(recordPublication(history, NONE, START + over).entries.map(({ id }) => id)).toEqual(['t', 'e', 'n']);
    expect(recordPublication(history, NONE, START + over + 1).entries.map(({ id }) => id)).toEqual(['e', 'n']);
  });

  test('a policy that was rolled back stays open while its id is published', () => {
    const failed = recordPublication(published([ENFORCE, 0]), policy('b', 'enforce', 90), at(1));
    const back = confirmLive(recordPublication(failed, ENFORCE, at(1)), at(1));
    expect(back.entries.map(({ id, replacedAt: until }) => [id, until])).toEqual([['e', at(1)], ['b', undefined], ['e', undefined]]);
    const withdrawn = confirmLive(recordPublication(back, NONE, at(10)), at(10));
    expect(earliestRemoval(withdrawn)).toBe(isoTime(cacheEnd(90 * DAY, at(10))));
  });
});

test('an entry has the ids that resolvers may return when it is added: the current ones, and those of the last hour', () => {
  const soon = CACHE_MARGIN_MS / (DAY * 1000);
  const under = (day: number): unknown => published([ENFORCE, 0], [TESTING, 1], [NONE, day]).entries.at(-1)?.announcedIds;
  expect(under(1 + soon)).toEqual(['e', 't']);
  expect(under(1 + 2 * soon)).toEqual(['t']);
});

describe('the earliest removal', () => {
  test('no earliest removal exists while a policy in mode enforce or testing is published', () => {
    expect(earliestRemoval(published([ENFORCE, 0]))).toBe('not while enforce is published; publish none first');
    expect(earliestRemoval(published([ENFORCE, 0], [TESTING, 1]))).toBe('not while testing is published; publish none first');
  });

  test('the earliest removal is the end of the longest max_age published, and an hour for the TTL of the record', () => {
    expect(CACHE_MARGIN_MS).toBe(3_600_000);
    expect(earliestRemoval(published([ENFORCE, 0], [TESTING, 10], [NONE, 20]))).toBe('2027-02-10T01:00:00Z');
    expect(earliestRemoval(published([ENFORCE, 0], [TESTING, 10], [NONE, 50]))).toBe('2027-02-21T01:00:00Z');
  });

  test('the earliest removal is at once when only policies in mode none were published', () => {
    expect(earliestRemoval(published([NONE, 0]))).toBe('2027-01-01T00:00:00Z');
  });

  test('the earliest removal counts from now for a policy that the record still publishes', () => {
    const history = published([ENFORCE, 0], [TESTING, 1]);
    const removal = (publishedRecord?: string): string => {
      return earliestRemoval(confirmLive(recordPublication(history, NONE, at(50), publishedRecord), at(50)));
    };
    expect(removal()).toBe('2027-02-21T01:00:00Z');
    expect(removal('t')).toBe('2027-02-21T01:00:00Z');
    expect(removal('e')).toBe('2027-03-22T01:00:00Z');
    // What was fetched under that id as well.
    expect(removal('unknown')).toBe('2027-02-21T01:00:00Z');
  });

  test('the earliest removal is conditional while senders may hold a policy that something else published', () => {
    const begun = { entries: [], startedAt: at(0) };
    const removal = (day: number): string => earliestRemoval(confirmLive(recordPublication(begun, NONE, at(day)), at(day)));
    expect(removal(3)).toBe('2027-01-04T00:00:00Z, if nothing published a policy for the domain before 2027-01-01T00:00:00Z');
    expect(removal(400)).toBe('2028-02-05T00:00:00Z');
  });

  test('no earliest removal exists before the policy in mode none was seen live', () => {
    expect(earliestRemoval(recordPublication(published([ENFORCE, 0]), NONE, at(1)))).toBe('not known: the policy none was not confirmed live; deploy again');
  });

  test('no earliest removal exists while senders may hold a policy under the id that is published again', () => {
    expect(earliestRemoval(published([NONE, 0], [ENFORCE, 1], [NONE, 2])))
      .toBe('not known after a rollback: the record may have kept its id, and senders may hold the enforce policy e under it; known after the next publication');
    // By then all that was fetched under the old id is over.
    expect(earliestRemoval(published([NONE, 0], [ENFORCE, 1], [NONE, 40]))).toBe('2027-03-12T01:00:00Z');
  });

  test('the earliest removal is unknown for a year after a publication history was lost', () => {
    const history = confirmLive(recordPublication(restarted('was damaged', at(0)), NONE, at(0)), at(0));
    expect(earliestRemoval(history))
      .toBe('not known: the publication history was damaged and was started again at 2027-01-01T00:00:00Z; at 2028-01-01T07:00:00Z at the latest');
    expect(earliestRemoval(recordPublication(history, NONE, at(366)))).toBe('2027-01-01T00:00:00Z');
  });
});

describe('mail that may be refused', () => {
  test('an MX conflict is a mail host that an earlier enforce policy does not cover, while senders may hold that policy', () => {
    const history = published([ENFORCE, 0], [policy('both', 'enforce', 10, ['mx1.example.com', 'mx2.example.com']), 5]);
    expect(uncoveredByCachedPolicies(history, ['mx1.example.com', 'mx2.example.com'], at(6))).toEqual([
      { id: 'e', maxAge: 30 * DAY, publishedAt: START, hosts: ['mx2.example.com'], cachedUntil: cacheEnd(30 * DAY, at(5)) },
    ]);
    expect(uncoveredByCachedPolicies(history, ['mx2.example.com'], cacheEnd(30 * DAY, at(5)) + 1)).toEqual([]);
  });

  test('a policy in mode testing causes no MX conflict', () => {
    expect(uncoveredByCachedPolicies(published([TESTING, 0]), ['mx9.example.com'], at(0))).toEqual([]);
  });

  test('an MX conflict of a policy that was published twice is reported once, until the later end', () => {
    const history = published([ENFORCE, 0], [TESTING, 40], [ENFORCE, 41], [TESTING, 80]);
    expect(uncoveredByCachedPolicies(history, ['mx9.example.com'], at(81))).toMatchObject([{ id: 'e', cachedUntil: cacheEnd(30 * DAY, at(80)) }]);
    expect(uncoveredByCachedPolicies(published([ENFORCE, 0], [TESTING, 40], [ENFORCE, 41]), ['mx9.example.com'], at(42))).toEqual([
      { id: 'e', maxAge: 30 * DAY, publishedAt: START, hosts: ['mx9.example.com'] },
    ]);
  });

  test('an MX conflict is described by its hosts, its end, its policy and the date of that policy', () => {
    const refusal = { id: 'e', maxAge: 30 * DAY, publishedAt: START, hosts: ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.example.com`) };
    expect(mxConflictText({ ...refusal, cachedUntil: at(33) })).toBe('mail to a.example.com, b.example.com, c.example.com and 2 more may be refused until '
      + '2027-02-03T00:00:00Z: the enforce policy e, published 2027-01-01T00:00:00Z, does not cover these hosts, and senders may hold this policy for 30 days '
      + '(RFC 8461 section 5)');
    expect(mxConflictText({ ...refusal, hosts: ['a.example.com'] })).toMatch(/^mail to a\.example\.com may be refused as long as the published policy stays, and for 30 days after that: /);
  });

  test.each([[1, '1 second'], [90, '90 seconds'], [7_200, '2 hours'], [86_400, '1 day'], [0, '0 seconds']])('a max_age of %s seconds is written as %s', (seconds, text) => {
    expect(formatAge(seconds)).toBe(text);
  });
});

describe('the text in the bucket', () => {
  const history: History = {
    ...published([ENFORCE, 0], [policy('w', 'enforce', 3, ['*.example.com', '*.Example.net']), 1.5], [NONE, 2]),
    gap: { restartedAt: at(0), reason: 'was larger than 2097152 bytes' },
  };

  test('a publication history is read back as it was written', () => {
    const reading = parseHistory(Buffer.from(renderHistory(history, at(3))));
    expect(reading).toEqual({ history: history });
  });

  const STORED = [
    '{"version":1,"begun":"2026-11-01T09:59:59.000Z","lastId":"20261102T11000018f6e5d4c3b2a100",'
    + '"gap":{"at":"2026-11-01T10:00:02.000Z","why":"missed a publication"},"entries":[',
    '{"id":"20251001T000000","mode":"testing","maxAge":86400,"mx":["mx0.example.com"],"from":"2026-11-01T10:00:00.000Z",'
    + '"live":"2026-11-01T10:00:01.500Z","until":"2026-11-01T11:01:00.000Z","under":[]},',
    '{"id":"20261101T110000a1b2c3d4e5f60718","hash":"a1b2c3d4e5f60718","request":"request-1","mode":"enforce","maxAge":604800,'
    + '"mx":["mx1.example.com","*.example.net"],"from":"2026-11-01T11:00:00.000Z","live":"2026-11-01T11:01:00.000Z","under":["20251001T000000"]},',
    '{"id":"20261102T11000018f6e5d4c3b2a100","hash":"18f6e5d4c3b2a100","request":"request-2","mode":"none","maxAge":86400,"mx":[],'
    + '"from":"2026-11-02T10:00:00.000Z","under":["20261101T110000a1b2c3d4e5f60718"]}',
    ']}\n',
  ].join('\n');

  test('a publication history that release 0.1 stored is read with every value', () => {
    expect(parseHistory(Buffer.from(STORED))).toEqual({ history: {
      startedAt: Date.parse('2026-11-01T09:59:59Z'),
      lastId: '20261102T11000018f6e5d4c3b2a100',
      gap: { restartedAt: Date.parse('2026-11-01T10:00:02Z'), reason: 'missed a publication' },
      entries: [
        {
          id: '20251001T000000', mode: 'testing', maxAge: 86_400, mx: ['mx0.example.com'], announcedIds: [],
          publishedAt: Date.parse('2026-11-01T10:00:00Z'), confirmedLiveAt: Date.parse('2026-11-01T10:00:01.500Z'), replacedAt: Date.parse('2026-11-01T11:01:00Z'),
        },
        {
          id: '20261101T110000a1b2c3d4e5f60718', hash: 'a1b2c3d4e5f60718', requestId: 'request-1', mode: 'enforce', maxAge: 604_800,
          mx: ['mx1.example.com', '*.example.net'], announcedIds: ['20251001T000000'],
          publishedAt: Date.parse('2026-11-01T11:00:00Z'), confirmedLiveAt: Date.parse('2026-11-01T11:01:00Z'),
        },
        {
          id: '20261102T11000018f6e5d4c3b2a100', hash: '18f6e5d4c3b2a100', requestId: 'request-2', mode: 'none', maxAge: 86_400, mx: [],
          announcedIds: ['20261101T110000a1b2c3d4e5f60718'], publishedAt: Date.parse('2026-11-02T10:00:00Z'),
        },
      ],
    } });
  });

  test('a publication history is stored with the names that earlier code gave, byte for byte', () => {
    const [first, second] = ['20261101T110000a1b2c3d4e5f60718', '20261102T11000018f6e5d4c3b2a100'];
    const start = Date.parse('2026-11-01T10:00:00Z');
    const initial: PublishedVersion = { id: '20251001T000000', mode: 'testing', maxAge: 86_400, mx: ['mx0.example.com'] };
    const begun = confirmLive(recordPublication({ entries: [], startedAt: start - 1000 }, initial, start), start + 1500);
    const gapped = { ...begun, gap: { restartedAt: start + 2000, reason: 'missed a publication' } };
    const enforced = confirmLive(recordPublication(gapped, {
      id: first, hash: 'a1b2c3d4e5f60718', requestId: 'request-1', mode: 'enforce', maxAge: 604_800, mx: ['mx1.example.com', '*.example.net'],
    }, start + 3_600_000), start + 3_660_000);
    const withdrawn = recordPublication(enforced, {
      id: second, hash: '18f6e5d4c3b2a100', requestId: 'request-2', mode: 'none', maxAge: 86_400, mx: [],
    }, start + 86_400_000, first);
    expect(renderHistory(withdrawn, start + 86_400_000)).toBe(STORED);
  });

  test('a stored publication history has times in ISO 8601, and its format version', () => {
    expect(JSON.parse(renderHistory(published([ENFORCE, 0]), at(0)))).toEqual({
      version: 1,
      entries: [{ ...ENFORCE, from: '2027-01-01T00:00:00.000Z', live: '2027-01-01T00:00:00.000Z', under: [] }],
    });
  });

  const entry = { ...ENFORCE, from: '2027-01-01T00:00:00.000Z', under: [] };
  test.each<[string, unknown, string]>([
    ['nothing', '', 'was damaged'],
    ['half of it', '{"version":1', 'was damaged'],
    ['a list', [], 'was damaged'],
    ['no version', { entries: [] }, 'was damaged'],
    ['a version of a text', { version: '2', entries: [] }, 'was damaged'],
    ['a later version', { version: 2, entries: 'other' }, 'was of a later version (2)'],
    ['no entries', { version: 1 }, 'was damaged'],
    ['an entry that is a text', { version: 1, entries: ['x'] }, 'was damaged'],
    ['an id that is none', { version: 1, entries: [{ ...entry, id: 'a"b' }] }, 'was damaged'],
    ['a mode that is none', { version: 1, entries: [{ ...entry, mode: 'enforced' }] }, 'was damaged'],
    ['an age below zero', { version: 1, entries: [{ ...entry, maxAge: -1 }] }, 'was damaged'],
    ['an age that is a text', { version: 1, entries: [{ ...entry, maxAge: '1' }] }, 'was damaged'],
    ['an invalid pattern', { version: 1, entries: [{ ...entry, mx: ['a b'] }] }, 'was damaged'],
    ['no time', { version: 1, entries: [{ ...entry, from: undefined }] }, 'was damaged'],
    ['an invalid time', { version: 1, entries: [{ ...entry, live: '2027-13-01T00:00:00Z' }] }, 'was damaged'],
    ['no ids', { version: 1, entries: [{ ...entry, under: undefined }] }, 'was damaged'],
    ['a closed last entry', { version: 1, entries: [{ ...entry, until: '2027-01-02T00:00:00.000Z' }] }, 'was damaged'],
    ['a gap without a reason', { version: 1, entries: [], gap: { at: '2027-01-02T00:00:00.000Z', why: '"' } }, 'was damaged'],
    ['a gap that is a text', { version: 1, entries: [], gap: 'x' }, 'was damaged'],
    ['more bytes than the limit', 'x'.repeat(MAX_HISTORY_BYTES + 1), 'was larger than 2097152 bytes'],
  ])('a stored publication history with %s is refused', (_, value, fault) => {
    expect(parseHistory(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))).toEqual({ problem: fault });
  });

  test('a publication history is bounded: it drops the policies that senders drop first, and notes that it did', () => {
    const mx = Array.from({ length: 15_000 }, (_, i) => `host-${i}.in.a.domain.of.some.length.example.com`);
    const many = [40, 30, 20, 10].map((days, index) => [policy(`p${index}`, 'enforce', days, mx), index / 100] as const);
    const text = renderHistory(published(...many), at(1));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_HISTORY_BYTES);
    expect(parseHistory(Buffer.from(text))).toMatchObject({ history: { entries: [{ id: 'p0' }, { id: 'p3' }], gap: { restartedAt: at(1), reason: 'grew too large' } } });
  });

  test('a publication history has room for 200 publications in an hour, each with the ids before it', () => {
    const many = Array.from({ length: 200 }, (_, index) => [policy(String(index).padStart(32, 'p'), 'enforce', 30), index / 24 / 240] as const);
    const { entries, gap } = published(...many);
    expect(entries.at(-1)?.announcedIds).toHaveLength(199);
    expect(parseHistory(Buffer.from(renderHistory({ entries }, at(1))))).toEqual({ history: { entries } });
    expect(gap).toBeUndefined();
  });

  test('the publication history is stored beside the policy file of its domain', () => {
    expect(historyLocation({ bucket: BUCKET, key: KEY })).toEqual({ bucket: BUCKET, key: HISTORY_KEY });
    for (const key of ['mta-sts.example.com', 'other.example.com/x', '/x']) expect(historyLocation({ bucket: BUCKET, key })).toBeUndefined();
  });
});

test('an attribute is plain text of at most 600 bytes that needs no escape in JSON', () => {
  for (const text of ['a "b" \\ c\n\u00a7\u{1f600}', '"'.repeat(5000), '\u0000'.repeat(5000)]) {
    const plain = outputText(text);
    expect(plain).toMatch(/^[ !#-[\]-~]*$/);
    expect(plain.length).toBeLessThanOrEqual(600);
  }
});
