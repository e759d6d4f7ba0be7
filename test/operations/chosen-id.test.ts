// The id of a publication when the publication history or an older release has an id under which senders may hold other bytes.
import { describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import { unusedId } from '../../lib/operations/history/history';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import { policyHash, policyId } from '../../lib/protocol/policy/id';
import { policyLines } from '../../lib/contract/custom-resources';
import { plainDns, serving } from '../support/plain-services';
import {
  BUCKET, KEY, HISTORY_KEY, NAMES_POLICY, OBJECT_URL, POLICY, POLICY_TEXT, createEvent, lambdaContext, publicationProperties, testServices,
  updateEvent,
} from '../support/deployment';
import type { Event, TestServices } from '../support/deployment';

const TYPE = 'Custom::MtaStsPublication';
const HASH = policyHash(POLICY_TEXT);
const OLD_ID = policyId(POLICY_TEXT);
const TODAY = publicationProperties();
/** As the releases before 0.2 wrote it: the id is in the template, and the TXT record has it as a text. */
const BEFORE = publicationProperties({ PolicyHash: undefined, PolicyId: OLD_ID });
const OTHER_TEXT = renderPolicy({ ...POLICY, mx: ['mx1.example.com'] });
const OTHER = publicationProperties({ Policy: policyLines(OTHER_TEXT), PolicyHash: policyHash(OTHER_TEXT) });

function domain(): TestServices {
  const made: TestServices = testServices({}, {
    resolver: plainDns(() => ['mx1.example.com']),
    fetchPolicy: async () => Promise.resolve(serving(made.objects.get(`${BUCKET}/${KEY}`))),
  });
  return made;
}

async function id({ services }: TestServices, event: Event): Promise<string | undefined> {
  return (await createHandler(services)(event, lambdaContext())).Data?.PolicyId;
}

describe('after an update of the package', () => {
  test('an update of the package keeps the id that the earlier release gave the same bytes', async () => {
    const made = domain();
    expect(await id(made, createEvent(TYPE, BEFORE, { RequestId: 'create' }))).toBe(OLD_ID);
    expect(await id(made, updateEvent(TYPE, OBJECT_URL, TODAY, BEFORE, { RequestId: 'update' }))).toBe(OLD_ID);
  });

  test('bytes that were rolled back get a new id, because senders may hold other bytes under the old one', async () => {
    const made = domain();
    await id(made, createEvent(TYPE, BEFORE, { RequestId: 'create' }));
    await id(made, updateEvent(TYPE, OBJECT_URL, OTHER, BEFORE, { RequestId: 'update' }));
    expect(await id(made, updateEvent(TYPE, OBJECT_URL, BEFORE, OTHER, { RequestId: 'rollback' }))).toBe(OLD_ID);
    const next = await id(made, updateEvent(TYPE, OBJECT_URL, TODAY, BEFORE, { RequestId: 'next' }));
    expect(next).toMatch(NAMES_POLICY);
    // From then on it stays.
    expect(await id(made, updateEvent(TYPE, OBJECT_URL, TODAY, TODAY, { RequestId: 'last' }))).toBe(next);
  });
});

describe('an id of the publication history', () => {
  test.each([
    `20261101T000000${policyHash(OTHER_TEXT)}`, policyId(OTHER_TEXT), 'byhand1',
  ])('an id of the publication history is not kept when it names other bytes, or none: %s', async (named) => {
    const made = domain();
    const entry = { id: named, hash: HASH, ...POLICY, from: '2026-11-01T00:00:00.000Z', live: '2026-11-01T00:00:00.000Z', under: [] };
    made.objects.set(`${BUCKET}/${HISTORY_KEY}`, JSON.stringify({ version: 1, entries: [entry] }));
    expect(await id(made, updateEvent(TYPE, OBJECT_URL, TODAY, TODAY))).toMatch(NAMES_POLICY);
  });
});

test('a publication never chooses an id that the publication history contains, however late it is', () => {
  const first = `99981231T235959${HASH}`;
  const stored = { entries: [{ id: first, ...POLICY, publishedAt: 0, announcedIds: [] }], lastId: `99981231T235958${HASH}` };
  expect(unusedId(stored, HASH, 0)).toBe(`99990101T000000${HASH}`);
});
