// Smaller checks of a live domain: old modes, subdomains, aliases, wildcards over foreign hosts, and temporary findings.
import { afterEach, describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../../lib/preview/dns-server/server';
import type { DnsRecord } from '../../../lib/preview/dns-server/server';
import { certificateProblem } from '../../../lib/verifier/tls/certificate';
import { checkMode } from '../../../lib/verifier/checks/policy/mode';
import { classifyResponse } from '../../../lib/verifier/checks/policy/response';
import type { Mode, Policy } from '../../../lib/protocol/policy/policy';
import { DOMAIN, Loopback, POLICY, POLICY_HOST, RECORDS, addressOf, mailZone, sts, zone } from '../../support/domain';
import type { LoopbackOptions } from '../../support/domain';
import { codes, finding } from '../../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-01T00:00:00Z');

describe('a policy that does not enforce', () => {
  const policyOf = (mode: Mode): Policy => ({ mode, maxAge: 86_400, mx: ['mx1.example.test'] });
  const found = (mode: Mode, lastModified?: string, id = 'a1'): ReturnType<typeof checkMode> => {
    return checkMode(POLICY_HOST, policyOf(mode), { lastModified, record: { id }, now: NOW });
  };
  const ago = (days: number): string => new Date(NOW - days * DAY).toUTCString();

  test.each<[Mode, string | undefined, string, string[]]>([
    ['testing', undefined, 'a1', ['info mode-testing']],
    ['testing', ago(30), 'a1', ['info mode-testing']],
    ['testing', ago(31), 'a1', ['warning mode-testing-long']],
    ['testing', undefined, '20260501T000000Z', ['warning mode-testing-long']],
    ['testing', undefined, '20260502', ['info mode-testing']],
    ['testing', undefined, '20261301', ['info mode-testing']],
    ['testing', undefined, '20270101', ['info mode-testing']],
    ['testing', ago(2), '20200101', ['info mode-testing']],
    ['testing', ago(-1), '20260401', ['warning mode-testing-long']],
    ['testing', 'Thu, 01 Jan 1970 00:00:00 GMT', 'a1', ['info mode-testing']],
    ['testing', 'Tue, 01 Jan 1980 00:00:00 GMT', '20260401', ['warning mode-testing-long']],
    ['testing', '0', 'a1', ['info mode-testing']],
    ['testing', 'yesterday', 'a1', ['info mode-testing']],
    ['testing', undefined, '20010101', ['info mode-testing']],
    ['none', undefined, 'a1', ['info mode-none']],
    ['none', ago(366), 'a1', ['info mode-none']],
    ['none', ago(367), 'a1', ['warning mode-none-long']],
    ['none', undefined, '20240101', ['warning mode-none-long']],
    ['enforce', ago(1000), '20200101', []],
  ])('(%s, last modified %s, id %s) is %j', (mode, lastModified, id, expected) => {
    expect(found(mode, lastModified, id).map(({ severity, code }) => `${severity} ${code}`)).toEqual(expected);
  });

  test('a policy without a record gives no finding about its age', () => {
    expect(checkMode(POLICY_HOST, policyOf('none'), { now: NOW })).toMatchObject([{ code: 'mode-none' }]);
    expect(checkMode(POLICY_HOST, undefined, { now: NOW })).toEqual([]);
  });

  test('a policy that has been in mode testing for long by its id is a warning with age and evidence', async () => {
    const testing = await loopback.verify({ zone: zone({ sts: sts('20200102030405') }), policy: { body: POLICY.replace('enforce', 'testing') } });
    expect(testing.verdict).toBe('pass');
    expect(finding(testing, 'mode-testing-long')).toMatchObject({
      severity: 'warning', subject: `https://${POLICY_HOST}/.well-known/mta-sts.txt`, evidence: expect.stringMatching(/^127\.0\.0\.1: status 200.*; the id `20200102030405` is a date$/),
      message: expect.stringMatching(/^the policy has been in mode `testing` for 2\d{3} days or more: mail is not protected yet$/),
      fix: 'read the TLS reports of the last two weeks; when they are clean, publish the policy in mode `enforce` under a new id',
      time: expect.stringMatching(/Z$/),
    });
    const none = await loopback.verify({ zone: zone({ sts: sts('20200102030405') }), policy: { body: POLICY.replace('enforce', 'none') } });
    expect(finding(none, 'mode-none-long')).toMatchObject({
      severity: 'warning', message: expect.stringContaining('no sender can hold an earlier one any longer'), fix: expect.stringMatching(/^delete the TXT record, then the policy host/),
    });
  });

  test('a policy that has been in mode testing for long by Last-Modified is a warning that shows the header', async () => {
    const server = await loopback.policy({ raw: [
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nLast-Modified: Mon, 06 Jan 2020 00:00:00 GMT\r\n'
      + `Content-Length: ${POLICY.length}\r\n\r\n${POLICY.replace('enforce', 'testing')}`,
    ] });
    const result = await loopback.verify({ policyPort: server.port });
    expect(finding(result, 'mode-testing-long').evidence).toMatch(/; Last-Modified: Mon, 06 Jan 2020 00:00:00 GMT$/);
  });
});

