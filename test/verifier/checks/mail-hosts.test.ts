// MX coverage and TLS reporting of a live domain.
import { afterEach, describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../../lib/preview/dns-server/server';
import type { DnsAnswerer, DnsRecord } from '../../../lib/preview/dns-server/server';
import { DOMAIN, Loopback, POLICY, RECORDS, zone } from '../../support/domain';
import { codes, finding } from '../../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

const mx = (exchange: string, preference = 30): DnsRecord => ({ ...RECORDS.mx1, data: { preference, exchange } });
const NO_MX = { mx1: undefined, mx2: undefined };

/** SERVFAIL for one question, the zone's answer for all others. */
function failing(name: string, type: string, records = zone()): DnsAnswerer {
  const answer = zoneAnswers(records);
  return (question) => question.name === name && question.type === type
    ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false }
    : answer(question);
}

describe('a mail host that the policy does not cover', () => {
  test('an uncovered mail host is an error in mode enforce, with the line to add', async () => {
    const result = await loopback.verify({ zone: zone({}, mx('mail.other.test', 5)) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'found' });
    expect(result.mx).toMatchObject([
      { host: 'mail.other.test', preference: 5, covered: false }, { host: 'mx1.example.test', covered: true }, { host: 'mx2.backup.test', covered: true },
    ]);
    expect(finding(result, 'mx-not-covered')).toMatchObject({
      severity: 'error',
      subject: 'MX mail.other.test',
      message: 'the mail host mail.other.test matches no mx pattern of the policy (mx1.example.test, *.backup.test), so in mode enforce senders refuse to deliver to it',
      fix: 'add the line `mx: mail.other.test` to the policy and change the id, or remove the MX record',
    });
  });

  test('an uncovered mail host is a warning in mode testing', async () => {
    const result = await loopback.verify({ zone: zone({}, mx('mail.other.test')), policy: { body: POLICY.replace('enforce', 'testing') } });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'mx-not-covered')).toMatchObject({ severity: 'warning', message: expect.stringContaining('senders deliver to it and report a failure') });
  });

  test('an uncovered mail host gives no finding in mode none', async () => {
    const result = await loopback.verify({ zone: zone({}, mx('mail.other.test')), policy: { body: POLICY.replace('enforce', 'none') } });
    expect(result.mx[2]).toMatchObject({ host: 'mail.other.test', covered: false });
    expect(codes(result).filter((code) => code.includes('mx-'))).toEqual([]);
  });

  test('a wildcard does not cover a mail host two labels below', async () => {
    const result = await loopback.verify({ zone: zone({}, mx('a.b.backup.test')) });
    expect(finding(result, 'mx-not-covered').subject).toBe('MX a.b.backup.test');
  });
});

describe('a mail host that no policy can name', () => {
  test('the fix never adds a name that no policy can hold', async () => {
    const result = await loopback.verify({ zone: zone({}, mx('mx_1.example.test')) });
    expect(finding(result, 'mx-not-covered').fix)
      .toBe('no policy can name this host, for its name contains an underscore, which no host name may contain; give it another name, or remove the MX record');
  });
});

describe('a policy and a zone made to keep a sender busy', () => {
  test('a huge policy and a huge zone are compared quickly, and reported briefly', async () => {
    const many = Array.from({ length: 200 }, (_, at) => mx(`h${at}.${'x'.repeat(60)}.${'y'.repeat(60)}.example`));
    const lines = Array.from({ length: 5000 }, (_, at) => `mx: ${at}.x\r\n`).join('');
    const result = await loopback.verify({ zone: zone({}, ...many), policy: { body: POLICY.replace('max_age', `${lines}max_age`) } });
    expect(result.mx).toHaveLength(202);
    const messages = (code: string): string[] => result.findings.filter((one) => one.code === code).map(({ message }) => message);
    expect(messages('mx-not-covered')).toHaveLength(10);
    expect(messages('mx-not-covered')[0]).toContain('(200 such in all, the first 10 are listed)');
    expect(messages('mx-pattern-unused')).toHaveLength(10);
    expect(JSON.stringify(result.findings).length).toBeLessThan(50_000);
  });
});

describe('a pattern that covers no mail host', () => {
  test('a pattern that covers no mail host is a warning', async () => {
    const result = await loopback.verify({ policy: { body: POLICY.replace('max_age', 'mx: mx3.example.test\r\nmax_age') } });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'mx-pattern-unused')).toMatchObject({
      severity: 'warning', message: 'the mx pattern `mx3.example.test` covers no mail host of the domain (mx1.example.test, mx2.backup.test)',
    });
  });
});

