// Whether the mail hosts of a live domain can be reached: by DNS alone, whether or not SMTP is tried.
import { afterEach, describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../../lib/preview/dns-server/server';
import type { DnsAnswerer, DnsRecord } from '../../../lib/preview/dns-server/server';
import { appendedZone } from '../../../lib/verifier/dns/appended-zone';
import { aliasProblem } from '../../../lib/verifier/checks/records/cname';
import { TOO_MANY_RECORDS } from '../../../lib/verifier/dns/answer';
import { DOMAIN, Loopback, MX1, MX2, RECORDS, addressOf, mailZone, zone } from '../../support/domain';
import { codes, finding } from '../../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

const mx = (exchange: string, preference = 10): DnsRecord => ({ ...RECORDS.mx1, data: { preference, exchange } });
const cname = (name: string, data: string): DnsRecord => ({ name, type: 'CNAME', ttl: 300, data });
/** A domain with one mail host that has these addresses, or other records. */
const sole = (exchange: string, ...more: DnsRecord[]): DnsRecord[] => mailZone(more, { mx1: mx(exchange), mx2: undefined });
const policy = (mode: string, ...hosts: string[]): { body: string } => {
  return { body: `version: STSv1\r\nmode: ${mode}\r\n${hosts.map((host) => `mx: ${host}\r\n`).join('')}max_age: 2592000\r\n` };
};

/** SERVFAIL for every question of a type about a name. */
function failing(records: readonly DnsRecord[], is: (question: { name: string; type: string }) => boolean): DnsAnswerer {
  const answer = zoneAnswers(records);
  return (question) => is(question) ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answer(question);
}

describe('the only mail host', () => {
  test.each(['enforce', 'testing', 'none'])('a single mail host that does not exist is an error in mode %s, with and without SMTP', async (mode) => {
    const result = await loopback.verify({ zone: sole(MX1), policy: policy(mode, MX1), options: { smtp: false } });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'found', delivery: 'refuse', mx: [{ host: MX1, covered: true, delivery: 'refuse' }] });
    expect(finding(result, 'mx-no-address')).toMatchObject({
      severity: 'error', subject: `MX ${MX1}`, reference: 'RFC 5321 §5.1', evidence: expect.stringContaining('no such name (NXDOMAIN)'),
      message: `the mail host ${MX1} cannot be reached: there is no such name in DNS. It is the only mail host of ${DOMAIN}, so mail to ${DOMAIN} is not delivered`,
    });
  });

  test('a single mail host without an address is an error', async () => {
    const result = await loopback.verify({ zone: sole(MX1, { name: MX1, type: 'TXT', ttl: 1, data: ['x'] }), policy: policy('enforce', MX1) });
    expect(result).toMatchObject({ verdict: 'fail', delivery: 'refuse' });
    expect(finding(result, 'mx-no-address')).toMatchObject({ severity: 'error', message: expect.stringContaining(`${MX1} cannot be reached: it has no address. It is`) });
  });

  test('a single mail host with a dangling CNAME is an error that names the target', async () => {
    const result = await loopback.verify({ zone: sole(MX1, cname(MX1, 'gone.example.test')), policy: policy('enforce', MX1) });
    expect(finding(result, 'mx-no-address').message).toContain('cannot be reached: it is an alias (CNAME) of gone.example.test, which has no address');
    expect(codes(result)).not.toContain('warning mx-alias');
  });

  test('an unreachable single mail host is an error for a domain without a policy', async () => {
    const result = await loopback.verify({ zone: mailZone([], { mx2: undefined, sts: undefined, address: undefined }) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'none', delivery: 'refuse' });
    expect(finding(result, 'mx-no-address').severity).toBe('error');
  });

  test.each(['192.0.2.25', '2001:db8::25'])('an MX record with the address %s in place of a name is an error, and causes no query for it', async (address) => {
    const asked: string[] = [];
    const answer = zoneAnswers(sole(address));
    const result = await loopback.verify({
      zone: (question) => {
        if (['A', 'AAAA'].includes(question.type)) asked.push(question.name);
        return answer(question);
      },
      policy: policy('testing', MX1),
    });
    expect(finding(result, 'mx-no-address')).toMatchObject({
      severity: 'error', message: expect.stringContaining('an MX record must name a host, and this is an address'),
      fix: 'give the address a host name by an A or AAAA record, and let the MX record name that',
    });
    expect(asked).not.toContain(address);
  });

  test.each([
    ['mx1.example.test.example.test', 'mx1.example.test'],
    ['example.test.example.test', 'example.test'],
    ['mx1.other.net.other.net', 'mx1.other.net'],
  ])('a mail host (%s) whose name got the zone appended is reported as such, with the name that was meant', async (host, meant) => {
    const result = await loopback.verify({ zone: [...sole(host), { ...RECORDS.soa, name: 'other.net' }], policy: policy('enforce', host) });
    expect(finding(result, 'mx-no-address')).toMatchObject({
      severity: 'error', message: expect.stringContaining('; the zone name is appended twice'), fix: `let the MX record name \`${meant}.\`, with the dot at its end`,
    });
  });

  test('a mail host whose name got the zone appended is reported as such when the policy does not name it either', async () => {
    const host = 'mx1.example.test.example.test';
    const result = await loopback.verify({ zone: sole(host, addressOf(MX1, '127.0.0.1')), policy: policy('enforce', MX1) });
    expect(finding(result, 'mx-not-covered').fix).toBe('the zone name is appended twice: let the MX record name `mx1.example.test.`, with the dot at its end');
  });

  test('a mail host of another zone whose name got this zone appended is reported with the name that was meant', async () => {
    const result = await loopback.verify({ zone: sole('aspmx.l.google.com.example.test') });
    expect(finding(result, 'mx-no-address').message).toContain('; if `aspmx.l.google.com` is meant, the dot at its end is missing');
  });

  test('an address that got the zone appended is reported as an address', async () => {
    const result = await loopback.verify({ zone: sole('192.0.2.1.example.test') });
    expect(finding(result, 'mx-no-address').fix).toBe('`192.0.2.1` is an address: give it a host name by an A or AAAA record, and let the MX record name that');
  });
});