describe('names below the domain that receive mail', () => {
  const mx = (name: string, exchange = 'mx1.example.test'): DnsRecord => ({ ...RECORDS.mx1, name, data: { preference: 10, exchange } });
  const subjects = (report: { findings: readonly { code: string; subject: string }[] }): string[] => {
    return report.findings.filter(({ code }) => code === 'subdomain-without-policy').map(({ subject }) => subject);
  };

  test('a subdomain that receives mail without a policy is reported', async () => {
    const result = await loopback.verify({ zone: zone({}, mx(`lists.${DOMAIN}`)) });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'subdomain-without-policy')).toMatchObject({
      severity: 'info', subject: `lists.${DOMAIN} MX`, message: `lists.${DOMAIN} receives mail and has no policy of its own`,
      evidence: expect.stringContaining('10 mx1.example.test (TTL 300 s)'), fix: expect.stringMatching(/^publish a policy for that name as well/),
    });
  });

  test('a wildcard MX record is reported once', async () => {
    const result = await loopback.verify({ zone: zone({}, mx(`*.${DOMAIN}`), mx(`mail.${DOMAIN}`)) });
    expect(finding(result, 'subdomain-without-policy')).toMatchObject({
      subject: `*.${DOMAIN} MX`, message: `every name below ${DOMAIN} receives mail (a wildcard MX record) and has no policy of its own`,
    });
  });

  test('a subdomain with a policy, a null MX or a DNS failure is not reported', async () => {
    const own = zone({}, mx(`mail.${DOMAIN}`), { ...RECORDS.sts, name: `_mta-sts.mail.${DOMAIN}` }, mx(`news.${DOMAIN}`, '.'), mx(`support.${DOMAIN}`));
    const answer = zoneAnswers(own);
    const result = await loopback.verify({
      zone: (question) => question.name === `_mta-sts.support.${DOMAIN}` ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answer(question),
    });
    expect(subjects(result)).toEqual([]);
  });

  test.each(['enforce', 'testing'])('subdomains are reported when the domain has a policy in mode %s', async (mode) => {
    const result = await loopback.verify({ zone: zone({}, mx(`mail.${DOMAIN}`)), policy: { body: POLICY.replace('enforce', mode) } });
    expect(subjects(result)).toEqual([`mail.${DOMAIN} MX`]);
  });

  test('subdomains are not reported when the domain has no policy, or one in mode none', async () => {
    expect(subjects(await loopback.verify({ zone: zone({ sts: undefined }, mx(`mail.${DOMAIN}`)) }))).toEqual([]);
    expect(subjects(await loopback.verify({ zone: zone({}, mx(`mail.${DOMAIN}`)), policy: { body: POLICY.replace('enforce', 'none') } }))).toEqual([]);
  });
});

describe('delegation by CNAME', () => {
  const cname = (name: string, data: string): DnsRecord => ({ name, type: 'CNAME', ttl: 300, data });
  const delegatedZone = [
    ...zone({ sts: cname(`_mta-sts.${DOMAIN}`, `a.${DOMAIN}`), address: cname(POLICY_HOST, `host.${DOMAIN}`) }),
    cname(`a.${DOMAIN}`, `b.${DOMAIN}`), { ...RECORDS.sts, name: `b.${DOMAIN}` }, addressOf(`host.${DOMAIN}`, '127.0.0.1'),
  ];

  test('a delegation by CNAME is followed, and shown name after name', async () => {
    const result = await loopback.verify({ zone: delegatedZone });
    expect(result).toMatchObject({
      verdict: 'pass', lookup: 'found', delegation: { record: [`a.${DOMAIN}`, `b.${DOMAIN}`], policyHost: [`host.${DOMAIN}`] },
    });
    expect(finding(result, 'delegated')).toMatchObject({
      severity: 'info', subject: `${DOMAIN} CNAME`,
      message: `_mta-sts.${DOMAIN} is an alias of a.${DOMAIN}, an alias of b.${DOMAIN}; ${POLICY_HOST} is an alias of host.${DOMAIN}`,
      fix: expect.stringMatching(/^nothing needs to be done/),
    });
  });

  test('a domain without CNAME has no delegation', async () => {
    const result = await loopback.verify();
    expect(result.delegation).toEqual({ record: [], policyHost: [] });
    expect(codes(result)).not.toContain('info delegated');
  });
});

