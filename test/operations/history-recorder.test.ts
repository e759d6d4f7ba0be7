// The publication history: written in the right order. A problem with it never stops a publication.
import { ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import type { Policy } from '../../lib/protocol/policy/policy';
import { policyHash } from '../../lib/protocol/policy/id';
import { policyLines, policyText } from '../../lib/contract/custom-resources';
import { plainDns, serving } from '../support/plain-services';
import {
  BUCKET, HISTORY_KEY, KEY, OBJECT_URL, POLICY, awsError, createEvent, deleteEvent, failure, lambdaContext, publicationProperties,
  testServices,
  updateEvent,
} from '../support/deployment';
import type { Event, TestServices } from '../support/deployment';

const TYPE = 'Custom::MtaStsPublication';
const HISTORY_OBJECT = `${BUCKET}/${HISTORY_KEY}`;
const DAY = 86_400_000;
const ENFORCE = propertiesOf(POLICY);
const OTHER = propertiesOf({ ...POLICY, mx: ['mx1.example.com', 'mx3.example.com'] });
const NONE = propertiesOf({ ...POLICY, mode: 'none', maxAge: 86_400 });
const NOT_NONE = 'not while enforce is published; publish none first';

function propertiesOf(policy: Policy): Event {
  const text = renderPolicy(policy);
  return publicationProperties({ Policy: policyLines(text), PolicyHash: policyHash(text) });
}

/** The file of such properties. */
function fileOf({ Policy: lines }: Event): string {
  return Array.isArray(lines) ? policyText(lines.map(String)) : '';
}

interface Domain extends TestServices {
  mx: readonly string[];
  /** Whether the edge serves what was put. */
  live: boolean;
}

function domain(): Domain {
  const made: Domain = {
    ...testServices({ stackStatus: 'UPDATE_IN_PROGRESS' }, {
      resolver: plainDns(() => made.mx),
      fetchPolicy: async () => Promise.resolve(serving(made.live ? made.objects.get(`${BUCKET}/${KEY}`) : undefined)),
    }),
    mx: ['mx1.example.com'],
    live: true,
  };
  return made;
}

async function handle(made: Domain, event: Event): Promise<Readonly<Record<string, string>> | undefined> {
  return (await createHandler(made.services)(event, lambdaContext())).Data;
}

async function create(made: Domain, properties = ENFORCE): Promise<Readonly<Record<string, string>> | undefined> {
  return handle(made, createEvent(TYPE, properties));
}

async function update(made: Domain, properties: Event, before: Event): Promise<Readonly<Record<string, string>> | undefined> {
  return handle(made, updateEvent(TYPE, OBJECT_URL, properties, before));
}

interface Written {
  readonly id: string;
  readonly hash: string;
  readonly from: string;
  readonly live?: string;
  readonly until?: string;
}

function entries(made: Domain): readonly Written[] {
  return (JSON.parse(made.objects.get(HISTORY_OBJECT) ?? '{"entries":[]}') as { entries: Written[] }).entries;
}

function warnings(made: Domain): readonly string[] {
  return made.log.filter(({ level }) => level === 'WARN').map(({ message }) => message);
}

describe('in order', () => {
  test('a policy is recorded before its file is written, and the older one is closed after the new one was seen live', async () => {
    const made = domain();
    await create(made);
    const seen: unknown[] = [];
    made.aws.s3.on(PutObjectCommand, { Key: KEY }).callsFake(() => {
      seen.push(entries(made).map(({ live, until }) => [live !== undefined, until !== undefined]));
      made.objects.set(`${BUCKET}/${KEY}`, fileOf(OTHER));
      return {};
    });
    await update(made, OTHER, ENFORCE);
    expect(seen).toEqual([[[true, false], [false, false]]]);
    expect(entries(made).map(({ live, until }) => [live !== undefined, until !== undefined])).toEqual([[true, true], [true, false]]);
  });

  test('the publication history is stored as JSON, and is not written when nothing has changed', async () => {
    const made = domain();
    await create(made);
    const puts = (): readonly unknown[] => {
      return made.aws.s3.commandCalls(PutObjectCommand, { Key: HISTORY_KEY }).map(({ args }) => args[0].input);
    };
    expect(puts()).toHaveLength(2);
    expect(puts()[0]).toMatchObject({ Bucket: BUCKET, ContentType: 'application/json', CacheControl: 'no-store' });
    await update(made, ENFORCE, ENFORCE);
    expect(puts()).toHaveLength(2);
  });

  test('a repeated event adds one entry to the publication history, even when both run at once', async () => {
    const made = domain();
    await create(made);
    await Promise.all([update(made, OTHER, ENFORCE), update(made, OTHER, ENFORCE)]);
    await made.clock.sleep(DAY);
    await update(made, OTHER, ENFORCE);
    expect(entries(made).map(({ hash }) => hash)).toEqual([ENFORCE.PolicyHash, OTHER.PolicyHash]);
  });

  test('the earliest removal is a month and an hour after the policy in mode enforce was last seen', async () => {
    const made = domain();
    expect(await create(made)).toMatchObject({ EarliestRemoval: NOT_NONE, Warnings: 'none' });
    await made.clock.sleep(100 * DAY);
    const answer = await update(made, NONE, ENFORCE);
    const until = entries(made).at(0)?.until ?? '';
    const [moment = '', condition = ''] = (answer?.EarliestRemoval ?? '').split(', if nothing published a policy for the domain before ');
    expect(Date.parse(moment)).toBe(Math.ceil((Date.parse(until) + 30 * DAY + 3_600_000) / 1000) * 1000);
    expect(Math.abs(Date.parse(condition) - Date.parse(until))).toBeLessThan(101 * DAY);
  });

  test('the earliest removal is unknown for a year when something else published a policy before', async () => {
    const made = domain();
    const before = new Date(Math.ceil(made.clock.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z');
    expect((await create(made, NONE))?.EarliestRemoval).toMatch(new RegExp(`Z, if nothing published a policy for the domain before ${before}$`));
    await made.clock.sleep(370 * DAY);
    expect((await update(made, propertiesOf({ ...POLICY, mode: 'none', maxAge: 60 }), NONE))?.EarliestRemoval).toMatch(/Z$/);
  });

  test('senders may hold the policy that an unchanged record publishes, however long ago its file was removed', async () => {
    const made = domain();
    await create(made);
    await update(made, OTHER, ENFORCE);
    await made.clock.sleep(40 * DAY);
    made.aws.route53.on(ListResourceRecordSetsCommand).resolves({ ResourceRecordSets: [
      { Name: '_mta-sts.example.com.', Type: 'TXT', ResourceRecords: [{ Value: `"v=STSv1; id=${entries(made).at(0)?.id};"` }] },
    ] });
    const answer = await update(made, NONE, OTHER);
    const last = Date.parse(entries(made).at(-1)?.from ?? '');
    expect(Date.parse((answer?.EarliestRemoval ?? '').slice(0, 20))).toBeGreaterThan(last + 30 * DAY);
  });

  test('a record that cannot be read changes nothing in the publication history', async () => {
    const made = domain();
    await create(made);
    made.aws.route53.on(ListResourceRecordSetsCommand).rejects(awsError('InternalError', 'x'));
    expect((await update(made, OTHER, ENFORCE))?.Warnings).toBe('none');
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: 'could not read the id in the _mta-sts record' }));
  });

  test('a failed update leaves its entry open, and its rollback adds an entry', async () => {
    const made = domain();
    await create(made);
    made.live = false;
    await failure(update(made, OTHER, ENFORCE));
    expect(entries(made).map(({ hash, live, until }) => [hash, live !== undefined, until])).toEqual([
      [ENFORCE.PolicyHash, true, undefined], [OTHER.PolicyHash, false, undefined],
    ]);
    made.live = true;
    await update(made, ENFORCE, OTHER);
    expect(entries(made).map(({ hash, until }) => [hash, until !== undefined])).toEqual([
      [ENFORCE.PolicyHash, true], [OTHER.PolicyHash, true], [ENFORCE.PolicyHash, false],
    ]);
  });

  test('a rollback that ignores a failure has all attributes', async () => {
    const made = domain();
    await create(made);
    made.live = false;
    made.state.stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';
    expect(await update(made, NONE, ENFORCE)).toEqual({
      PolicyUrl: 'https://mta-sts.example.com/.well-known/mta-sts.txt',
      PolicyId: expect.stringMatching(/^\d{8}T\d{6}[0-9a-f]{16}$/),
      EarliestRemoval: 'not known: the policy none was not confirmed live; deploy again',
      Warnings: 'none',
    });
  });

  test('a new bucket takes over the publication history, and the old bucket keeps nothing', async () => {
    const made = domain();
    await create(made);
    const otherBucket = { ...ENFORCE, BucketName: 'before' };
    made.objects.set(`before/${HISTORY_KEY}`, (made.objects.get(HISTORY_OBJECT) ?? '').replaceAll(String(ENFORCE.PolicyHash), 'abc0abc0abc0abc0'));
    made.objects.delete(HISTORY_OBJECT);
    await handle(made, updateEvent(TYPE, `s3://before/${KEY}`, NONE, { ...otherBucket, Policy: 'of another form' }));
    expect(entries(made).map(({ hash }) => hash)).toEqual(['abc0abc0abc0abc0', NONE.PolicyHash]);
    await handle(made, deleteEvent(TYPE, `s3://before/${KEY}`, otherBucket));
    expect([...made.objects.keys()].filter((name) => name.startsWith('before/'))).toEqual([]);
  });

  test('a failed create and a delete leave nothing in the bucket', async () => {
    const made = domain();
    made.live = false;
    await failure(create(made));
    expect([...made.objects.keys()]).toEqual([]);
    made.live = true;
    await create(made);
    expect([...made.objects.keys()].sort()).toEqual([HISTORY_OBJECT, `${BUCKET}/${KEY}`]);
    await handle(made, deleteEvent(TYPE, OBJECT_URL, {}));
    expect([...made.objects.keys()]).toEqual([]);
  });
});