describe('one of several mail hosts', () => {
  test('one unreachable mail host among several is a warning, and the domain passes', async () => {
    const result = await loopback.verify({ zone: zone({ mx2Address: undefined }) });
    expect(result).toMatchObject({ verdict: 'pass', mx: [{ host: MX1, delivery: 'unknown' }, { host: MX2, delivery: 'refuse' }] });
    expect(finding(result, 'mx-no-address')).toMatchObject({
      severity: 'warning', subject: `MX ${MX2}`, message: `the mail host ${MX2} cannot be reached: there is no such name in DNS. Senders pass it over`,
    });
  });

  test('each mail host is an error when none can be reached', async () => {
    const result = await loopback.verify({ zone: zone({ mx1Address: undefined, mx2Address: undefined }) });
    expect(result).toMatchObject({ verdict: 'fail', delivery: 'refuse' });
    expect(result.findings.filter(({ code }) => code === 'mx-no-address').map(({ severity, message }) => [severity, message.replace(/.*DNS\. /, '')])).toEqual([
      ['error', 'No mail host of example.test can be reached, so mail to example.test is not delivered'],
      ['error', 'No mail host of example.test can be reached, so mail to example.test is not delivered'],
    ]);
  });
});

describe('a mail host whose addresses DNS does not tell', () => {
  test.each(['enforce', 'testing', 'none'])('an only mail host with a DNS failure leaves the verdict open in mode %s, and is never called a host without addresses', async (mode) => {
    const answer = failing(sole(MX1, addressOf(MX1, '127.0.0.1')), ({ name }) => name === MX1);
    const result = await loopback.verify({ zone: answer, policy: policy(mode, MX1) });
    expect(result.verdict).toBe('unknown');
    expect(codes(result).some((code) => code.endsWith('mx-no-address'))).toBe(false);
    expect(finding(result, 'dns-failure')).toMatchObject({ severity: 'unknown', subject: `MX ${MX1}`, temporary: true, message: expect.stringContaining('SERVFAIL') });
  });

  test('a mail host with a DNS failure leaves the verdict open beside an unreachable one', async () => {
    const result = await loopback.verify({ zone: failing(zone({ mx2Address: undefined }), ({ name }) => name === MX1) });
    expect(result.verdict).toBe('unknown');
    expect(finding(result, 'mx-no-address')).toMatchObject({ severity: 'warning', subject: `MX ${MX2}` });
  });

  test('a mail host with a DNS failure does not change the verdict beside a reachable one', async () => {
    const result = await loopback.verify({ zone: failing(zone(), ({ name }) => name === MX2) });
    expect(result).toMatchObject({ verdict: 'pass', mx: [{ host: MX1 }, { host: MX2, delivery: 'unknown' }] });
  });

  test('a CNAME loop of a mail host has its own fix', async () => {
    const result = await loopback.verify({ zone: sole(MX1, cname(MX1, MX1)), policy: policy('testing', MX1) });
    expect(finding(result, 'dns-failure')).toMatchObject({ fix: expect.stringMatching(/^break the loop/) });
  });
});

