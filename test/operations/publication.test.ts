// The publication: written exactly, proved live at every address, taken away when it fails.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { HandlerAnswer } from '../../lib/functions/deployment/handler';
import { policyHash } from '../../lib/protocol/policy/id';
import { policyText } from '../../lib/contract/custom-resources';
import { testAuthority } from '../support/policy-server';
import { Edge, POLICY_HOST } from '../support/policy-edge';
import {
  BUCKET, DOMAIN, KEY, HISTORY_KEY, NAMES_POLICY, NAME_SERVERS, OBJECT_URL, POLICY_TEXT, TestDns, awsError, createEvent, deleteEvent,
  failure, lambdaContext, mx, publicationProperties, record, soa, updateEvent,
} from '../support/deployment';
import type { Event, TestServices } from '../support/deployment';

const TYPE = 'Custom::MtaStsPublication';
const CREATE = createEvent(TYPE, publicationProperties());
const ANSWER = {
  PhysicalResourceId: OBJECT_URL,
  Data: {
    PolicyUrl: 'https://mta-sts.example.com/.well-known/mta-sts.txt',
    PolicyId: expect.stringMatching(NAMES_POLICY),
    EarliestRemoval: 'not while enforce is published; publish none first',
    Warnings: 'none',
  },
};
let edge: Edge;

beforeAll(async () => {
  edge = await Edge.start();
  await testAuthority();
});

afterAll(async () => {
  await edge.close();
});

beforeEach(() => {
  edge.reset();
});

afterEach(async () => {
  await edge.stopServing();
});

async function run(made: TestServices, event: Event = CREATE, remaining?: number): Promise<HandlerAnswer> {
  return createHandler(made.services)(event, lambdaContext(remaining));
}

/** A minute, of which a quarter is kept back, is as good as ten for what never becomes right, and has fewer polls. */
async function refused(made: TestServices, event?: Event): Promise<string> {
  return (await failure(run(made, event, 60_000))).message;
}

function deleted(made: TestServices): readonly unknown[] {
  return made.aws.s3.commandCalls(DeleteObjectCommand).map(({ args }) => args[0].input);
}