describe('a warning', () => {
  test('an MX conflict is logged before the file is written, is in the attribute, and fails nothing', async () => {
    const made = domain();
    await create(made);
    made.mx = ['mx1.example.com', 'mx3.example.com'];
    const answer = await update(made, OTHER, ENFORCE);
    const lines = made.log.map(({ message }) => message);
    const [raised, again] = lines.filter((message) => message.startsWith('mail may be refused'));
    expect(raised).toMatch(new RegExp('^mail may be refused: mail to mx3\\.example\\.com may be refused as long as the published policy stays, and for '
      + `30 days after that: the enforce policy \\d{8}T\\d{6}${String(ENFORCE.PolicyHash)}, published 20`));
    expect(lines.indexOf(raised ?? '')).toBeLessThan(lines.lastIndexOf('wrote the policy file'));
    expect(again).toBe(`mail may be refused: ${answer?.Warnings}`);
    expect(answer?.Warnings).toMatch(/^mail to mx3\.example\.com may be refused until 20\S+Z: the enforce policy /);
  });

  test('no MX conflict is reported once senders have dropped the old policy', async () => {
    const made = domain();
    await create(made);
    await update(made, OTHER, ENFORCE);
    await made.clock.sleep(31 * DAY);
    made.mx = ['mx3.example.com'];
    expect(await update(made, OTHER, OTHER)).toMatchObject({ Warnings: 'none' });
    expect(warnings(made)).toEqual([]);
  });

  test('an MX conflict waits for DNS for ten seconds, and is skipped without an answer', async () => {
    const made = domain();
    const { query } = made.services.resolver;
    const services = { ...made.services, resolver: { ...made.services.resolver, query: ((name, type, server) => {
      return type === 'MX' ? Promise.resolve({ status: 'failed', reason: 'SERVFAIL', server: 'x', cnames: [] }) : query(name, type, server);
    }) satisfies typeof query } };
    expect(await handle({ ...made, services: services }, createEvent(TYPE, ENFORCE))).toMatchObject({
      EarliestRemoval: NOT_NONE, Warnings: 'not known: DNS returned no MX hosts of example.com',
    });
    expect(made.clock.slept.reduce((sum, pause) => sum + pause, 0)).toBe(10_000);
    expect(warnings(made)).toContain('could not look up the MX hosts, so the publication does not check whether older policies cover them');
  });
});