describe('a wildcard over the hosts of strangers', () => {
  const report = (pattern: string): ReturnType<Loopback['verify']> => loopback.verify({ policy: { body: POLICY.replace('*.backup.test', pattern) } });

  test.each(['*.com', '*.co.uk', '*.github.io'])('the pattern %s over a public suffix is a warning', async (pattern) => {
    expect(finding(await report(pattern), 'mx-wildcard-shared')).toMatchObject({
      severity: 'warning', subject: `${DOMAIN} MX`,
      message: `the mx pattern \`${pattern}\` covers the hosts of strangers: anyone can have a name below ${pattern.slice(2)}`,
      fix: 'name the MX hosts one by one, or begin the wildcard below a domain that one party holds',
    });
  });

  test.each(['*.example.com', '*.l.google.com', '*.mail.protection.outlook.com', '*.nobody.co.uk', 'com', 'github.io', '*.test'])('the pattern %s is not over a public suffix', async (pattern) => {
    expect(codes(await report(pattern))).not.toContain('warning mx-wildcard-shared');
  });

  test('a wildcard over a public suffix gives no finding in mode none', async () => {
    const none = await loopback.verify({ policy: { body: POLICY.replace('*.backup.test', '*.com').replace('enforce', 'none') } });
    expect(codes(none)).not.toContain('warning mx-wildcard-shared');
  });
});

describe('a temporary finding', () => {
  const temporary = async (setting: LoopbackOptions): Promise<string[]> => {
    const { findings } = await loopback.verify(setting);
    return findings.filter((one) => one.temporary === true).map(({ code }) => code);
  };
  const EXPECT = { expectId: '2', expectPolicy: POLICY.replace('enforce', 'testing') };

  test('a missing record is temporary when the caller expects one', async () => {
    const missing = { zone: zone({ sts: undefined, address: undefined }) };
    expect(await temporary(missing)).toEqual([]);
    expect(await temporary({ ...missing, options: { expectId: '1' } })).toEqual(['record-missing']);
    expect(await temporary({ ...missing, options: { expectPolicy: POLICY } })).toEqual(['record-missing']);
    expect(await temporary({ ...missing, options: { expectMode: 'enforce' } })).toEqual(['record-missing']);
  });

  test('a missing policy host is temporary when the caller expects a policy', async () => {
    const missing = { zone: zone({ address: undefined }) };
    expect(await temporary(missing)).toEqual([]);
    expect(await temporary({ ...missing, options: { expectId: '1' } })).toEqual(['sts-policy-fetch-error']);
  });

  test('every finding about an old policy file is temporary', async () => {
    const body = POLICY.replace('max_age: 2592000', 'max_age: 100').replace('mx: mx1', 'mx: mx9');
    const fixed = await temporary({ policy: { body } });
    expect(fixed).toEqual([]);
    const old = await loopback.verify({ zone: mailZone(), policy: { body }, mx: { behaviour: 'wrong-name' }, options: EXPECT });
    const lasting = old.findings.filter((one) => one.temporary !== true).map(({ code }) => code);
    expect(lasting).toEqual(['ipv6-missing']);
    expect(codes(old)).toEqual(expect.arrayContaining([
      'error id-unexpected', 'error policy-unexpected', 'error mx-not-covered', 'error certificate-host-mismatch', 'warning policy-max-age-short', 'warning mx-pattern-unused',
    ]));
  });

  test.each([['500', true], ['reset', true], ['404', false], ['redirect', false], ['expired', false], ['wrong-name', false], ['html', false], ['bom', false]] as const)(
    '(the policy host answers with %s) is %s', async (behaviour, passes) => {
      const result = await loopback.verify({ policy: { behaviour } });
      const errors = result.findings.filter(({ severity }) => severity === 'error');
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.map((one) => one.temporary === true)).toEqual(errors.map(() => passes));
    });

  test('a CNAME loop or a long CNAME chain is not temporary', async () => {
    const loop = zone({ sts: { name: `_mta-sts.${DOMAIN}`, type: 'CNAME', ttl: 1, data: `_mta-sts.${DOMAIN}` } });
    const result = await loopback.verify({ zone: loop });
    const ofRecord = result.findings.filter(({ message }) => message.includes('CNAME loop'));
    expect(ofRecord.length).toBeGreaterThan(0);
    expect(ofRecord.some((one) => one.temporary === true)).toBe(false);
  });

  test('a cancelled fetch says nothing about the host', () => {
    expect(classifyResponse({ outcome: 'unreachable', reason: 'called off while waiting for the connection', code: 'ABORT_ERR', milliseconds: 1 }))
      .toEqual({ kind: 'not-reached', message: 'called off while waiting for the connection' });
  });
});

describe('an expired certificate', () => {
  test('an expired certificate above a good one in the chain is found', () => {
    const certificate = { subjectAltName: 'DNS:mx.test', issuer: 'x', validFrom: '2026-01-01T00:00:00Z', validTo: '2100-01-01T00:00:00Z' };
    expect(certificateProblem('CERT_HAS_EXPIRED', 'mx.test', certificate)).toBe('certificate is issued by an authority whose own certificate has expired');
  });
});
