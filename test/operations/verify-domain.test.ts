// The verification: its failures, its retries and its attributes.
import { GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { HandlerAnswer } from '../../lib/functions/deployment/handler';
import { verifyDomain } from '../../lib/operations/verify-domain';
import { Edge, POLICY_HOST } from '../support/policy-edge';
import {
  DOMAIN, POLICY_ID, POLICY_TEXT, ZONE_ID, awsError, createEvent, failure, lambdaContext, mx, operationContext, record, soa, txt,
  updateEvent, verificationProperties,
} from '../support/deployment';
import type { Event, TestServices } from '../support/deployment';

const TYPE = 'Custom::MtaStsVerification';
const ID = 'mta-sts-verification/example.com';
const CREATE = createEvent(TYPE, verificationProperties());
const REPORT_ONLY = createEvent(TYPE, verificationProperties({ OnFailure: 'report' }));
let edge: Edge;

beforeAll(async () => {
  edge = await Edge.start();
});

afterAll(async () => {
  await edge.close();
});

beforeEach(() => {
  edge.publishRecord(POLICY_ID);
});

afterEach(async () => {
  await edge.stopServing();
});

async function run(made: TestServices, event: Event = CREATE): Promise<HandlerAnswer> {
  return createHandler(made.services)(event, lambdaContext(60_000));
}

async function verificationFailure(made: TestServices, event?: Event): Promise<string> {
  return (await failure(run(made, event))).message;
}

/** Returns the verification results in the log. */
function loggedResults(made: TestServices): readonly unknown[] {
  return made.log.filter(({ message }) => message === 'verified').map(({ result }) => result);
}

describe('a failed verification', () => {
  test.each([
    ['wrong-name', 'sts-webpki-invalid', 'certificate is for other.example'],
    ['untrusted', 'sts-webpki-invalid', 'Unknown authority'],
    ['expired', 'sts-webpki-invalid', 'expired on 2020-01-02'],
    ['redirect', 'sts-policy-fetch-error', 'redirect (status 301 to https://www.example/policy)'],
    ['404', 'sts-policy-fetch-error', 'status 404'],
    ['500', 'sts-policy-fetch-error', 'status 500'],
    ['html-media-type', 'sts-policy-invalid', 'text/html'],
    ['endless', 'sts-policy-fetch-error', 'larger than 65536 bytes'],
    ['bom', 'sts-policy-invalid', 'byte order mark'],
  ] as const)('the verification fails on %s with the finding %s and its evidence', async (behaviour, code, evidence) => {
    await edge.serve({ behaviour });
    const message = await verificationFailure(await edge.testServices());
    expect(message).toMatch(/^verification-failed: /);
    expect(message).toContain(`${code}: https://${POLICY_HOST}/.well-known/mta-sts.txt: `);
    expect(message).toContain(evidence);
    expect(message).not.toContain('\n');
  });

  test('the verification fails without a retry when no error is temporary', async () => {
    edge.publishRecord(POLICY_ID, mx(DOMAIN, 'backup.other.test'));
    await edge.serve();
    const made = await edge.testServices();
    expect(await verificationFailure(made)).toMatch(/^verification-failed: mx-not-covered: MX backup\.other\.test: .*backup\.other\.test/);
    expect(made.clock.slept).toEqual([]);
  });

  test('the verification fails after retries when the record never appears', async () => {
    edge.reset();
    edge.recursive.serve(...edge.publicRecords());
    await edge.serve();
    const made = await edge.testServices();
    expect(await verificationFailure(made)).toMatch(/^verification-failed: record-missing: _mta-sts\.example\.com TXT: .* Details: npx cdk-mta-sts explain verification-failed record-missing; log group /);
    expect(made.clock.slept).toEqual([2000, 4000, 8000, 11_000]);
  });

  test('the verification fails after retries when a name server never has the record', async () => {
    await edge.serve();
    edge.nameServers.at(1)?.serve(soa(DOMAIN), record(POLICY_HOST, 'A', '127.0.0.11'));
    const made = await edge.testServices();
    expect(await verificationFailure(made)).toMatch(/^verification-failed: record-disagreement: /);
    expect(made.clock.slept.length).toBeGreaterThan(1);
  });

  test('the verification fails when the record has another id, and names both ids', async () => {
    edge.publishRecord('20160831085700Z');
    await edge.serve();
    expect(await verificationFailure(await edge.testServices())).toContain(`the id is \`20160831085700Z\`, expected \`${POLICY_ID}\``);
  });

  test('the verification fails when the served bytes differ, and names the first differing line', async () => {
    await edge.serve({ body: POLICY_TEXT.replace('max_age: 2592000', 'max_age: 604800') });
    expect(await verificationFailure(await edge.testServices())).toContain('line 5 is "max_age: 2592000\\x0d\\x0a" (expected) and "max_age: 604800\\x0d\\x0a" (served)');
  });

  test('the verification reports all errors in one line, each with its fix', async () => {
    edge.publishRecord('old', mx(DOMAIN, 'backup.other.test'));
    await edge.serve();
    const message = await verificationFailure(await edge.testServices());
    expect(message).toMatch(/^verification-failed: 2 errors: \(1\) id-unexpected: .*\. \(2\) mx-not-covered: /);
    expect(message).toContain('add the line `mx: backup.other.test` to the policy');
  });
});

describe('a verification that passes', () => {
  test('the verification passes a domain as intended, with its result in the log and the summary as attributes', async () => {
    await edge.serve();
    const made = await edge.testServices();
    const answer = await run(made);
    expect(answer).toEqual({
      PhysicalResourceId: ID,
      Data: { Verdict: 'pass', Lookup: 'found', Summary: expect.stringMatching(/^example\.com: pass, lookup found/) },
    });
    const mx = { covered: true, delivery: 'unknown', dane: false, observations: [] };
    expect(loggedResults(made)).toEqual([expect.objectContaining({
      domain: DOMAIN, verdict: 'pass', record: expect.objectContaining({ id: POLICY_ID }), delivery: 'unknown',
      mx: [expect.objectContaining({ host: 'mx1.example.com', ...mx }), expect.objectContaining({ host: 'mx2.example.com', ...mx })],
    })]);
  });

  test('the verification passes when a retry finds the expected record', async () => {
    edge.publishRecord('old');
    await edge.serve();
    const made = await edge.testServices();
    const sleep = made.clock.sleep.bind(made.clock);
    made.clock.sleep = async (milliseconds) => {
      if (made.clock.slept.length === 1) edge.publishRecord(POLICY_ID);
      await sleep(milliseconds);
    };
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'pass' } });
    expect(made.clock.slept).toEqual([2000, 4000]);
    expect(loggedResults(made)).toHaveLength(3);
  });

  test('the verification passes although a resolver has the old record cached', async () => {
    await edge.serve();
    edge.recursive.serve(...edge.publicRecords(), record(POLICY_HOST, 'A', '127.0.0.11'), txt(`_mta-sts.${DOMAIN}`, 'v=STSv1; id=old;'));
    const made = await edge.testServices();
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'pass' } });
    expect(loggedResults(made)).toEqual([expect.objectContaining({ findings: expect.arrayContaining([expect.objectContaining({ code: 'resolver-stale' })]) })]);
  });

  test('the verification passes with a warning when retries could not decide everything', async () => {
    await edge.serve();
    const silent = edge.recursive.answer;
    edge.recursive.answer = (question) => question.type === 'MX'
      ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false }
      : silent(question);
    const made = await edge.testServices();
    const answer = await run(made);
    expect(answer.Data).toMatchObject({ Verdict: 'unknown', Summary: expect.stringContaining('unknown') });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: expect.stringContaining('could not decide everything') }));
    expect(made.clock.slept.length).toBeGreaterThan(1);
  });

  test('the verification uses the name servers of public DNS when the hosted zone is not readable', async () => {
    await edge.serve();
    const made = await edge.testServices();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('ServiceUnavailable', 'try later'));
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'pass' } });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: expect.stringContaining('could not read the delegation set') }));
  });

  test('the verification uses the name servers of public DNS when those of the zone have no address', async () => {
    await edge.serve();
    const made = await edge.testServices({ nameServers: ['gone.test'] });
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'pass' } });
  });

  test('the verification asks each name server of the zone for the record', async () => {
    await edge.serve();
    await run(await edge.testServices());
    expect(edge.nameServers.at(0)?.asked).toContain(`_mta-sts.${DOMAIN} TXT`);
    expect(edge.nameServers.at(1)?.asked).toContain(`_mta-sts.${DOMAIN} TXT`);
  });

  test('two verifications of the same event at the same time have the same result', async () => {
    await edge.serve();
    const made = await edge.testServices();
    const [first, second] = await Promise.all([run(made), run(made)]);
    expect(first).toEqual(second);
  });
});