describe('what is not live', () => {
  test.each([
    ['wrong-name', /certificate is for other\.example, \*\.other\.example, not for mta-sts\.example\.com/],
    ['untrusted', /certificate is issued by Unknown authority/],
    ['self-signed', /certificate is self-signed/],
    ['expired', /certificate has expired on 2020-01-02/],
    ['redirect', /a redirect \(status 301 to https:\/\/www\.example\/policy\), which senders never follow/],
    ['404', /the answer has status 404, only 200 is a policy/],
    ['500', /the answer has status 500, only 200 is a policy/],
    ['html', /a web page is served in place of the policy \(as `text\/html`, its title is `Welcome`\)/],
    ['html-media-type', /the media type is `text\/html; charset=utf-8`, `text\/plain` is expected/],
    ['no-media-type', /there is no media type, `text\/plain` is expected/],
    ['endless', /the body is larger than 65536 bytes/],
    ['too-large', /the body is larger than 65536 bytes/],
    ['bom', /other bytes: line 1 is "version: STSv1\\x0d\\x0a" \(expected\) and "ï»¿version: STSv1\\x0d\\x0a" \(served\)/],
    ['broken-off', /broken off in the middle of the body/],
    ['reset', /connection reset/],
    ['plain-http', /does not speak TLS/],
  ] as const)('a publication fails on %s, reports what it saw, and deletes the file', async (behaviour, evidence) => {
    await edge.serve({ behaviour });
    const made = await edge.testServices();
    const message = await refused(made);
    expect(message).toMatch(/^policy-not-live: https:\/\/mta-sts\.example\.com\/\.well-known\/mta-sts\.txt did not serve the new policy within 45 s\. Last seen: 127\.0\.0\.11: /);
    expect(message).toMatch(evidence);
    expect(deleted(made)).toEqual([{ Bucket: BUCKET, Key: KEY }, { Bucket: BUCKET, Key: HISTORY_KEY }]);
  });

  test.each([['gzip', gzipSync(POLICY_TEXT)], ['br', brotliCompressSync(POLICY_TEXT)], ['utf-8', Buffer.from(POLICY_TEXT)]])(
    'a publication fails on the right bytes under a content coding (%s), which not every sender decodes', async (coding, body) => {
      await edge.serve({ body, headers: { 'Content-Encoding': coding } });
      const made = await edge.testServices();
      expect(await refused(made)).toContain(`127.0.0.11: the body is sent with Content-Encoding \`${coding}\`, which was not asked for`);
      expect(deleted(made)).toEqual([{ Bucket: BUCKET, Key: KEY }, { Bucket: BUCKET, Key: HISTORY_KEY }]);
    });

  test('a publication fails after ten minutes, although the function could run longer', async () => {
    await edge.serve({ behaviour: '404' });
    const made = await edge.testServices();
    expect((await failure(run(made))).message).toContain('policy-not-live: https://mta-sts.example.com/.well-known/mta-sts.txt did not serve the new policy within 600 s. ');
    expect(made.clock.slept.at(-1)).toBeLessThanOrEqual(15_000);
  });

  test('a publication fails on response headers that arrive too late', async () => {
    await edge.serve({ behaviour: 'late' });
    expect(await refused(await edge.testServices({}, {}, 30))).toContain('127.0.0.11: response headers not there within 30 ms');
  });

  test('a publication fails while one of two addresses does not serve the file', async () => {
    edge.serveZone(record(POLICY_HOST, 'A', '127.0.0.11'), record(POLICY_HOST, 'A', '127.0.0.12'));
    await edge.serve();
    await edge.serve({ address: '127.0.0.12', behaviour: '404' });
    expect(await refused(await edge.testServices())).toContain('Last seen: 127.0.0.12: the answer has status 404, only 200 is a policy. The _mta-sts record was not changed. ');
  });

  test('a failed publication names addresses with the same problem together', async () => {
    edge.serveZone(record(POLICY_HOST, 'A', '127.0.0.11'), record(POLICY_HOST, 'A', '127.0.0.12'));
    await edge.serve({ behaviour: '404' });
    await edge.serve({ address: '127.0.0.12', behaviour: '404' });
    expect(await refused(await edge.testServices())).toContain('Last seen: 127.0.0.11, 127.0.0.12: the answer has status 404, only 200 is a policy. ');
  });

  test('a publication fails while one name server does not have the address', async () => {
    edge.nameServers.at(1)?.serve(soa(DOMAIN));
    await edge.serve();
    expect(await refused(await edge.testServices())).toContain(`Last seen: name server ${NAME_SERVERS[1]}: no A record yet (NXDOMAIN). `);
  });

  test('a publication fails while a name server refuses to answer', async () => {
    const first = edge.nameServers.at(0);
    if (first !== undefined) first.answer = () => ({ rcode: 'REFUSED', answers: [], authorities: [], authoritative: false });
    await edge.serve();
    expect(await refused(await edge.testServices())).toContain(`name server ${NAME_SERVERS[0]}: REFUSED`);
  });

  test('a publication fails while the address of a name server is unknown', async () => {
    edge.recursive.serve(soa('test'), record(NAME_SERVERS.at(0) ?? '', 'A', '127.0.0.2'));
    await edge.serve();
    expect(await refused(await edge.testServices())).toContain(`name server ${NAME_SERVERS[1]}: its own address is not known`);
  });

  test.each([
    ['a line that differs', POLICY_TEXT.replace('mx2', 'mx3'), 'line 4 is "mx: mx2.example.com\\x0d\\x0a" (expected) and "mx: mx3.example.com\\x0d\\x0a" (served)'],
    ['another line end', POLICY_TEXT.replaceAll('\r\n', '\n'), 'line 1 is "version: STSv1\\x0d\\x0a" (expected) and "version: STSv1\\x0a" (served)'],
    ['too short a file', POLICY_TEXT.split('max_age')[0], 'line 5 is "max_age: 2592000\\x0d\\x0a" (expected) and not there (served)'],
    ['too long a file', `${POLICY_TEXT}x: y`, 'line 6 is not there (expected) and "x: y" (served)'],
    ['bytes that are no text', Buffer.from([0xff, 0x1b, 0x0a]), 'and "ÿ\\x1b\\x0a" (served)'],
  ])('a failed publication names the first difference of %s', async (_, body, evidence) => {
    await edge.serve({ body });
    expect(await refused(await edge.testServices())).toContain(evidence);
  });
});