describe('the list of a provider', () => {
  test('the patterns of a provider may cover hosts that the domain does not use', async () => {
    const google = 'version: STSv1\r\nmode: enforce\r\nmx: smtp.google.com\r\nmx: aspmx.l.google.com\r\nmx: *.aspmx.l.google.com\r\nmx: old.example.test\r\nmax_age: 2592000\r\n';
    const result = await loopback.verify({ zone: zone({ mx1: mx('smtp.google.com'), mx2: undefined }), policy: { body: google } });
    expect(result.findings.filter(({ code }) => code === 'mx-pattern-unused').map(({ message }) => message))
      .toEqual(['the mx pattern `old.example.test` covers no mail host of the domain (smtp.google.com)']);
  });

  test.each([
    ['the only pattern', 'mx: old.example.test\r\n', 1],
    ['each of two patterns', 'mx: old.example.test\r\nmx: older.example.test\r\n', 2],
  ])('the only patterns are never to be removed when they are %s unused', async (_name, lines, count) => {
    const result = await loopback.verify({ policy: { body: POLICY.replace(/(?:mx: .*\r\n)+/, lines) } });
    const fixes = result.findings.filter(({ code }) => code === 'mx-pattern-unused').map(({ fix }) => fix);
    expect(fixes).toEqual(Array.from({ length: count }, () => 'write `mx: mx1.example.test`, `mx: mx2.backup.test` in place of it; without an `mx` line the policy would be malformed'));
  });

  test('the only pattern is not to be removed when no policy can name the mail hosts', async () => {
    const result = await loopback.verify({
      zone: zone({ mx1: { name: DOMAIN, type: 'MX', ttl: 300, data: { preference: 10, exchange: 'mx_1.example.test' } }, mx2: undefined }),
      policy: { body: POLICY.replace(/(?:mx: .*\r\n)+/, 'mx: old.example.test\r\n') },
    });
    expect(finding(result, 'mx-pattern-unused').fix).toBe('give the mail hosts names that a policy can hold, and name them in the policy in place of this pattern');
  });
});

describe('a domain without MX records', () => {
  const address: DnsRecord = { name: DOMAIN, type: 'A', ttl: 300, data: '192.0.2.1' };

  test('a domain without MX records is its own mail host when it has an address', async () => {
    const result = await loopback.verify({ zone: zone(NO_MX, address) });
    expect(result).toMatchObject({ verdict: 'fail', mx: [{ host: DOMAIN, covered: false }] });
    expect(codes(result)).toEqual(expect.arrayContaining(['error mx-not-covered', 'info mx-implicit']));
    const covered = await loopback.verify({ zone: zone(NO_MX, address), policy: { body: POLICY.replace('mx1.example.test', DOMAIN) } });
    expect(covered.mx).toMatchObject([{ host: DOMAIN, preference: null, covered: true }]);
  });

  test('a domain without MX records and addresses receives no mail', async () => {
    const result = await loopback.verify({ zone: zone(NO_MX) });
    expect(result).toMatchObject({ verdict: 'pass', mx: [] });
    expect(finding(result, 'mx-missing').severity).toBe('info');
    expect(codes(result)).not.toContain('warning mx-pattern-unused');
  });

  test('a domain without MX records is undecided when its address query fails', async () => {
    const result = await loopback.verify({ zone: failing(DOMAIN, 'A', zone(NO_MX)) });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'found', mx: [] });
    expect(finding(result, 'dns-failure').message).toBe('example.test has no MX record, and its addresses could not be looked up: SERVFAIL');
  });
});

describe('a null MX', () => {
  test('a null MX means no mail, and nothing to cover', async () => {
    const result = await loopback.verify({ zone: zone({ mx1: mx('.', 0), mx2: undefined }) });
    expect(result).toMatchObject({ verdict: 'pass', mx: [] });
    expect(finding(result, 'mx-null').severity).toBe('info');
    expect(codes(result)).not.toContain('warning mx-pattern-unused');
  });

  test('a null MX beside other MX records is a warning', async () => {
    const result = await loopback.verify({ zone: zone({}, mx('.', 0)) });
    expect(result.mx.map(({ host }) => host)).toEqual(['mx1.example.test', 'mx2.backup.test']);
    expect(finding(result, 'mx-null-not-alone').message).toBe('a null MX stands beside mx1.example.test, mx2.backup.test');
  });
});

