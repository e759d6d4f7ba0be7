// A record that is missing at its name is searched at names where people have put it. A domain without any record gets one finding.
import { afterEach, describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../../lib/preview/dns-server/server';
import type { DnsRecord } from '../../../lib/preview/dns-server/server';
import type { VerificationResult } from '../../../lib/verifier/result';
import { DOMAIN, Loopback, POLICY, POLICY_HOST, RECORDS, addressOf, zone } from '../../support/domain';
import { codes, finding } from '../../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

const txt = (name: string, ...data: string[]): DnsRecord => ({ name, type: 'TXT', ttl: 300, data });
const cname = (name: string, data: string): DnsRecord => ({ name, type: 'CNAME', ttl: 300, data });
const STS = 'v=STSv1; id=1;';
const TLSRPT = 'v=TLSRPTv1; rua=mailto:reports@example.test';
const REPORTING = `_smtp._tls.${DOMAIN}`;
const fixOf = (result: VerificationResult, code: string): string | undefined => result.findings.find((one) => one.code === code)?.fix;
const misplaced = (result: VerificationResult): string[] => result.findings.filter(({ code }) => code.endsWith('-misplaced')).map(({ code, subject }) => `${code} ${subject}`);

describe('an MTA-STS record', () => {
  test.each([`_mta-sts.mta-sts.${DOMAIN}`, `_mta-sts._mta-sts.${DOMAIN}`, `_mta_sts.${DOMAIN}`, `mta_sts.${DOMAIN}`, `_mtasts.${DOMAIN}`, `_sts.${DOMAIN}`, DOMAIN, POLICY_HOST, REPORTING])('an MTA-STS record at %s is found, with the name where it belongs', async (name) => {
    const result = await loopback.verify({ zone: zone({ sts: undefined }, txt(name, STS)) });
    expect(codes(result)).toContain('error record-missing');
    expect(finding(result, 'record-misplaced')).toMatchObject({
      severity: 'warning', subject: `${name} TXT`, message: `a record that belongs at _mta-sts.${DOMAIN} stands at ${name}: "${STS}"`, fix: `move it to _mta-sts.${DOMAIN}`,
    });
  });

  test('the fix for an MTA-STS record whose name got the zone appended says what to enter', async () => {
    const result = await loopback.verify({ zone: zone({ sts: undefined }, txt(`_mta-sts.${DOMAIN}.${DOMAIN}`, STS)) });
    expect(finding(result, 'record-misplaced')).toMatchObject({
      message: expect.stringMatching(/\. The zone name is appended twice, as by a DNS panel that adds it to what is entered$/),
      fix: `move it to _mta-sts.${DOMAIN}: enter the name as \`_mta-sts\` there, without the zone`,
    });
  });

  test('a record in place is not searched at other names', async () => {
    const dns = await loopback.dns(zone());
    await loopback.verify({ recursive: zoneAnswers(zone()), options: { nameServers: [`127.0.0.1:${dns.port}`] } });
    expect(dns.queries.map(({ name }) => name)).not.toContain(`_mta_sts.${DOMAIN}`);
  });

  test('a policy host that does not exist is not queried for a misplaced record', async () => {
    const asked: string[] = [];
    const answer = zoneAnswers(zone({ sts: undefined, address: undefined }));
    await loopback.verify({
      zone: (question) => {
        asked.push(`${question.name} ${question.type}`);
        return answer(question);
      },
    });
    expect(asked).toContain(`_mta_sts.${DOMAIN} TXT`);
    expect(asked).not.toContain(`${POLICY_HOST} TXT`);
  });

  test('a wildcard TXT record does not count as a misplaced MTA-STS record', async () => {
    const records = zone({ sts: txt(`_mta-sts.${DOMAIN}`, 'something else'), tlsRpt: undefined }, txt(`*.${DOMAIN}`, STS, ''), txt(`x.${REPORTING}`, 'x'));
    const result = await loopback.verify({ zone: records });
    expect(misplaced(result)).toEqual([]);
  });
});

describe('a TLS reporting record', () => {
  test.each(['_tlsrpt', '_smtp-tlsrpt', '_mta-sts._tls', '_smtp-tls', '_tls-rpt', 'smtp._tls', '_smtp.tls', '_tls._smtp', '_smtp._tls.mta-sts'])('a TLS reporting record at %s is found, with the name where it belongs', async (label) => {
    const result = await loopback.verify({ zone: zone({ tlsRpt: undefined }, txt(`${label}.${DOMAIN}`, TLSRPT)) });
    expect(result.verdict).toBe('pass');
    expect(codes(result)).toContain('warning tls-rpt-missing');
    expect(finding(result, 'tls-rpt-misplaced')).toMatchObject({
      severity: 'warning', subject: `${label}.${DOMAIN} TXT`, message: `a record that belongs at ${REPORTING} stands at ${label}.${DOMAIN}: "${TLSRPT}"`, fix: `move it to ${REPORTING}`,
    });
  });

  test('a TLS reporting record at an existing policy host is found', async () => {
    expect(misplaced(await loopback.verify({ zone: zone({ tlsRpt: undefined }, txt(POLICY_HOST, TLSRPT)) }))).toEqual([`tls-rpt-misplaced ${POLICY_HOST} TXT`]);
  });

  test('a TLS reporting record at the domain itself is found despite a wildcard', async () => {
    const result = await loopback.verify({ zone: zone({ tlsRpt: undefined }, txt(DOMAIN, TLSRPT), txt(`*.${DOMAIN}`, TLSRPT), txt(`x.${REPORTING}`, 'x')) });
    expect(misplaced(result)).toEqual([`tls-rpt-misplaced ${DOMAIN} TXT`]);
  });

  test('the fix for a TLS reporting record whose name got the zone appended says what to enter', async () => {
    const result = await loopback.verify({ zone: zone({ tlsRpt: undefined }, txt(`${REPORTING}.${DOMAIN}`, TLSRPT)) });
    expect(finding(result, 'tls-rpt-misplaced').fix).toBe(`move it to ${REPORTING}: enter the name as \`_smtp._tls\` there, without the zone`);
  });

  test('a misplaced TLS reporting record is found without a policy', async () => {
    const result = await loopback.verify({ zone: zone({ sts: undefined, address: undefined, tlsRpt: undefined }, txt(`_tlsrpt.${DOMAIN}`, TLSRPT)) });
    expect(misplaced(result)).toEqual([`tls-rpt-misplaced _tlsrpt.${DOMAIN} TXT`]);
  });
});

describe('records that stand at each other\'s names', () => {
  test('records at each other\'s names are both reported with the right name', async () => {
    const result = await loopback.verify({ zone: zone({ sts: txt(`_mta-sts.${DOMAIN}`, TLSRPT), tlsRpt: txt(REPORTING, STS) }) });
    expect(misplaced(result).sort()).toEqual([`record-misplaced ${REPORTING} TXT`, `tls-rpt-misplaced _mta-sts.${DOMAIN} TXT`]);
    expect(fixOf(result, 'record-unrelated-txt')).toBe('move it to `_smtp._tls`, where the TLSRPT record belongs; delete it only if that is there already');
    expect(fixOf(result, 'tls-rpt-unrelated-txt')).toBe('move it to `_mta-sts`, where the MTA-STS record belongs; delete it only if that is there already');
  });

  test('a misplaced record beside the right one is not to be deleted', async () => {
    const result = await loopback.verify({ zone: zone({ tlsRpt: undefined }, txt(`_mta-sts.${DOMAIN}`, TLSRPT)) });
    expect(fixOf(result, 'record-unrelated-txt')).toMatch(/^move it to `_smtp\._tls`/);
  });

  test('of two records at one name, the misplaced one is reported', async () => {
    const atRecord = await loopback.verify({ zone: zone({ tlsRpt: undefined }, txt(`_mta-sts.${DOMAIN}`, TLSRPT)) });
    expect(atRecord.record).toEqual({ id: '1' });
    expect(misplaced(atRecord)).toEqual([`tls-rpt-misplaced _mta-sts.${DOMAIN} TXT`]);
    const atReporting = await loopback.verify({ zone: zone({ sts: undefined }, txt(REPORTING, STS)) });
    expect(misplaced(atReporting)).toEqual([`record-misplaced ${REPORTING} TXT`]);
  });
});

describe('a policy host', () => {
  test.each([[`${POLICY_HOST}.${DOMAIN}`, `move its records to ${POLICY_HOST}: enter the name as \`mta-sts\` there, without the zone`], [`mta_sts.${DOMAIN}`, `move its records to ${POLICY_HOST}`], [`_mta-sts.${DOMAIN}`, `move its records to ${POLICY_HOST}`]])(
    'a policy host at %s is found', async (name, fix) => {
      for (const sts of [RECORDS.sts, undefined]) {
        const result = await loopback.verify({ zone: zone({ address: addressOf(name, '127.0.0.1'), sts }) });
        expect(finding(result, 'policy-host-misplaced')).toMatchObject({
          severity: 'warning', subject: `${name} A, AAAA`, message: expect.stringContaining(`${POLICY_HOST} has no address, but ${name} has`), fix,
        });
      }
    });

  test('a delegated record is not a misplaced policy host', async () => {
    const record = [cname(`_mta-sts.${DOMAIN}`, 'mx1.example.test'), txt('mx1.example.test', STS)];
    expect(misplaced(await loopback.verify({ zone: zone({ address: undefined, sts: undefined }, ...record) }))).toEqual([]);
  });

  test('a wildcard address record does not count as a misplaced policy host', async () => {
    const result = await loopback.verify({ zone: zone({ address: txt(POLICY_HOST, 'x') }, addressOf(`*.${DOMAIN}`, '127.0.0.1')) });
    expect(misplaced(result)).toEqual([]);
  });
});

describe('a domain below its zone', () => {
  test('misplaced records of a subdomain are searched at names with the zone appended', async () => {
    const { verify } = await import('../../../lib/verifier/verify');
    const { createResolver } = await import('../../../lib/verifier/dns/resolver');
    const { port } = await loopback.dns([RECORDS.soa, RECORDS.ns, RECORDS.nsAddress, txt(`_mta-sts.mail.${DOMAIN}.${DOMAIN}`, STS)]);
    const result = await verify(`mail.${DOMAIN}`, { nameServerPort: port, allowPrivate: true }, {
      resolver: createResolver({ servers: [`127.0.0.1:${port}`], tries: 1, timeoutMs: 10_000 }), fetchPolicy: () => Promise.reject(new Error('nobody')),
    });
    expect(finding(result, 'record-misplaced').fix).toBe(`move it to _mta-sts.mail.${DOMAIN}: enter the name as \`_mta-sts.mail\` there, without the zone`);
  });
});

describe('a CNAME that leads nowhere', () => {
  test.each([
    ['sts', `_mta-sts.${DOMAIN}`, 'error'], ['address', POLICY_HOST, 'error'], ['tlsRpt', REPORTING, 'warning'],
  ] as const)('a CNAME (%s) without target is reported at its name', async (key, name, severity) => {
    const result = await loopback.verify({ zone: zone({ [key]: cname(name, 'gone.example.test') }) });
    const found = finding(result, 'cname-dangling');
    expect(found).toMatchObject({ severity, message: 'the CNAME leads to gone.example.test, where nothing is found', fix: 'delete the CNAME, or create what it leads to' });
    expect(found.subject.startsWith(`${name} `)).toBe(true);
    expect(codes(result).filter((code) => code.endsWith('-missing') && code !== 'info ipv6-missing')).toEqual([]);
  });

  test.each(['sts', 'address', 'tlsRpt'] as const)('a CNAME (%s) into the own zone that lacks its trailing dot is reported as such', async (key) => {
    const name = { sts: `_mta-sts.${DOMAIN}`, address: POLICY_HOST, tlsRpt: REPORTING }[key];
    const other = await loopback.verify({ zone: zone({ [key]: cname(name, `mta-sts.provider.net.${DOMAIN}`) }) });
    expect(finding(other, 'cname-dangling')).toMatchObject({
      message: `the CNAME leads to mta-sts.provider.net.${DOMAIN}, where nothing is found. If \`mta-sts.provider.net\` is meant, the dot at its end is missing`,
      fix: 'let the CNAME lead to `mta-sts.provider.net.`, with the dot at its end; or delete it',
    });
    const twice = await loopback.verify({ zone: zone({ [key]: cname(name, `host.${DOMAIN}.${DOMAIN}`) }) });
    expect(finding(twice, 'cname-dangling').message).toMatch(/\. The zone name is appended twice: the dot at its end is missing$/);
  });

  test('a CNAME to a name without the record is reported as an alias', async () => {
    const aliases = { sts: cname(`_mta-sts.${DOMAIN}`, 'mx1.example.test'), tlsRpt: cname(REPORTING, 'mx1.example.test') };
    const result = await loopback.verify({ zone: zone(aliases) });
    expect(finding(result, 'record-missing').fix).toMatch(/^delete the CNAME at _mta-sts\.example\.test, where there is one, and publish .*; or let whoever holds mx1\.example\.test publish the record there$/);
    const live = await loopback.verify({ zone: zone({ tlsRpt: aliases.tlsRpt }) });
    expect(finding(live, 'tls-rpt-missing')).toMatchObject({
      message: 'there is no TLS reporting record at _smtp._tls.example.test; the name is an alias of mx1.example.test, perhaps by a wildcard, and no TXT record is there',
      fix: expect.stringMatching(/^delete the CNAME, where there is one, and publish/),
    });
  });
});

describe('a domain of which nothing is published', () => {
  const nothing = zone({ sts: undefined, address: undefined, tlsRpt: undefined });

  test('a domain without MTA-STS gets one finding with the first step', async () => {
    const result = await loopback.verify({ zone: nothing });
    expect(codes(result)).toEqual(['error record-missing']);
    expect(finding(result, 'record-missing')).toMatchObject({
      message: `MTA-STS is not published for ${DOMAIN}: there is neither a TXT record at _mta-sts.${DOMAIN} nor a policy host ${POLICY_HOST}`,
      fix: `begin with \`npx cdk-mta-sts suggest ${DOMAIN}\`, which prints a policy for the mail hosts of today and the steps to publish it`,
    });
  });

  test('a domain with a trace of MTA-STS or an expectation gets the ordinary finding', async () => {
    const begun = [
      zone({ sts: undefined }), zone({ sts: txt(`_mta-sts.${DOMAIN}`, 'x'), address: undefined }), zone({ sts: undefined, address: undefined }, txt(DOMAIN, STS)),
      zone({ sts: undefined, address: addressOf(`${POLICY_HOST}.${DOMAIN}`, '127.0.0.1') }),
    ];
    for (const records of begun) {
      expect(finding(await loopback.verify({ zone: records }), 'record-missing').message).toBe(`there is no MTA-STS record at _mta-sts.${DOMAIN}`);
    }
    const expected = await loopback.verify({ zone: nothing, options: { expectId: '1' } });
    expect(finding(expected, 'record-missing').message).toBe(`there is no MTA-STS record at _mta-sts.${DOMAIN}`);
  });

  test('a domain with a failed policy host query gets the ordinary finding', async () => {
    const answer = zoneAnswers(nothing);
    const result = await loopback.verify({
      zone: (question) => question.name === POLICY_HOST ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answer(question),
    });
    expect(finding(result, 'record-missing').message).toBe(`there is no MTA-STS record at _mta-sts.${DOMAIN}`);
  });
});

describe('TLS reports', () => {
  const sentTo = (rua: string, ...more: DnsRecord[]): ReturnType<Loopback['verify']> => {
    return loopback.verify({ zone: [...zone({ tlsRpt: txt(REPORTING, `v=TLSRPTv1; rua=${rua}`) }), { ...RECORDS.soa, name: 'reports.test' }, ...more], policy: { body: POLICY.replace('enforce', 'testing') } });
  };
  const unreachable = (result: VerificationResult): string[] => result.findings.filter(({ code }) => code === 'tls-rpt-unreachable').map(({ message }) => message.replace(/\. A failure.*/, ''));

  test.each([
    ['mailto:a@reports.test', [], 'reports.test has neither an MX record nor an address'],
    ['mailto:a@gone.reports.test?subject=x', [], 'there is no gone.reports.test in DNS'],
    ['mailto:a@null.reports.test', [{ ...RECORDS.mx1, name: 'null.reports.test', data: { preference: 0, exchange: '.' } }], 'null.reports.test has a null MX: it takes no mail'],
    ['mailto:?to=a@gone.reports.test', [], 'there is no gone.reports.test in DNS'],
    ['mailto:?subject=x&to=a@gone.reports.test', [], 'there is no gone.reports.test in DNS'],
    ['https://gone.reports.test/v1', [], 'there is no gone.reports.test in DNS'],
    ['https://reports.test:8443/v1', [], 'reports.test has no address'],
  ] as const)('TLS reports to %s cannot arrive, which is a warning in mode testing too', async (rua, more, why) => {
    const result = await sentTo(rua, ...more);
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'tls-rpt-unreachable')).toMatchObject({ severity: 'warning', subject: `${REPORTING} TXT` });
    expect(unreachable(result)).toEqual([`TLS reports to ${rua} cannot arrive: ${why}`]);
  });

  test.each([
    ['mailto:a@mail.reports.test', [{ ...RECORDS.mx1, name: 'mail.reports.test' }]],
    ['mailto:a@v6.reports.test', [addressOf('v6.reports.test', '::1')]],
    ['mailto:a@V6%2Ereports.test', [addressOf('v6.reports.test', '::1')]],
    ['https://host.reports.test/', [addressOf('host.reports.test', '127.0.0.1')]],
    ['https://192.0.2.1/', []], ['https://[2001:db8::1]/', []], ['mailto:a@[192.0.2.1]', []], ['mailto:a@localhost', []], ['mailto:?to=a@%ff.reports.test', []],
  ])('TLS reports to %s can arrive by DNS', async (rua, more) => {
    expect(unreachable(await sentTo(rua, ...more))).toEqual([]);
  });

  test('TLS reports to a domain with a DNS failure are unknown', async () => {
    for (const rua of ['mailto:a@reports.test', 'https://reports.test/']) {
      const answer = zoneAnswers(zone({ tlsRpt: txt(REPORTING, `v=TLSRPTv1; rua=${rua}`) }));
      const result = await loopback.verify({
        zone: (question) => question.name === 'reports.test' ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answer(question),
      });
      expect(unreachable(result)).toEqual([]);
      expect(finding(result, 'dns-failure')).toMatchObject({
        severity: 'unknown', message: `whether TLS reports to ${rua} can arrive is not known: reports.test could not be looked up: SERVFAIL`,
      });
    }
  });

  test('TLS reports to very many domains are checked up to a maximum', async () => {
    const rua = Array.from({ length: 9 }, (_, at) => `mailto:a@${at}.reports.test`).join(',');
    expect(unreachable(await sentTo(rua))).toHaveLength(8);
  });

  test('TLS reports to the domain itself cost no additional query', async () => {
    const asked: string[] = [];
    const answer = zoneAnswers(zone());
    await loopback.verify({
      zone: (question) => {
        asked.push(`${question.name} ${question.type}`);
        return answer(question);
      },
    });
    expect(asked.filter((one) => one === `${DOMAIN} MX`)).toHaveLength(1);
  });

  test('TLS reports to several addresses of one domain give one finding', async () => {
    expect(unreachable(await sentTo('mailto:a@gone.reports.test,mailto:b@gone.reports.test'))).toHaveLength(1);
  });
});