describe('what becomes live', () => {
  test('a publication writes the exact bytes, with media type and without caching', async () => {
    await edge.serve();
    const made = await edge.testServices();
    await expect(run(made)).resolves.toEqual(ANSWER);
    const inputs = made.aws.s3.commandCalls(PutObjectCommand, { Key: KEY }).map(({ args }) => args[0].input);
    expect(inputs.at(0)).toEqual({
      Bucket: BUCKET,
      Key: KEY,
      Body: Buffer.from(POLICY_TEXT),
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'no-store',
      ChecksumAlgorithm: 'SHA256',
    });
    expect(deleted(made)).toEqual([]);
  });

  test('a publication fetches the policy as a sender does', async () => {
    const server = await edge.serve();
    await run(await edge.testServices());
    expect(server.requests).toEqual([expect.objectContaining({
      host: POLICY_HOST, serverName: POLICY_HOST, method: 'GET', path: '/.well-known/mta-sts.txt',
    })]);
  });

  test('a publication never asks a recursive resolver for the policy host', async () => {
    await edge.serve();
    await run(await edge.testServices());
    expect(edge.recursive.asked).toContain(`${NAME_SERVERS[0]} A`);
    expect(edge.recursive.asked.filter((question) => question.includes('mta-sts'))).toEqual([]);
    expect(edge.nameServers.at(0)?.asked).toContain(`${POLICY_HOST} A`);
  });

  test('a publication waits with growing delays until the right bytes are served, and logs each attempt', async () => {
    await edge.serve({ first: { body: 'version: STSv1\r\nmode: none\r\n', requests: 6 } });
    const made = await edge.testServices();
    await expect(run(made)).resolves.toEqual(ANSWER);
    expect(made.clock.slept).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
    const polls = made.log.filter(({ message }) => message === 'the policy file is not live yet');
    expect(polls.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(polls.at(0)?.missing).toEqual([expect.stringContaining('line 2 is "mode: enforce\\x0d\\x0a" (expected) and "mode: none\\x0d\\x0a" (served)')]);
  });

  test('a publication waits until the address of a name server is known', async () => {
    edge.recursive.serve(soa('test'), soa(DOMAIN), mx(DOMAIN, 'mx1.example.com'), record(NAME_SERVERS.at(0) ?? '', 'A', '127.0.0.2'));
    await edge.serve();
    const made = await edge.testServices();
    const sleep = made.clock.sleep.bind(made.clock);
    made.clock.sleep = async (milliseconds) => {
      edge.reset();
      await sleep(milliseconds);
    };
    await expect(run(made)).resolves.toEqual(ANSWER);
    expect(made.clock.slept).toEqual([1000]);
  });

  test('a publication queries a name server at its next address when the first one is silent', async () => {
    edge.recursive.serve(...edge.publicRecords(), record(NAME_SERVERS.at(0) ?? '', 'A', '127.0.0.4'));
    await edge.serve();
    const made = await edge.testServices();
    await expect(run(made)).resolves.toEqual(ANSWER);
    expect(made.clock.slept).toEqual([]);
  });

  test('a publication queries name servers over IPv6 when they have no other address', async () => {
    edge.recursive.serve(soa('test'), soa(DOMAIN), mx(DOMAIN, 'mx1.example.com'), ...NAME_SERVERS.map((name) => record(name, 'AAAA', '::1')));
    const server = await TestDns.start('::1', edge.nameServers.at(0)?.port);
    try {
      server.serve(soa(DOMAIN), record(POLICY_HOST, 'A', '127.0.0.11'));
      await edge.serve();
      await expect(run(await edge.testServices())).resolves.toEqual(ANSWER);
      expect(server.asked).toContain(`${POLICY_HOST} A`);
    } finally {
      await server.close();
    }
  });

  test('a publication only logs that an IPv6 address does not answer', async () => {
    edge.serveZone(record(POLICY_HOST, 'A', '127.0.0.11'), record(POLICY_HOST, 'AAAA', '::1'));
    await edge.serve();
    const made = await edge.testServices();
    await expect(run(made)).resolves.toEqual(ANSWER);
    const entry = made.log.find(({ message }) => message.startsWith('the IPv6 addresses decide nothing'));
    expect(entry?.seen).toEqual([expect.stringMatching(/^::1: (connection refused|no route)/)]);
  });

  test('a publication logs the bytes that an IPv6 address serves', async () => {
    edge.serveZone(record(POLICY_HOST, 'A', '127.0.0.11'), record(POLICY_HOST, 'AAAA', '::1'));
    await edge.serve();
    await edge.serve({ address: '::1' });
    const made = await edge.testServices();
    await run(made);
    expect(made.log.find(({ message }) => message.startsWith('the IPv6 addresses'))?.seen).toEqual(['::1: as intended']);
  });

  test('a repeated event changes nothing, even when both run at once', async () => {
    await edge.serve({ first: { body: 'not yet', requests: 3 } });
    const made = await edge.testServices();
    await expect(Promise.all([run(made), run(made)])).resolves.toEqual([ANSWER, ANSWER]);
    await expect(run(made)).resolves.toEqual(ANSWER);
    const written = made.aws.s3.commandCalls(PutObjectCommand, { Key: KEY }).map(({ args }) => args[0].input);
    expect(written).toHaveLength(3);
    expect(new Set(written.map((input) => JSON.stringify(input)))).toHaveProperty('size', 1);
    expect(deleted(made)).toEqual([]);
  });
});

describe('writing', () => {
  test('a publication refuses a text that does not match the hash in its id, and writes nothing', async () => {
    const made = await edge.testServices();
    const event = createEvent(TYPE, publicationProperties({ PolicyHash: policyHash('other') }));
    expect(await refused(made, event)).toContain(`\`PolicyHash\` must be the hash of \`Policy\`, ${policyHash(POLICY_TEXT)}, got ${policyHash('other')}`);
    expect(made.aws.s3.calls()).toHaveLength(0);
  });

  test('a publication refuses a text that is no policy, and writes nothing', async () => {
    const made = await edge.testServices();
    const Policy = ['version: STSv1', 'mode: enforced', 'mx: mx1.example.com', 'max_age: 86400'];
    const message = await refused(made, createEvent(TYPE, publicationProperties({ Policy, PolicyHash: policyHash(policyText(Policy)) })));
    expect(message).toContain('`Policy` is not a valid policy');
    expect(message).toContain('enforced');
    expect(made.aws.s3.calls()).toHaveLength(0);
  });

  test('a publication retries while a new right to write propagates', async () => {
    await edge.serve();
    const made = await edge.testServices();
    made.aws.s3.on(PutObjectCommand, { Key: KEY })
      .rejectsOnce(awsError('AccessDenied', 'Access Denied')).rejectsOnce(awsError('AccessDenied', 'Access Denied')).resolves({});
    await expect(run(made)).resolves.toEqual(ANSWER);
    expect(made.clock.slept).toEqual([1000, 2000]);
  });

  test.each([
    ['SignatureDoesNotMatch', 'Signature expired: 20261129T130251Z is now earlier than 20261129T130252Z (20261129T130752Z - 5 min.)'],
    ['InvalidSignatureException', 'Signature not yet current: 20261129T131251Z is still later than 20261129T131250Z (20261129T130750Z + 5 min.)'],
    ['RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.'],
  ])('a call that was signed with a wrong clock is repeated, because the answer has corrected the clock: %s', async (code, message) => {
    await edge.serve();
    const made = await edge.testServices();
    made.aws.s3.on(PutObjectCommand, { Key: KEY }).rejectsOnce(awsError(code, message)).resolves({});
    await run(made, createEvent(TYPE, publicationProperties()));
    expect(made.aws.s3.commandCalls(PutObjectCommand, { Key: KEY })).toHaveLength(2);
  });

  test('a call with a wrong signature is not repeated', async () => {
    const made = await edge.testServices();
    made.aws.s3.on(PutObjectCommand, { Key: KEY }).rejects(awsError('SignatureDoesNotMatch', 'The request signature we calculated does not match'));
    expect(await refused(made)).toContain('s3:PutObject failed: SignatureDoesNotMatch');
    expect(made.aws.s3.commandCalls(PutObjectCommand, { Key: KEY })).toHaveLength(1);
  });

  test('a publication fails after a minute without the right to write, names it, and deletes what may have arrived', async () => {
    const made = await edge.testServices();
    made.aws.s3.on(PutObjectCommand, { Key: KEY }).rejects(awsError('AccessDenied', 'Access Denied'));
    const { message } = await failure(run(made));
    expect(message).toContain('aws-access-denied: s3:PutObject failed: AccessDenied: Access Denied. The role of the function must be allowed s3:PutObject');
    expect(made.clock.slept.reduce((sum, pause) => sum + pause, 0)).toBe(60_000);
    expect(deleted(made)).toEqual([{ Bucket: BUCKET, Key: KEY }, { Bucket: BUCKET, Key: HISTORY_KEY }]);
  });

  test('a publication does not repeat a call that the SDK has repeated', async () => {
    const made = await edge.testServices();
    made.aws.s3.on(PutObjectCommand, { Key: KEY }).rejects(awsError('SlowDown', 'Please reduce your request rate.'));
    expect(await refused(made)).toContain('s3:PutObject failed: SlowDown: Please reduce your request rate.');
    expect(made.aws.s3.commandCalls(PutObjectCommand, { Key: KEY })).toHaveLength(1);
  });

  test('a publication fails even during a rollback when it cannot write', async () => {
    const made = await edge.testServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    made.aws.s3.on(PutObjectCommand, { Key: KEY }).rejects(awsError('NoSuchBucket', 'The specified bucket does not exist'));
    expect(await refused(made, updateEvent(TYPE, OBJECT_URL, publicationProperties(), publicationProperties()))).toContain('NoSuchBucket');
    expect(deleted(made)).toEqual([]);
  });
});

describe('taking back', () => {
  const UPDATE = updateEvent(TYPE, OBJECT_URL, publicationProperties(), publicationProperties());
  const WITHOUT_LEDGER = {
    ...ANSWER,
    Data: { ...ANSWER.Data, Warnings: expect.stringMatching(/^none known; the publication history was missing and was started again at 20\S+Z$/) },
  };

  test('a failed create reports its own reason, also when the deletion of the file fails', async () => {
    await edge.serve({ behaviour: '404' });
    const made = await edge.testServices();
    made.aws.s3.on(DeleteObjectCommand).rejects(awsError('AccessDenied', 'Access Denied'));
    expect(await refused(made)).toContain('status 404');
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: expect.stringContaining('could not delete the policy file') }));
  });

  test('a failed update keeps the object, which the rollback overwrites', async () => {
    await edge.serve({ behaviour: '404' });
    const made = await edge.testServices();
    expect(await refused(made, UPDATE)).toContain('status 404');
    expect(deleted(made)).toEqual([]);
  });

  test('a failed update to another bucket deletes the new object, because nothing else would', async () => {
    await edge.serve({ behaviour: '404' });
    const made = await edge.testServices();
    await refused(made, updateEvent(TYPE, 's3://before/key', publicationProperties(), publicationProperties({ BucketName: 'before' })));
    expect(deleted(made)).toEqual([{ Bucket: BUCKET, Key: KEY }, { Bucket: BUCKET, Key: HISTORY_KEY }]);
  });

  test('a rollback to another bucket keeps the restored file, whatever the checks find', async () => {
    await edge.serve({ behaviour: '404' });
    const made = await edge.testServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    const event = updateEvent(TYPE, 's3://failed/key', publicationProperties(), publicationProperties({ BucketName: 'failed' }));
    await expect(run(made, event)).resolves.toEqual(WITHOUT_LEDGER);
    expect(deleted(made)).toEqual([]);
  });

  test('an update to another bucket has another physical id, so that CloudFormation deletes the old object', async () => {
    await edge.serve();
    const event = updateEvent(TYPE, OBJECT_URL, publicationProperties({ BucketName: 'after' }), publicationProperties());
    await expect(run(await edge.testServices(), event)).resolves.toMatchObject({ PhysicalResourceId: `s3://after/${KEY}` });
  });

  test('a rollback ignores that the file is not live', async () => {
    await edge.serve({ behaviour: '404' });
    const made = await edge.testServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    await expect(run(made, UPDATE)).resolves.toEqual(WITHOUT_LEDGER);
    // Once for the publication history, once for the failure.
    expect(made.aws.cloudformation.commandCalls(DescribeStacksCommand)).toHaveLength(2);
  });

  test('a zone that cannot be read fails the create, after the file was written', async () => {
    const made = await edge.testServices();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('ThrottlingException', 'Rate exceeded'));
    expect(await refused(made)).toContain('route53:GetHostedZone failed: ThrottlingException: Rate exceeded');
    expect(deleted(made)).toEqual([{ Bucket: BUCKET, Key: KEY }, { Bucket: BUCKET, Key: HISTORY_KEY }]);
  });
});

