// What is malformed, and still used by some senders: delivery depends on the sender, and both groups are named.
import { afterEach, describe, expect, test } from '@jest/globals';
import { Style } from '../../../cli/output/terminal';
import { verifyText } from '../../../cli/output/formats/text';
import { summary } from '../../../lib/verifier/result';
import type { VerificationResult } from '../../../lib/verifier/result';
import { Loopback, POLICY, RECORDS, zone } from '../../support/domain';

const loopback = new Loopback();
afterEach(() => loopback.close());

const plain = new Style({ colour: false, unicode: true, columns: undefined });

const REFUSERS = ['aykevl', 'danmarg', 'mox', 'postfix-tlspol'];
const TAKERS = ['chasquid', 'courier', 'go-mtasts', 'kumomta', 'mailauth', 'mailpiece', 'postfix-mta-sts-resolver', 'rest-mail', 'stalwart'];

function sendersWith({ senders }: VerificationResult, effect: string): string[] {
  return senders.filter((one) => one.effect === effect).map(({ sender }) => sender);
}

function expectDepends(result: VerificationResult): void {
  expect(result).toMatchObject({ verdict: 'fail', policy: null, delivery: 'unknown', mx: [{ delivery: 'unknown' }, { delivery: 'unknown' }] });
  const text = verifyText(result, plain);
  expect(text).toMatch(/ delivery {2}! it depends on the sender: .* use the malformed policy anyway/);
  expect(text).toContain('Senders find a malformed policy: some use it anyway and enforce it, the others deliver without MTA-STS');
  expect(`${text}${summary(result)}`).not.toMatch(/would now deliver, whatever it sees of TLS/);
}

describe('a malformed policy in mode enforce', () => {
  test.each([
    ['a comma list among mx', POLICY.replace('mx: mx1.example.test\r\nmx: *.backup.test', 'mx: mx1.example.test, mx2.backup.test')],
    ['an address among mx', POLICY.replace('mx: mx1.example.test', 'mx: 192.0.2.1')],
    ['a preference among mx', POLICY.replace('mx: mx1', 'mx: 10 mx1')],
    ['a U-label among mx', POLICY.replace('mx: mx1', 'mx: m\u00f8x1')],
  ])('malformed input with %s names the senders that accept it and those that refuse it', async (_name, body) => {
    const result = await loopback.verify({ policy: { body } });
    expectDepends(result);
    expect(result.lookup).toBe('permanent-error');
    expect(sendersWith(result, 'refuses the policy').sort()).toEqual(REFUSERS);
    expect(sendersWith(result, 'accepts the policy').sort()).toEqual(TAKERS);
    expect(verifyText(result, plain)).toContain('mox, postfix-tlspol: refuses the policy (policy-mx-pattern)');
  });

  test('a policy with two problems is accepted only by senders that accept both', async () => {
    const result = await loopback.verify({ policy: { body: `${POLICY.replace('mx: mx1.example.test', 'mx: mx1.example.test:25')}\r\n` } });
    expectDepends(result);
    const takers = new Set(sendersWith(result, 'accepts the policy'));
    expect([...takers].sort()).toEqual(TAKERS.filter((sender) => !['go-mtasts', 'courier'].includes(sender)));
  });

  test('a policy with another media type is used by senders that do not check it', async () => {
    const result = await loopback.verify({ policy: { behaviour: 'html-media-type' } });
    expectDepends(result);
    expect(result.takenBy).toEqual(['mox', 'mailauth', 'stalwart', 'mailpiece', 'courier', 'aykevl', 'danmarg']);
    expect(sendersWith(result, 'refuses the policy')).toHaveLength(6);
  });

  test('a web page is a policy to no sender', async () => {
    const result = await loopback.verify({ policy: { behaviour: 'html' } });
    expect(result).toMatchObject({ lookup: 'permanent-error', delivery: 'deliver-unverified', senders: [] });
  });

  test('a malformed policy that no known sender accepts means unverified delivery', async () => {
    const result = await loopback.verify({ policy: { body: POLICY.replace('STSv1', 'STSv2') } });
    expect(result).toMatchObject({ lookup: 'permanent-error', delivery: 'deliver-unverified', senders: [] });
    expect(verifyText(result, plain)).toContain('a sender would now deliver, whatever it sees of TLS');
  });
});

test('a malformed policy in mode testing stops no delivery', async () => {
  const result = await loopback.verify({ policy: { body: POLICY.replace('enforce', 'testing').replace('mx: mx1.example.test', 'mx: 192.0.2.1') } });
  expect(result).toMatchObject({ lookup: 'permanent-error', delivery: 'deliver-unverified', senders: [] });
});

describe('a malformed record of a policy in mode enforce', () => {
  test.each([
    ['a blank at its end', 'v=STSv1; id=1 ', ['mox', 'postfix-tlspol']],
    ['two semicolons', 'v=STSv1;; id=1', ['mox', 'postfix-tlspol']],
    ['blanks before its version', '  v=STSv1; id=1', ['aykevl', 'chasquid', 'mailpiece', 'mox', 'postfix-mta-sts-resolver', 'postfix-tlspol']],
    ['its version at the end', 'id=1; v=STSv1;', [
      'aykevl', 'chasquid', 'courier', 'mailauth', 'mailpiece', 'mox', 'postfix-mta-sts-resolver', 'postfix-tlspol', 'rest-mail',
    ]],
  ])('malformed input with %s names the senders that accept it and those that refuse it', async (_name, text, refusers) => {
    const result = await loopback.verify({ zone: zone({ sts: { ...RECORDS.sts, data: [text] } }) });
    expectDepends(result);
    expect(result.lookup).toBe('none');
    expect(sendersWith(result, 'refuses the record').sort()).toEqual(refusers);
    expect(sendersWith(result, 'accepts the record')).toHaveLength(13 - refusers.length);
    expect(result.findings.map(({ code }) => code)).not.toContain('policy-unannounced');
  });
});

test('senders that read the reporting record differently are named without a policy', async () => {
  const tlsRpt = { ...RECORDS.tlsRpt, data: ['v=TLSRPTv1 ; rua=mailto:reports@example.test'] };
  const result = await loopback.verify({ zone: zone({ sts: undefined, tlsRpt }) });
  expect(result.senders).toEqual([
    { sender: 'aykevl', effect: 'sends no reports', code: 'txt-blank-before-delimiter' },
    { sender: 'mailpiece', effect: 'sends no reports', code: 'txt-blank-before-delimiter' },
  ]);
});