describe('the mail hosts of a domain', () => {
  test('a null MX means no mail hosts and no problem', async () => {
    const result = await loopback.verify({ zone: mailZone([], { mx1: mx('.', 0), mx2: undefined, tlsRpt: undefined }) });
    expect(result).toMatchObject({ verdict: 'pass', mx: [] });
    expect(codes(result)).toEqual(['warning tls-rpt-missing', 'info ipv6-missing', 'info mx-null']);
  });

  test('a domain that is its own mail host is looked up too, and may be an alias', async () => {
    const result = await loopback.verify({ zone: mailZone([addressOf(DOMAIN, '127.0.0.1')], { mx1: undefined, mx2: undefined }), policy: policy('enforce', DOMAIN) });
    expect(result).toMatchObject({ verdict: 'pass', mx: [{ host: DOMAIN, covered: true, delivery: 'unknown' }] });
    expect(codes(result).filter((code) => /mx-(?:alias|no-address)/.test(code))).toEqual([]);
  });

  test('a domain that is its own mail host at a non-public address cannot be reached', async () => {
    const result = await loopback.verify({
      zone: mailZone([addressOf(DOMAIN, '10.0.0.1')], { mx1: undefined, mx2: undefined }), options: { allowPrivate: false },
      network: { fetchPolicy: () => Promise.reject(new Error('not public')) },
    });
    const found = result.findings.find(({ code, subject }) => code === 'address-not-public' && subject.startsWith('MX '));
    expect(found).toMatchObject({ severity: 'error', message: expect.stringContaining(`${DOMAIN} cannot be reached`) });
  });

  test('mail hosts are looked up to a maximum, and the others leave the verdict open', async () => {
    const many = Array.from({ length: 30 }, (_, at) => mx(`h${String(at).padStart(2, '0')}.example.test`));
    const result = await loopback.verify({ zone: zoneAnswers(mailZone(many, { mx1: undefined, mx2: undefined })), policy: policy('testing', 'h00.example.test') });
    expect(result.verdict).toBe('unknown');
    expect(finding(result, 'mx-skipped').message).toBe('not checked: 10 mail hosts');
    const found = result.findings.filter(({ code }) => code === 'mx-no-address');
    expect(found.map(({ severity }) => severity)).toEqual(Array.from({ length: 10 }, () => 'warning'));
    expect(found.at(0)?.message).toContain('(20 such in all, the first 10 are listed)');
  });
});

describe('a mail host that is an alias', () => {
  const aliased = [cname(MX1, 'real.example.test'), addressOf('real.example.test', '127.0.0.1')];

  test('a mail host that is an alias is a warning that names the target', async () => {
    const result = await loopback.verify({ zone: sole(MX1, ...aliased), policy: policy('enforce', MX1) });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'mx-alias')).toMatchObject({
      severity: 'warning', subject: `MX ${MX1}`, reference: 'RFC 2181 §10.3',
      message: `the mail host ${MX1} is an alias (CNAME) of real.example.test. An MX record must name a host that has addresses itself, and some senders refuse an alias`,
      fix: 'add the line `mx: real.example.test` to the policy and change the id, then change the MX record: let it name `real.example.test`; '
        + 'or give the host A and AAAA records in place of the CNAME',
    });
  });

  test('the fix for an alias whose target the policy names is to change the MX record', async () => {
    const result = await loopback.verify({ zone: sole(MX1, ...aliased), policy: policy('enforce', 'real.example.test') });
    expect(finding(result, 'mx-alias').fix).toBe('change the MX record: let it name `real.example.test`, which the policy names already');
    expect(finding(result, 'mx-not-covered').fix)
      .toBe('change the MX record: let it name `real.example.test`, of which this host is an alias and which the policy names already');
  });

  test('the finding about an alias names the last target, also with only IPv6 addresses', async () => {
    const records = [cname(MX1, 'a.example.test'), cname('a.example.test', 'b.example.test'), addressOf('b.example.test', '::1')];
    const result = await loopback.verify({ zone: sole(MX1, ...records), policy: policy('none', MX1) });
    expect(finding(result, 'mx-alias')).toMatchObject({
      message: expect.stringContaining('is an alias (CNAME) of b.example.test.'),
      fix: 'change the MX record: let it name `b.example.test`, or give the host A and AAAA records in place of the CNAME',
    });
  });
});

describe('TLSA records that DNS does not tell', () => {
  test('a failed TLSA query is unknown, and the message states the effect on DANE senders', async () => {
    const result = await loopback.verify({ zone: failing(zone(), ({ type, name }) => type === 'TLSA' && name === `_25._tcp.${MX1}`) });
    expect(result).toMatchObject({ verdict: 'pass', mx: [{ host: MX1, dane: null }, { host: MX2, dane: false }] });
    expect(finding(result, 'dane-unknown')).toMatchObject({
      severity: 'unknown', subject: `MX ${MX1}`, reference: 'RFC 7672 §2.1.1',
      message: `the TLSA records of ${MX1} could not be looked up: SERVFAIL. Senders that support DANE fail in the same way, and then do not deliver to this host`,
    });
  });

  test('a host with a failed address query gets no second finding for TLSA', async () => {
    const result = await loopback.verify({ zone: failing(zone(), ({ name }) => name.endsWith(MX1)) });
    expect(result.mx).toMatchObject([{ dane: null }, { dane: false }]);
    expect(codes(result)).not.toContain('unknown dane-unknown');
  });
});