describe('the operation without an event', () => {
  const input = { domain: DOMAIN, zoneId: ZONE_ID, policyText: POLICY_TEXT, policyId: POLICY_ID };

  test('verifyDomain returns the result of a domain that passes', async () => {
    await edge.serve();
    await expect(verifyDomain(operationContext(await edge.testServices()), input)).resolves.toMatchObject({
      result: { domain: DOMAIN, verdict: 'pass' }, errors: [], hasDeploymentError: false,
    });
  });

  test('verifyDomain returns the errors of a domain that fails, and does not throw', async () => {
    await edge.serve({ behaviour: 'expired' });
    const { errors, hasDeploymentError } = await verifyDomain(operationContext(await edge.testServices()), input);
    expect(errors).toContainEqual(expect.objectContaining({ code: 'sts-webpki-invalid' }));
    expect(hasDeploymentError).toBe(true);
  });
});

describe('a verification that does not stop the deployment', () => {
  test('the verification reports that no mail host can be reached, and the deployment goes on', async () => {
    await edge.serve();
    const records = edge.publicRecords().filter(({ name }) => !name.startsWith('mx'));
    edge.recursive.serve(...records, record(POLICY_HOST, 'A', '127.0.0.11'), txt(`_mta-sts.${DOMAIN}`, `v=STSv1; id=${POLICY_ID};`));
    const made = await edge.testServices();
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'fail', Lookup: 'found', Summary: expect.stringContaining('mx-no-address') } });
    expect(made.clock.slept).toEqual([]);
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'ERROR', message: expect.stringContaining('no mail host can be reached') }));
  });

  test('a verification that only reports returns its verdict as an attribute', async () => {
    await edge.serve({ behaviour: 'expired' });
    const made = await edge.testServices();
    await expect(run(made, REPORT_ONLY)).resolves.toMatchObject({
      PhysicalResourceId: ID,
      Data: { Verdict: 'fail', Lookup: 'permanent-error', Summary: expect.stringContaining('sts-webpki-invalid') },
    });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'ERROR', message: expect.stringContaining('set to report only') }));
  });

  test('a verification that only reports succeeds even when it has no time for a result', async () => {
    const made = await edge.testServices({}, { resolver: { query: async () => new Promise(() => undefined) } });
    await expect(createHandler(made.services)(REPORT_ONLY, lambdaContext(100))).resolves.toEqual({
      PhysicalResourceId: ID,
      Data: { Verdict: 'unknown', Lookup: 'temporary-error', Summary: expect.stringContaining('timed-out: the function gave up after') },
    });
  });

  test('a failed verification does not stop a rollback', async () => {
    await edge.serve({ behaviour: 'redirect' });
    const made = await edge.testServices({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    await expect(run(made, updateEvent(TYPE, ID, verificationProperties(), verificationProperties()))).resolves.toMatchObject({
      PhysicalResourceId: ID,
      Data: { Verdict: 'fail', Lookup: 'permanent-error', Summary: expect.stringContaining('redirect') },
    });
  });
});
