// The verification: what it fails, what it waits for, and what it passes on.
import { GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import type { HandlerAnswer } from '../../lib/functions/deployment/handler';
import { Edge, POLICY_HOST } from '../support/policy-edge';
import {
  DOMAIN, POLICY_ID, POLICY_TEXT, awsError, createEvent, failure, lambdaContext, mx, record, soa, txt, updateEvent, verificationProperties,
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
  edge.announce(POLICY_ID);
});

afterEach(async () => {
  await edge.stopServing();
});

async function run(made: TestServices, event: Event = CREATE): Promise<HandlerAnswer> {
  return createHandler(made.services)(event, lambdaContext(60_000));
}

async function refused(made: TestServices, event?: Event): Promise<string> {
  return (await failure(run(made, event))).message;
}

/** The reports in the log. */
function reports(made: TestServices): readonly unknown[] {
  return made.log.filter(({ message }) => message === 'verified').map(({ report }) => report);
}

describe('fails', () => {
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
  ] as const)('on %s, with the code %s and what was seen', async (behaviour, code, evidence) => {
    await edge.serve({ behaviour });
    const message = await refused(await edge.world());
    expect(message).toContain(`${code}: https://${POLICY_HOST}/.well-known/mta-sts.txt: `);
    expect(message).toContain(evidence);
    expect(message).not.toContain('\n');
  });

  test('at once where waiting cannot help', async () => {
    edge.announce(POLICY_ID, mx(DOMAIN, 'backup.other.test'));
    await edge.serve();
    const made = await edge.world();
    expect(await refused(made)).toMatch(/^mx-not-covered: MX backup\.other\.test: .*backup\.other\.test/);
    expect(made.clock.slept).toEqual([]);
  });

  test('after waiting when the record never comes', async () => {
    edge.reset();
    edge.recursive.serve(...edge.publicRecords());
    await edge.serve();
    const made = await edge.world();
    expect(await refused(made)).toMatch(/^record-missing: _mta-sts\.example\.com TXT: /);
    expect(made.clock.slept).toEqual([2000, 4000, 8000, 11_000]);
  });

  test('after waiting for a name server that never hears of the record', async () => {
    await edge.serve();
    edge.nameServers[1].serve(soa(DOMAIN), record(POLICY_HOST, 'A', '127.0.0.11'));
    const made = await edge.world();
    expect(await refused(made)).toMatch(/^record-disagreement: /);
    expect(made.clock.slept.length).toBeGreaterThan(1);
  });

  test('with another id, and names both', async () => {
    edge.announce('20160831085700Z');
    await edge.serve();
    expect(await refused(await edge.world())).toContain(`the id is \`20160831085700Z\`, expected \`${POLICY_ID}\``);
  });

  test('with other bytes, and names the first line that differs', async () => {
    await edge.serve({ body: POLICY_TEXT.replace('max_age: 2592000', 'max_age: 604800') });
    expect(await refused(await edge.world())).toContain('line 5 is "max_age: 2592000\\x0d\\x0a" (expected) and "max_age: 604800\\x0d\\x0a" (served)');
  });

  test('with all errors in one line, each with its way out', async () => {
    edge.announce('old', mx(DOMAIN, 'backup.other.test'));
    await edge.serve();
    const message = await refused(await edge.world());
    expect(message).toContain('id-unexpected: ');
    expect(message).toContain('; mx-not-covered: ');
    expect(message).toContain('add the line `mx: backup.other.test` to the policy');
  });
});

