// What is malformed, and used all the same by some senders: delivery depends on the sender, and both groups are named.
import { afterEach, describe, expect, test } from '@jest/globals';
import { Style } from '../../../cli/output/terminal';
import { verifyText } from '../../../cli/output/formats/text';
import { summary } from '../../../lib/verifier/result';
import type { Report } from '../../../lib/verifier/result';
import { Loopback, POLICY, RECORDS, zone } from '../../support/domain';

const loopback = new Loopback();
afterEach(() => loopback.close());

const plain = new Style({ colour: false, unicode: true, columns: undefined });

const REFUSERS = ['aykevl', 'danmarg', 'mox', 'postfix-tlspol'];
const TAKERS = ['chasquid', 'courier', 'go-mtasts', 'kumomta', 'mailauth', 'mailpiece', 'postfix-mta-sts-resolver', 'rest-mail', 'stalwart'];

function sendersWith({ senders }: Report, effect: string): string[] {
  return senders.filter((one) => one.effect === effect).map(({ sender }) => sender);
}

function expectDepends(report: Report): void {
  expect(report).toMatchObject({ verdict: 'fail', policy: null, delivery: 'unknown', mx: [{ delivery: 'unknown' }, { delivery: 'unknown' }] });
  const text = verifyText(report, plain);
  expect(text).toMatch(/ delivery {2}! it depends on the sender: .* use the malformed policy all the same/);
  expect(text).toContain('Senders find a malformed policy: some use it all the same and enforce it, the others deliver without MTA-STS');
  expect(`${text}${summary(report)}`).not.toMatch(/would now deliver, whatever it sees of TLS/);
}

describe('a malformed policy in mode enforce', () => {
  test.each([
    ['a comma list among mx', POLICY.replace('mx: mx1.example.test\r\nmx: *.backup.test', 'mx: mx1.example.test, mx2.backup.test')],
    ['an address among mx', POLICY.replace('mx: mx1.example.test', 'mx: 192.0.2.1')],
    ['a preference among mx', POLICY.replace('mx: mx1', 'mx: 10 mx1')],
    ['a U-label among mx', POLICY.replace('mx: mx1', 'mx: m\u00f8x1')],
  ])('with %s is used by some senders, and both groups are named', async (_name, body) => {
    const report = await loopback.verify({ policy: { body } });
    expectDepends(report);
    expect(report.lookup).toBe('permanent-error');
    expect(sendersWith(report, 'refuses the policy').sort()).toEqual(REFUSERS);
    expect(sendersWith(report, 'takes the policy all the same').sort()).toEqual(TAKERS);
    expect(verifyText(report, plain)).toContain('mox, postfix-tlspol: refuses the policy (policy-mx-pattern)');
  });

  test('with two faults is taken only by those that take both', async () => {
    const report = await loopback.verify({ policy: { body: `${POLICY.replace('mx: mx1.example.test', 'mx: mx1.example.test:25')}\r\n` } });
    expectDepends(report);
    const takers = new Set(sendersWith(report, 'takes the policy all the same'));
    expect([...takers].sort()).toEqual(TAKERS.filter((sender) => !['go-mtasts', 'courier'].includes(sender)));
  });

  test('of another media type is used by the senders that do not look at it', async () => {
    const report = await loopback.verify({ policy: { behaviour: 'html-media-type' } });
    expectDepends(report);
    expect(report.takenBy).toEqual(['mox', 'mailauth', 'stalwart', 'mailpiece', 'courier', 'aykevl', 'danmarg']);
    expect(sendersWith(report, 'refuses the policy')).toHaveLength(6);
  });

  test('that is a web page is no policy to anyone', async () => {
    const report = await loopback.verify({ policy: { behaviour: 'html' } });
    expect(report).toMatchObject({ lookup: 'permanent-error', delivery: 'deliver-unverified', senders: [] });
  });

  test('that no known sender takes is delivered to without looking', async () => {
    const report = await loopback.verify({ policy: { body: POLICY.replace('STSv1', 'STSv2') } });
    expect(report).toMatchObject({ lookup: 'permanent-error', delivery: 'deliver-unverified', senders: [] });
    expect(verifyText(report, plain)).toContain('a sender would now deliver, whatever it sees of TLS');
  });
});

test('a malformed policy in mode testing keeps no sender from delivering', async () => {
  const report = await loopback.verify({ policy: { body: POLICY.replace('enforce', 'testing').replace('mx: mx1.example.test', 'mx: 192.0.2.1') } });
  expect(report).toMatchObject({ lookup: 'permanent-error', delivery: 'deliver-unverified', senders: [] });
});

describe('a malformed record of a policy in mode enforce', () => {
  test.each([
    ['a blank at its end', 'v=STSv1; id=1 ', ['mox', 'postfix-tlspol']],
    ['two semicolons', 'v=STSv1;; id=1', ['mox', 'postfix-tlspol']],
    ['blanks before its version', '  v=STSv1; id=1', ['aykevl', 'chasquid', 'mailpiece', 'mox', 'postfix-mta-sts-resolver', 'postfix-tlspol']],
    ['its version at the end', 'id=1; v=STSv1;', [
      'aykevl', 'chasquid', 'courier', 'mailauth', 'mailpiece', 'mox', 'postfix-mta-sts-resolver', 'postfix-tlspol', 'rest-mail',
    ]],
  ])('with %s is used by some senders, and both groups are named', async (_name, text, refusers) => {
    const report = await loopback.verify({ zone: zone({ sts: { ...RECORDS.sts, data: [text] } }) });
    expectDepends(report);
    expect(report.lookup).toBe('none');
    expect(sendersWith(report, 'refuses the record').sort()).toEqual(refusers);
    expect(sendersWith(report, 'takes the record all the same')).toHaveLength(13 - refusers.length);
    expect(report.findings.map(({ code }) => code)).not.toContain('policy-unannounced');
  });
});

test('the senders that read the reporting record otherwise are named without any policy', async () => {
  const tlsRpt = { ...RECORDS.tlsRpt, data: ['v=TLSRPTv1 ; rua=mailto:reports@example.test'] };
  const report = await loopback.verify({ zone: zone({ sts: undefined, tlsRpt }) });
  expect(report.senders).toEqual([
    { sender: 'aykevl', effect: 'sends no reports', code: 'txt-blank-before-delimiter' },
    { sender: 'mailpiece', effect: 'sends no reports', code: 'txt-blank-before-delimiter' },
  ]);
});