describe('delete', () => {
  test('a delete removes the object that the physical id names', async () => {
    const made = await edge.testServices();
    const event = deleteEvent(TYPE, 's3://old/mta-sts.example.com/x', publicationProperties());
    await expect(run(made, event)).resolves.toEqual({ PhysicalResourceId: 's3://old/mta-sts.example.com/x' });
    expect(deleted(made)).toEqual([{ Bucket: 'old', Key: 'mta-sts.example.com/x' }, { Bucket: 'old', Key: HISTORY_KEY }]);
  });

  test('a delete removes the object of the properties when the physical id has a foreign form', async () => {
    const made = await edge.testServices();
    const event = deleteEvent(TYPE, 'Mail-Publication-1X', publicationProperties());
    await expect(run(made, event)).resolves.toEqual({ PhysicalResourceId: 'Mail-Publication-1X' });
    expect(deleted(made)).toEqual([{ Bucket: BUCKET, Key: KEY }, { Bucket: BUCKET, Key: HISTORY_KEY }]);
  });

  test.each([
    ['NoSuchBucket', 'The specified bucket does not exist'],
    ['AccessDenied', 'Access Denied'],
    ['SlowDown', 'Please reduce your request rate.'],
    ['TimeoutError', 'socket hang up'],
  ])('a delete succeeds on %s', async (name, message) => {
    const made = await edge.testServices();
    made.aws.s3.on(DeleteObjectCommand).rejects(awsError(name, message));
    await expect(run(made, deleteEvent(TYPE, OBJECT_URL, publicationProperties()))).resolves.toEqual({ PhysicalResourceId: OBJECT_URL });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', error: expect.objectContaining({ name, message }) }));
  });

  test('a repeated delete succeeds, even when both run at once', async () => {
    const made = await edge.testServices();
    const event = deleteEvent(TYPE, OBJECT_URL, publicationProperties());
    const answer = { PhysicalResourceId: OBJECT_URL };
    await expect(Promise.all([run(made, event), run(made, event)])).resolves.toEqual([answer, answer]);
    await expect(run(made, event)).resolves.toEqual(answer);
  });

  test('a delete succeeds when S3 does not answer', async () => {
    const made = await edge.testServices();
    made.aws.s3.on(DeleteObjectCommand).callsFake(async () => new Promise(() => undefined));
    const event = deleteEvent(TYPE, OBJECT_URL, publicationProperties());
    await expect(run(made, event, 80)).resolves.toEqual({ PhysicalResourceId: OBJECT_URL });
    expect(made.log).toContainEqual(expect.objectContaining({ message: 'the Delete was cut short; it counts as done' }));
  });
});