describe('an odd publication history', () => {
  test.each<[string, string | undefined, string]>([
    ['is missing on an update', undefined, 'was missing'],
    ['is damaged', '{"version":1,"entries":[{}]}', 'was damaged'],
    ['is empty', '', 'was damaged'],
    ['is of a later version', '{"version":7,"entries":[]}', 'was of a later version (7)'],
    ['is too large', 'x'.repeat(2_097_153), 'was larger than 2097152 bytes'],
  ])('a publication history that %s restarts with the policy published before, which the log and the answer say', async (_, text, why) => {
    const made = domain();
    await create(made);
    if (text === undefined) made.objects.delete(HISTORY_OBJECT);
    else made.objects.set(HISTORY_OBJECT, text);
    const answer = await update(made, NONE, ENFORCE);
    expect(answer?.EarliestRemoval).toMatch(/^not known: the publication history .* and was started again at 20\S+Z; at 20\S+Z at the latest$/);
    expect(answer?.EarliestRemoval).toContain(`the publication history ${why} and`);
    expect(answer?.Warnings).toMatch(/^none known; the publication history was /);
    const ended = entries(made).map(({ hash, until }) => [hash, until !== undefined]);
    expect(ended).toEqual([[ENFORCE.PolicyHash, true], [NONE.PolicyHash, false]]);
    expect(warnings(made)).toContain(`the publication history ${why}; starting it again`);
  });

  test.each([
    ['AccessDenied', 10_000],
    ['InternalError', 0],
  ])('a publication history that cannot be read for %s is left unchanged after %s ms, and no date is given', async (name, milliseconds) => {
    const made = domain();
    await create(made);
    const before = made.objects.get(HISTORY_OBJECT);
    made.aws.s3.on(ListObjectsV2Command).rejects(awsError(name, 'for a reason'));
    const answer = await update(made, NONE, ENFORCE);
    // Once more in the end, in case a right has come by then.
    expect(made.clock.slept.reduce((sum, pause) => sum + pause, 0)).toBe(2 * milliseconds);
    expect(made.objects.get(HISTORY_OBJECT)).toBe(before);
    expect(made.objects.get(`${BUCKET}/${KEY}`)).toBe(fileOf(NONE));
    expect(answer?.EarliestRemoval).toMatch(new RegExp(`^not known: the publication history could not be read: s3:ListBucket failed: ${name}: for a reason`));
    expect(answer?.Warnings).toBe('not known: the publication history is missing');
    expect(warnings(made)).toContain('could not read the publication history; the publication continues without it');
  });

  test('a publication history that missed a publication is continued, and says that dates are unknown', async () => {
    const made = domain();
    await create(made);
    const answer = await update(made, NONE, OTHER);
    expect(entries(made).map(({ hash }) => hash)).toEqual([ENFORCE.PolicyHash, OTHER.PolicyHash, NONE.PolicyHash]);
    expect(answer?.EarliestRemoval).toMatch(/^not known: the publication history missed a publication and was started again/);
  });

  test('a publication history that becomes readable after the file was written is kept from then on', async () => {
    const made = domain();
    made.aws.s3.on(GetObjectCommand).rejects(awsError('InternalError', 'x'));
    made.aws.s3.on(ListObjectsV2Command).rejectsOnce(awsError('InternalError', 'x')).resolves({ Contents: [] });
    expect(await create(made)).toMatchObject({ EarliestRemoval: NOT_NONE });
    expect(entries(made).map(({ hash, live }) => [hash, live !== undefined])).toEqual([[ENFORCE.PolicyHash, true]]);
  });

  test('a publication history that vanishes after it was listed counts as missing', async () => {
    const made = domain();
    made.aws.s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: HISTORY_KEY, Size: 10 }] });
    expect(await create(made)).toMatchObject({ EarliestRemoval: NOT_NONE, Warnings: 'none' });
  });

  test('a publication history that cannot be written does not stop the publication, and no date is given', async () => {
    const made = domain();
    await create(made);
    made.aws.s3.on(PutObjectCommand, { Key: HISTORY_KEY }).rejects(awsError('SlowDown', 'less'));
    const answer = await update(made, NONE, ENFORCE);
    expect(answer?.EarliestRemoval).toBe('not known: the publication history could not be written: s3:PutObject failed: SlowDown: less');
    expect(made.objects.get(`${BUCKET}/${KEY}`)).toBe(fileOf(NONE));
    expect(warnings(made)).toContain('could not write the publication history; the publication continues without it');
  });

  test('a publication without a place for its history says so', async () => {
    const made = domain();
    const services = { ...made.services, fetchPolicy: async () => Promise.resolve(serving(fileOf(ENFORCE))) };
    expect(await handle({ ...made, services: services }, createEvent(TYPE, { ...ENFORCE, ObjectKey: 'odd' }))).toMatchObject({
      EarliestRemoval: 'not known: the publication history has no place, since the key of the policy file names no domain',
    });
  });
});

test('an answer fits the 4,096 bytes that CloudFormation accepts, whatever it contains', async () => {
  const made = domain();
  made.mx = Array.from({ length: 40 }, (_, i) => `${'"\\'.repeat(20)}${i}.${'x'.repeat(60)}.example.net`);
  await create(made);
  const answer = await createHandler(made.services)(updateEvent(TYPE, OBJECT_URL, OTHER, ENFORCE), lambdaContext());
  expect(answer.Data?.Warnings).toHaveLength(600);
  expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(2_000);
});