describe('passes', () => {
  test('what a sender would see as intended, with the report in the log and its summary as attributes', async () => {
    await edge.serve();
    const made = await edge.world();
    const answer = await run(made);
    expect(answer).toEqual({
      PhysicalResourceId: ID,
      Data: { Verdict: 'pass', Lookup: 'found', Summary: expect.stringMatching(/^example\.com: pass, lookup found/) },
    });
    const mx = { covered: true, delivery: 'unknown', dane: false, observations: [] };
    expect(reports(made)).toEqual([expect.objectContaining({
      domain: DOMAIN, verdict: 'pass', record: expect.objectContaining({ id: POLICY_ID }), delivery: 'unknown',
      mx: [expect.objectContaining({ host: 'mx1.example.com', ...mx }), expect.objectContaining({ host: 'mx2.example.com', ...mx })],
    })]);
  });

  test('what becomes right while it waits', async () => {
    edge.announce('old');
    await edge.serve();
    const made = await edge.world();
    const sleep = made.clock.sleep.bind(made.clock);
    made.clock.sleep = async (milliseconds) => {
      if (made.clock.slept.length === 1) edge.announce(POLICY_ID);
      await sleep(milliseconds);
    };
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'pass' } });
    expect(made.clock.slept).toEqual([2000, 4000]);
    expect(reports(made)).toHaveLength(3);
  });

  test('a resolver that still holds the old record', async () => {
    await edge.serve();
    edge.recursive.serve(...edge.publicRecords(), record(POLICY_HOST, 'A', '127.0.0.11'), txt(`_mta-sts.${DOMAIN}`, 'v=STSv1; id=old;'));
    const made = await edge.world();
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'pass' } });
    expect(reports(made)).toEqual([expect.objectContaining({ findings: expect.arrayContaining([expect.objectContaining({ code: 'resolver-stale' })]) })]);
  });

  test('what could not be decided, with a warning, after waiting', async () => {
    await edge.serve();
    const silent = edge.recursive.answer;
    edge.recursive.answer = (question) => question.type === 'MX'
      ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false }
      : silent(question);
    const made = await edge.world();
    const answer = await run(made);
    expect(answer.Data).toMatchObject({ Verdict: 'unknown', Summary: expect.stringContaining('unknown') });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: expect.stringContaining('could not decide everything') }));
    expect(made.clock.slept.length).toBeGreaterThan(1);
  });

  test('with the name servers that DNS gives where the hosted zone cannot be read', async () => {
    await edge.serve();
    const made = await edge.world();
    made.aws.route53.on(GetHostedZoneCommand).rejects(awsError('ServiceUnavailable', 'try later'));
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'pass' } });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'WARN', message: expect.stringContaining('could not read the delegation set') }));
  });

  test('with the name servers that DNS gives where those of the zone have no address', async () => {
    await edge.serve();
    const made = await edge.world({ nameServers: ['gone.test'] });
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'pass' } });
  });

  test('asks the zone\'s own name servers for the record', async () => {
    await edge.serve();
    await run(await edge.world());
    expect(edge.nameServers[0].asked).toContain(`_mta-sts.${DOMAIN} TXT`);
    expect(edge.nameServers[1].asked).toContain(`_mta-sts.${DOMAIN} TXT`);
  });

  test('does no harm when the same event comes twice, at once', async () => {
    await edge.serve();
    const made = await edge.world();
    const [first, second] = await Promise.all([run(made), run(made)]);
    expect(first).toEqual(second);
  });
});

describe('lets the deployment go on', () => {
  test('where no mail host can be reached, which it reports: no rollback mends that', async () => {
    await edge.serve();
    const records = edge.publicRecords().filter(({ name }) => !name.startsWith('mx'));
    edge.recursive.serve(...records, record(POLICY_HOST, 'A', '127.0.0.11'), txt(`_mta-sts.${DOMAIN}`, `v=STSv1; id=${POLICY_ID};`));
    const made = await edge.world();
    await expect(run(made)).resolves.toMatchObject({ Data: { Verdict: 'fail', Lookup: 'found', Summary: expect.stringContaining('mx-no-address') } });
    expect(made.clock.slept).toEqual([]);
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'ERROR', message: expect.stringContaining('no mail host can be reached') }));
  });

  test('when it shall only report, with the verdict in the attributes', async () => {
    await edge.serve({ behaviour: 'expired' });
    const made = await edge.world();
    await expect(run(made, REPORT_ONLY)).resolves.toMatchObject({
      PhysicalResourceId: ID,
      Data: { Verdict: 'fail', Lookup: 'permanent-error', Summary: expect.stringContaining('sts-webpki-invalid') },
    });
    expect(made.log).toContainEqual(expect.objectContaining({ level: 'ERROR', message: expect.stringContaining('reported only') }));
  });

  test('when it shall only report and does not even come to a report', async () => {
    const made = await edge.world({}, { resolver: { query: async () => new Promise(() => undefined) } });
    await expect(createHandler(made.services)(REPORT_ONLY, lambdaContext(100))).resolves.toEqual({
      PhysicalResourceId: ID,
      Data: { Verdict: 'unknown', Lookup: 'temporary-error', Summary: expect.stringContaining('gave up after') },
    });
  });

  test('when the stack is rolling back', async () => {
    await edge.serve({ behaviour: 'redirect' });
    const made = await edge.world({ stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    await expect(run(made, updateEvent(TYPE, ID, verificationProperties(), verificationProperties()))).resolves.toMatchObject({
      PhysicalResourceId: ID,
      Data: { Verdict: 'fail', Lookup: 'permanent-error', Summary: expect.stringContaining('redirect') },
    });
  });
});
