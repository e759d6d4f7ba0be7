// A publication with external DNS: proved live at the name of the distribution, before the user has created a record.
import { DescribeCertificateCommand } from '@aws-sdk/client-acm';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { HandlerAnswer } from '../../lib/functions/deployment/handler';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import { policyHash } from '../../lib/protocol/policy/id';
import { policyLines } from '../../lib/contract/custom-resources';
import { testAuthority } from '../support/policy-server';
import { Edge } from '../support/policy-edge';
import { OBJECT_URL, awsError, createEvent, failure, lambdaContext, publicationProperties, record, soa } from '../support/deployment';
import type { Event, TestServices } from '../support/deployment';

const DISTRIBUTION = 'd111111abcdef8.cloudfront.test';
const CERTIFICATE = 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
const TYPE = 'Custom::MtaStsPublication';
let edge: Edge;

beforeAll(async () => {
  edge = await Edge.start();
  await testAuthority();
});

afterAll(async () => {
  await edge.close();
});

beforeEach(async () => {
  // The zone of the domain is nowhere here: whoever asks for `mta-sts.example.com` gets nothing.
  edge.recursive.serve(...edge.publicRecords(), record(DISTRIBUTION, 'A', '127.0.0.11'));
  edge.serveZone();
  await edge.serve();
});

afterEach(async () => {
  await edge.stopServing();
});

function externalDns(more: Event = {}): Event {
  return createEvent(TYPE, publicationProperties({ HostedZoneId: undefined, Distribution: DISTRIBUTION, ...more }));
}

async function run(made: TestServices, event: Event = externalDns()): Promise<HandlerAnswer> {
  return createHandler(made.services)(event, lambdaContext(60_000));
}

test('a policy with external DNS is proved live at the addresses of the distribution, under the name of the policy host', async () => {
  const made = await edge.testServices();
  await expect(run(made)).resolves.toMatchObject({
    PhysicalResourceId: OBJECT_URL, Data: { PolicyUrl: 'https://mta-sts.example.com/.well-known/mta-sts.txt' },
  });
  expect(made.log).toContainEqual(expect.objectContaining({ message: 'the policy file is live', addresses: ['127.0.0.11'] }));
});

test('a publication with external DNS queries no name that the user has yet to create, and calls no Route 53', async () => {
  const before = edge.recursive.asked.length;
  const made = await edge.testServices();
  await run(made);
  expect(edge.recursive.asked.slice(before).filter((question) => question.includes('mta-sts.'))).toEqual([]);
  expect(made.aws.route53.calls()).toHaveLength(0);
});

test('a publication with external DNS fails when the distribution serves other bytes, and deletes the file', async () => {
  await edge.stopServing();
  await edge.serve({ body: 'version: STSv1\r\n' });
  const made = await edge.testServices();
  expect((await failure(run(made))).message).toMatch(/^policy-not-live: .* within 45 s\. Last seen: 127\.0\.0\.11: other bytes/);
  expect(made.aws.s3.commandCalls(DeleteObjectCommand).map(({ args }) => args[0].input.Key)).toContain('mta-sts.example.com/.well-known/mta-sts.txt');
});

test('a publication with external DNS waits for the name of the distribution, and logs it', async () => {
  edge.recursive.serve(...edge.publicRecords(), soa('cloudfront.test'));
  expect((await failure(run(await edge.testServices()))).message).toContain(`Last seen: ${DISTRIBUTION}: no A record yet (NXDOMAIN)`);
});

test('a publication with external DNS reports that DNS did not answer for the distribution', async () => {
  edge.recursive.answer = () => ({ rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false });
  expect((await failure(run(await edge.testServices()))).message).toMatch(/Last seen: d111111abcdef8\.cloudfront\.test: .*SERVFAIL/);
});

test('the earliest removal with external DNS assumes a record that the user has yet to change', async () => {
  const none = nonePolicy();
  await edge.stopServing();
  await edge.serve({ body: none.text });
  const event = externalDns({ Policy: policyLines(none.text), PolicyHash: none.hash });
  expect((await run(await edge.testServices(), event)).Data?.EarliestRemoval)
    .toMatch(/^\d{4}-\d\d-\d\dT[\d:]+Z, if nothing published .*; add the time by which the _mta-sts record was changed later than the deployment$/);
  await edge.stopServing();
  await edge.serve();
  expect((await run(await edge.testServices())).Data?.EarliestRemoval).toBe('not while enforce is published; publish none first');
});

function nonePolicy(): { text: string; hash: string } {
  const text = renderPolicy({ mode: 'none', maxAge: 86_400, mx: [] });
  return { text, hash: policyHash(text) };
}

test('a publication with external DNS fails without the name of the distribution', async () => {
  expect((await failure(run(await edge.testServices(), externalDns({ Distribution: undefined })))).message)
    .toContain('`Distribution` must be a text that is not empty, got nothing');
});

describe('the validation record of the certificate', () => {
  const made = externalDns({ Certificate: CERTIFICATE });
  const options = (...names: readonly string[]): object => ({ Certificate: { DomainValidationOptions: names.map((DomainName) => ({
    DomainName, ResourceRecord: { Name: `_a.${DomainName}.`, Type: 'CNAME', Value: '_b.acm-validations.aws.' },
  })) } });

  test('a publication warns of a missing validation record, because each renewal of the certificate needs it', async () => {
    const setup = await edge.testServices();
    setup.aws.acm.on(DescribeCertificateCommand, { CertificateArn: CERTIFICATE }).resolves(options('mta-sts.example.net', 'mta-sts.example.com'));
    expect((await run(setup, made)).Data).toMatchObject({
      ValidationName: '_a.mta-sts.example.com', ValidationValue: '_b.acm-validations.aws',
    });
  });

  test('a publication does not look for a validation record when the user brings the certificate', async () => {
    const setup = await edge.testServices();
    expect((await run(setup)).Data).not.toHaveProperty('ValidationName');
    expect(setup.aws.acm.calls()).toHaveLength(0);
  });

  test.each<[string, (setup: TestServices) => void]>([
    ['names none for the host', (setup) => setup.aws.acm.on(DescribeCertificateCommand).resolves(options('mta-sts.example.net'))],
    ['has nothing in it', (setup) => setup.aws.acm.on(DescribeCertificateCommand).resolves({})],
    ['is refused', (setup) => setup.aws.acm.on(DescribeCertificateCommand).rejects(awsError('ResourceNotFoundException', 'no such certificate'))],
  ])('a missing validation record never fails a publication: when the answer %s, the log says where to look', async (_, answer) => {
    const setup = await edge.testServices();
    answer(setup);
    expect((await run(setup, made)).Data).toMatchObject({
      ValidationName: 'not known: look at the certificate in AWS Certificate Manager',
      ValidationValue: 'not known: look at the certificate in AWS Certificate Manager',
    });
    expect(setup.log).toContainEqual(expect.objectContaining({ level: 'WARN', certificateArn: CERTIFICATE }));
  });
});