describe('MX records that cannot be had', () => {
  test('a failed MX query leaves a policy in mode enforce undecided', async () => {
    const result = await loopback.verify({ zone: failing(DOMAIN, 'MX') });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'found', mx: [] });
    expect(finding(result, 'dns-failure')).toMatchObject({ subject: 'example.test MX', message: 'the MX records of example.test could not be looked up: SERVFAIL' });
    expect(codes(result)).not.toContain('warning mx-pattern-unused');
  });

  test('a failed MX query does not change the verdict in mode testing', async () => {
    const result = await loopback.verify({ zone: failing(DOMAIN, 'MX'), policy: { body: POLICY.replace('enforce', 'testing') } });
    expect(result.verdict).toBe('pass');
  });
});

describe('mail hosts', () => {
  test('mail hosts are listed once, in the order that senders try them', async () => {
    const result = await loopback.verify({ zone: zone({}, mx('b.backup.test', 10), mx('MX1.example.test', 40), mx('a.backup.test', 10)) });
    expect(result.mx.map(({ host }) => host)).toEqual(['a.backup.test', 'b.backup.test', 'mx1.example.test', 'mx2.backup.test']);
  });
});

describe('TLS reporting', () => {
  const NAME = `_smtp._tls.${DOMAIN}`;

  test('a missing TLS reporting record is a warning in mode enforce, with the record to publish', async () => {
    const result = await loopback.verify({ zone: zone({ tlsRpt: undefined }) });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'tls-rpt-missing')).toMatchObject({
      severity: 'warning', subject: `${NAME} TXT`,
      fix: 'publish the TXT record `v=TLSRPTv1; rua=mailto:tls-reports@example.test` at _smtp._tls.example.test, with an address that is read',
    });
  });

  test.each([['testing', 'info'], ['none', undefined]] as const)('the severity of a missing TLS reporting record in mode %s is %s', async (mode, severity) => {
    const result = await loopback.verify({ zone: zone({ tlsRpt: undefined }), policy: { body: POLICY.replace('enforce', mode) } });
    expect(result.findings.find(({ code }) => code === 'tls-rpt-missing')?.severity).toBe(severity);
  });

  test.each([
    ['enforce', ['warning tls-rpt-missing']], ['testing', ['info tls-rpt-missing']], ['none', []],
  ])('a missing TLS reporting record in mode %s is reported once', async (mode, expected) => {
    const result = await loopback.verify({ zone: zone({ tlsRpt: undefined }), policy: { body: POLICY.replace('enforce', mode) } });
    expect(codes(result).filter((code) => code.includes('tls-rpt'))).toEqual(expected);
  });

  test('a missing TLS reporting record is reported beside an unrelated TXT record', async () => {
    const result = await loopback.verify({ zone: zone({ tlsRpt: { ...RECORDS.tlsRpt, data: ['v=DMARC1; p=none'] } }) });
    expect(codes(result)).toEqual(expect.arrayContaining(['warning tls-rpt-missing', 'warning tls-rpt-unrelated-txt']));
  });

  test.each([
    ['malformed', zone({ tlsRpt: { ...RECORDS.tlsRpt, data: ['v=TLSRPTv1; rua=reports@example.test'] } }), 'tls-rpt-uri'],
    ['doubled', zone({}, RECORDS.tlsRpt), 'tls-rpt-multiple'],
    ['hardly to be recognised', zone({ tlsRpt: { ...RECORDS.tlsRpt, data: ['v=tlsrptv1; rua=mailto:reports@example.test'] } }), 'tls-rpt-unrecognised'],
  ])('a TLS reporting record that is %s is a warning, never an error', async (_, records, code) => {
    const result = await loopback.verify({ zone: records });
    expect(result.verdict).toBe('pass');
    expect(codes(result)).toContain(`warning ${code}`);
    expect(codes(result)).not.toContain('warning tls-rpt-missing');
  });

  test('a failed query for the TLS reporting record is unknown', async () => {
    const result = await loopback.verify({ zone: failing(NAME, 'TXT') });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'dns-failure')).toMatchObject({ subject: `${NAME} TXT`, message: 'the TLS reporting record could not be looked up: SERVFAIL' });
  });
});