describe('an answer with more records than are read', () => {
  test('an answer with too many records has its own fix and is not temporary', () => {
    expect(aliasProblem({ status: 'failed', reason: `${TOO_MANY_RECORDS}: 600`, server: 'x', cnames: [] })).toMatchObject({ temporary: false, fix: expect.stringMatching(/^delete the records/) });
  });
});

describe('an appended zone', () => {
  test.each([
    ['mx1.example.com.example.com', 'example.com', 'mx1.example.com', true],
    ['mx1.mail.example.com.example.com', 'mail.example.com', 'mx1.mail.example.com', true],
    ['mx1.mail.example.com.mail.example.com', 'mail.example.com', 'mx1.mail.example.com', true],
    ['mx.a.test.a.test', 'example.com', 'mx.a.test', true],
    ['mx.provider.net.example.com', 'example.com', 'mx.provider.net', false],
  ])('an appended zone is found in %s of %s', (name, domain, meant, twice) => {
    expect(appendedZone(name, domain)).toEqual({ meant, twice });
  });

  test.each([['mx1.example.com', 'example.com'], ['example.com', 'example.com'], ['mx.a.test', 'example.com'], ['com.com', 'example.com'], ['xexample.com.example.com.net', 'example.com']])(
    'no appended zone is found in %s of %s', (name, domain) => {
      expect(appendedZone(name, domain)).toBeUndefined();
    });
});

describe('what is said of the policy of a host whose MX record is at fault', () => {
  const advice = async (body: { body: string }, records: readonly DnsRecord[]): Promise<Record<string, string | undefined>> => {
    const result = await loopback.verify({ zone: records, policy: body });
    return Object.fromEntries(result.findings.filter(({ code }) => code.startsWith('mx-')).map(({ code, fix }) => [code, fix]));
  };

  test('fixes for record and policy agree when the zone name is appended twice', async () => {
    const fix = `let the MX record name \`${MX1}.\`, with the dot at its end`;
    expect(await advice(policy('enforce', MX1), sole(`${MX1}.${DOMAIN}`))).toEqual({
      'mx-no-address': fix,
      'mx-not-covered': `the zone name is appended twice: ${fix}`,
      'mx-pattern-unused': `keep the \`mx\` line: it covers \`${MX1}\`, which the MX record should name`,
    });
  });

  test('fixes for record and policy agree when another name lost its trailing dot', async () => {
    const fix = 'let the MX record name `mx.other.net.`, with the dot at its end';
    expect(await advice(policy('enforce', '*.other.net'), sole(`mx.other.net.${DOMAIN}`))).toEqual({
      'mx-no-address': fix,
      'mx-not-covered': `if \`mx.other.net\` is meant, ${fix}`,
      'mx-pattern-unused': 'keep the `mx` line: it covers `mx.other.net`, which the MX record should name',
    });
    expect(await advice(policy('enforce', 'old.example.test'), sole(`mx.other.net.${DOMAIN}`))).toMatchObject({
      'mx-pattern-unused': 'write `mx: mx.other.net` in place of it; without an `mx` line the policy would be malformed',
    });
  });

  test('fixes for record and policy agree when the policy names the target of an alias', async () => {
    expect(await advice(policy('testing', MX1), sole('mail.example.test', cname('mail.example.test', MX1), addressOf(MX1, '127.0.0.1')))).toEqual({
      'mx-not-covered': `change the MX record: let it name \`${MX1}\`, of which this host is an alias and which the policy names already`,
      'mx-alias': `change the MX record: let it name \`${MX1}\`, which the policy names already`,
      'mx-pattern-unused': `keep the \`mx\` line: it covers \`${MX1}\`, which the MX record should name`,
    });
  });

  test('the fix never names a member of a CNAME loop', async () => {
    const loop = [cname('mail.example.test', 'b.example.test'), cname('b.example.test', 'mail.example.test')];
    const result = await loopback.verify({ zone: sole('mail.example.test', ...loop), policy: policy('enforce', 'mail.example.test') });
    expect(finding(result, 'dns-failure').fix).toMatch(/^break the loop/);
    expect(codes(result)).not.toContain('warning mx-alias');
  });

  test('the fix never names a host that does not exist', async () => {
    const found = await advice(policy('enforce', MX1), mailZone([addressOf(MX1, '127.0.0.1')], { mx2: mx('gone.example.test', 20) }));
    expect(found['mx-not-covered']).toBe(
      'remove the MX record; or publish addresses for the host, add the line `mx: gone.example.test` to the policy and change the id');
  });
});
