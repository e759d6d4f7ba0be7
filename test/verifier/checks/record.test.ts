// The TXT record of a live domain: what the name servers say, what the resolver remembers, and what nobody says.
import { afterEach, describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../../lib/preview/dns-server/server';
import type { DnsAnswerer, DnsRecord, DnsReply } from '../../../lib/preview/dns-server/server';
import { createResolver } from '../../../lib/verifier/dns/resolver';
import type { Resolver } from '../../../lib/verifier/dns/resolver';
import { DOMAIN, Loopback, RECORDS, sts, zone } from '../../support/domain';
import { realClockExcept } from '../../support/fake-clock';
import { never, until } from '../../support/waiting';
import { codes, finding } from '../../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

const reply = (rcode: DnsReply['rcode'], answers: readonly DnsRecord[] = []): DnsReply => ({ rcode, answers, authorities: [], authoritative: true });

/** A zone where one name is answered in another way. */
function except(name: string, instead: DnsAnswerer, records = zone()): DnsAnswerer {
  const answer = zoneAnswers(records);
  return (question) => question.name === name ? instead(question) : answer(question);
}

describe('a record that is not there', () => {
  test('a missing record is an error, and the lookup finds no policy', async () => {
    const result = await loopback.verify({ zone: zone({ sts: undefined }), policy: { behaviour: '404' } });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'none', record: null, policy: null });
    expect(codes(result)).toEqual(['error record-missing']);
    expect(finding(result, 'record-missing')).toMatchObject({
      subject: '_mta-sts.example.test TXT',
      message: 'there is no MTA-STS record at _mta-sts.example.test',
      evidence: expect.stringContaining('no such name (NXDOMAIN)'),
      fix: 'publish the TXT record `v=STSv1; id=<id>;` at _mta-sts.example.test, after https://mta-sts.example.test/.well-known/mta-sts.txt is reachable',
    });
  });

  test('a policy file without a record gives a note, and its problems are not reported', async () => {
    const served = await loopback.verify({ zone: zone({ sts: undefined }) });
    expect(codes(served)).toEqual(['error record-missing', 'info policy-unannounced']);
    expect(served).toMatchObject({ lookup: 'none', policy: null, mx: [{ host: 'mx1.example.test', covered: null }, { covered: null }] });
    const broken = await loopback.verify({ zone: zone({ sts: undefined }), policy: { behaviour: 'expired' } });
    expect(codes(broken)).toEqual(['error record-missing']);
  });

  test.each(['_mta_sts.example.test', 'example.test'])('a missing record is searched at %s', async (name) => {
    const result = await loopback.verify({ zone: zone({ sts: { ...RECORDS.sts, name } }) });
    expect(finding(result, 'record-misplaced')).toMatchObject({
      severity: 'warning', subject: `${name} TXT`, fix: 'move it to _mta-sts.example.test',
      message: `a record that belongs at _mta-sts.example.test stands at ${name}: "v=STSv1; id=1;"`,
    });
  });

  test('an unrelated TXT record in place of the record is an error', async () => {
    const result = await loopback.verify({ zone: zone({ sts: { ...RECORDS.sts, data: ['v=spf1 -all'] } }) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'none' });
    expect(finding(result, 'record-missing').evidence).toContain('"v=spf1 -all"');
  });
});

describe('a record that is malformed or doubled', () => {
  test('a malformed record means no policy', async () => {
    const result = await loopback.verify({ zone: zone({ sts: { ...RECORDS.sts, data: ['v=STSv1; id=not-an-id;'] } }) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'none', record: null, policy: null });
    expect(result.findings[0]).toMatchObject({
      code: 'record-id-invalid', severity: 'error', subject: '_mta-sts.example.test TXT', evidence: expect.stringContaining('"v=STSv1; id=not-an-id;" (TTL 300 s)'),
    });
  });

  test('two records mean no policy', async () => {
    const result = await loopback.verify({ zone: zone({}, sts('2')) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'none' });
    expect(codes(result)).toContain('error record-multiple');
    expect(codes(result)).not.toContain('error record-missing');
  });
});

describe('an alias', () => {
  test('a CNAME at _mta-sts is followed to another zone', async () => {
    const alias: DnsRecord = { name: `_mta-sts.${DOMAIN}`, type: 'CNAME', ttl: 60, data: '_mta-sts.provider.test' };
    const provider: DnsRecord[] = [{ ...RECORDS.soa, name: 'provider.test' }, { ...sts('provided'), name: '_mta-sts.provider.test' }];
    const result = await loopback.verify({ zone: zone({ sts: alias }), recursive: [...zone({ sts: alias }), ...provider] });
    expect(result).toMatchObject({ verdict: 'pass', record: { id: 'provided' } });
  });

  test('a dangling CNAME at _mta-sts is an error', async () => {
    const alias: DnsRecord = { name: `_mta-sts.${DOMAIN}`, type: 'CNAME', ttl: 60, data: 'gone.example.test' };
    const result = await loopback.verify({ zone: zone({ sts: alias }) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'none' });
    expect(codes(result)).not.toContain('error record-missing');
    expect(finding(result, 'cname-dangling')).toMatchObject({ severity: 'error', message: 'the CNAME leads to gone.example.test, where nothing is found' });
  });

  test('a CNAME loop at _mta-sts is a DNS failure, not "no policy"', async () => {
    const alias: DnsRecord = { name: `_mta-sts.${DOMAIN}`, type: 'CNAME', ttl: 60, data: `_mta-sts.${DOMAIN}` };
    const result = await loopback.verify({ zone: zone({ sts: alias }) });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error' });
    expect(finding(result, 'dns-failure').message).toBe('the recursive resolver did not answer (CNAME loop at _mta-sts.example.test)');
  });
});

describe('CNAMEs that are a fault themselves', () => {
  test.each([
    ['in a loop', (at: number): number => (at + 1) % 2, 'break the loop'],
    ['in a long row', (at: number): number => at + 1, 'shorten the chain'],
  ])('a CNAME problem (%s) has its own fix and is not temporary', async (_, next, fix) => {
    const chain = (name: string): DnsRecord[] => Array.from({ length: 10 }, (__, at) => {
      const label = (link: number): string => link === 0 ? name : `${name}-${link}`;
      return { name: `${label(at)}.example.test`, type: 'CNAME', ttl: 1, data: `${label(next(at))}.example.test` };
    });
    const [first, ...rest] = chain('_mta-sts');
    const [host, ...hosts] = chain('mta-sts');
    const result = await loopback.verify({ zone: zone({ sts: first, address: host }, ...rest, ...hosts) });
    expect(result.verdict).toBe('unknown');
    const fixes = result.findings.filter(({ code }) => ['dns-failure', 'name-server-unanswered'].includes(code)).map((one) => one.fix);
    expect(fixes).toHaveLength(4);
    expect(fixes.every((one) => one?.startsWith(fix))).toBe(true);
  });
});

describe('many records', () => {
  test('many records are compared completely, and messages list the first ones', async () => {
    const many = (id: string): DnsRecord[] => Array.from({ length: 400 }, (_, at) => ({ ...RECORDS.sts, data: [`v=STSv1; id=${at}${id};`] }));
    const result = await loopback.verify({ zone: zone({ sts: undefined }, ...many('new')), recursive: zone({ sts: undefined }, ...many('old')) });
    const { message, evidence = '' } = finding(result, 'resolver-stale');
    expect(message).toBe('the recursive resolver still has "v=STSv1; id=0old;" and "v=STSv1; id=100old;" and "v=STSv1; id=101old;" and "v=STSv1; id=102old;"'
      + ' and 396 more for up to 300 s, the zone has "v=STSv1; id=0new;" and "v=STSv1; id=100new;" and "v=STSv1; id=101new;" and "v=STSv1; id=102new;" and 396 more');
    expect(evidence.length).toBeLessThan(1000);
  });

  test('records that differ after the listed part still disagree', async () => {
    const long = (end: string): DnsRecord => ({ ...RECORDS.sts, data: [`v=STSv1; id=1; x=${'y'.repeat(150)}${end};`] });
    const result = await loopback.verify({ zone: zone({ sts: long('1') }), recursive: zone({ sts: long('2') }) });
    expect(codes(result)).toContain('warning resolver-stale');
  });

  test('a disagreement of many name servers lists the first ones', async () => {
    const ports = await Promise.all(Array.from({ length: 7 }, async (_, at) => (await loopback.dns(zone({ sts: sts(String(at)) }))).port));
    const result = await loopback.verify({ options: { nameServers: ports.map((port) => `127.0.0.1:${port}`) } });
    const { message } = finding(result, 'record-disagreement');
    expect(message.match(/ at 127/g)).toHaveLength(4);
    expect(message).toMatch(/ and 3 more$/);
  });
});

describe('name servers that cannot be reached from here', () => {
  /**
   * The resolver answers well, and its answer names a server with two addresses that swallow every question. Finding them may take as
   * long as it likes, the whole too; the share of the name servers is over when both have been asked.
   */
  async function swallowed(timeoutMs: number | undefined, shareMs: number): ReturnType<Loopback['verify']> {
    const first = await loopback.dns(() => 'drop', '127.0.0.2');
    const second = await loopback.dns(() => 'drop', '127.0.0.3', first.port);
    const addresses = ['127.0.0.2', '127.0.0.3'].map((data) => ({ ...RECORDS.nsAddress, data }));
    const shares = [never, () => until(() => Math.min(first.queries.length, second.queries.length) >= 3)];
    return loopback.verify({
      recursive: zone({ nsAddress: undefined }, ...addresses), options: { nameServerPort: first.port, timeoutMs }, dnsTimeoutMs: 120_000,
      network: { clock: realClockExcept({ [shareMs]: () => (shares.shift() ?? never)(), [timeoutMs ?? 20_000]: never }) },
    });
  }

  test.each([[undefined, 2500, '2.5 s'], [5000, 1250, '1.3 s']])('unreachable name servers leave time for the resolver, which decides (timeout %s)', async (timeoutMs, shareMs, given) => {
    const result = await swallowed(timeoutMs, shareMs);
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', record: { id: '1' } });
    expect(codes(result)).toEqual(['unknown name-server-unanswered', 'unknown name-servers-unknown', 'info ipv6-missing']);
    expect(finding(result, 'name-server-unanswered').message).toMatch(new RegExp(
      `^the name server ns1\\.example\\.test \\(127\\.0\\.0\\.2:\\d+, 127\\.0\\.0\\.3:\\d+\\) gave no usable answer \\(no answer within the ${given} that name servers are given\\)$`,
    ));
  });

  test('unreachable name servers and a silent policy host cost no extra time', async () => {
    const answer = zoneAnswers(zone());
    // What is dropped would hold it up for longer than the test may take.
    const result = await loopback.verify({
      zone: (question) => ['NS', 'AAAA'].includes(question.type) ? 'drop' : answer(question), options: { timeoutMs: 4000 }, dnsTimeoutMs: 120_000,
      network: { clock: realClockExcept({ 4000: never }) },
    });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(finding(result, 'name-servers-unknown').message)
      .toBe('the name servers of example.test could not be found (example.test NS: no answer within the 1 s that name servers are given), so the recursive resolver alone decides');
    expect(result.findings.filter(({ code }) => code === 'dns-failure').map(({ subject, message }) => [subject, message.replace(/.*: /, '')])).toEqual([
      ['mta-sts.example.test AAAA', 'no answer for another 1 s after the other address family was found'],
      ...['mx1.example.test', 'mx2.backup.test'].map((host) => [`MX ${host}`, 'no answer for another 2 s after the other address family was found']),
    ]);
  });

  test('a name server address that was not asked in time is not reported as silent', async () => {
    const { port } = await loopback.dns(() => 'drop', '127.0.0.2');
    const shares = [never, () => Promise.resolve()];
    const addresses = ['127.0.0.2', '127.0.0.3'].map((data) => ({ ...RECORDS.nsAddress, data }));
    const result = await loopback.verify({
      recursive: zone({ nsAddress: undefined }, ...addresses), options: { nameServerPort: port, timeoutMs: 960 }, dnsTimeoutMs: 120_000,
      // The share is over before the second address has its turn after 250 ms, and was not while the name servers were looked for.
      network: {
        clock: realClockExcept({ 240: () => (shares.shift() ?? never)(), 250: () => until(() => shares.length === 0), 960: never }),
      },
    });
    expect(finding(result, 'name-server-unanswered').message).toMatch(/127\.0\.0\.3:\d+: not asked, the time was up\)$/);
  });
});

describe('name servers', () => {
  const NAME = `_mta-sts.${DOMAIN}`;

  /** A domain with two name servers of its own behaviour each, on the same port of two addresses. */
  async function withSecond(second: DnsAnswerer, first: DnsAnswerer = zoneAnswers(twoServers), secondMs = 30_000): ReturnType<Loopback['verify']> {
    const { port } = await loopback.dns(first);
    await loopback.dns(second, '127.0.0.2', port);
    const resolverWith = (timeoutMs: number): Resolver => createResolver({ servers: [`127.0.0.1:${port}`], timeoutMs, tries: 1 });
    const [resolver, hasty] = [resolverWith(30_000), resolverWith(secondMs)];
    const query: Resolver['query'] = (name, type, server) => (server === `127.0.0.2:${port}` ? hasty : resolver).query(name, type, server);
    return loopback.verify({ zone: first, options: { nameServerPort: port }, network: { resolver: { query } } });
  }

  const twoServers = zone({}, { ...RECORDS.ns, data: 'ns2.example.test' }, { ...RECORDS.nsAddress, name: 'ns2.example.test', data: '127.0.0.2' });

  test('name servers that disagree are an error that shows both answers', async () => {
    const result = await withSecond(except(NAME, () => reply('NOERROR', [sts('2')])));
    expect(result).toMatchObject({ verdict: 'fail', record: { id: '1' } });
    expect(finding(result, 'record-disagreement').message).toMatch(
      /^the zone's name servers disagree: "v=STSv1; id=1;" at ns1\.example\.test \(127\.0\.0\.1:\d+\); "v=STSv1; id=2;" at ns2\.example\.test \(127\.0\.0\.2:\d+\)$/,
    );
  });

  test('a record at only one name server is an error, whichever answers first', async () => {
    const has = await withSecond(except(NAME, () => reply('NXDOMAIN')));
    expect(finding(has, 'record-disagreement').message).toContain('no record at ns2.example.test');
    const hasNot = await withSecond(zoneAnswers(twoServers), except(NAME, () => reply('NXDOMAIN'), twoServers));
    expect(hasNot.record).toEqual({ id: '1' });
    expect(codes(hasNot)).toEqual(expect.arrayContaining(['error record-disagreement', 'warning resolver-stale']));
    expect(codes(hasNot)).not.toContain('error record-missing');
  });

  test('name servers agree when only string cuts or unrelated records differ', async () => {
    const result = await withSecond(except(NAME, () => reply('NOERROR', [{ ...RECORDS.sts, data: ['v=STSv1; ', 'id=1;'] }, { ...RECORDS.sts, data: ['other'] }])));
    expect(codes(result)).not.toContain('error record-disagreement');
  });

  test.each([
    ['says SERVFAIL', (): DnsReply => reply('SERVFAIL'), 'SERVFAIL'],
    ['says REFUSED', (): DnsReply => reply('REFUSED'), 'REFUSED'],
    ['stays silent', (): 'drop' => 'drop', 'no answer within 300 ms'],
    ['is not responsible', (): DnsReply => ({ ...reply('NOERROR'), authoritative: false }), 'not authoritative for this name'],
    ['remembers an old record', (): DnsReply => ({ ...reply('NOERROR', [sts('OLD')]), authoritative: false }), 'not authoritative for this name'],
  ])('with two name servers of which one %s, the other decides', async (_, second, reason) => {
    const result = await withSecond(second, undefined, reason.startsWith('no answer') ? 300 : undefined);
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(finding(result, 'name-server-unanswered')).toMatchObject({
      severity: 'unknown', message: expect.stringMatching(`^the name server ns2.example.test \\(127.0.0.2:\\d+\\) gave no usable answer \\(${reason}\\)$`),
    });
  });

  test('when all name servers fail, the resolver decides, and a finding says so', async () => {
    const result = await loopback.verify({ zone: () => reply('REFUSED'), recursive: zone() });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', record: { id: '1' } });
    expect(codes(result)).toEqual(['unknown name-server-unanswered', 'unknown name-servers-unknown', 'info ipv6-missing']);
    expect(finding(result, 'name-servers-unknown').message).toBe('none of the name servers of example.test gave a usable answer, so the recursive resolver alone decides');
  });

  test('name servers that are not authoritative leave the decision to the resolver', async () => {
    const lame = except(NAME, () => ({ ...reply('NOERROR', [sts('OLD')]), authoritative: false }));
    const result = await loopback.verify({ zone: lame, recursive: zone() });
    expect(result).toMatchObject({ verdict: 'pass', record: { id: '1' } });
    expect(codes(result)).toEqual(['unknown name-server-unanswered', 'unknown name-servers-unknown', 'info ipv6-missing']);
  });

  test('when no name server is found, the resolver decides, and a finding says so', async () => {
    const result = await loopback.verify({ zone: zone({ ns: undefined }) });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(finding(result, 'name-servers-unknown').message)
      .toBe('the name servers of example.test could not be found (test NS: REFUSED), so the recursive resolver alone decides');
  });

  test('name servers given by the caller are asked without an NS query', async () => {
    const own = await loopback.dns(zone({ sts: sts('own') }));
    const result = await loopback.verify({ options: { nameServers: [`127.0.0.1:${own.port}`] } });
    expect(result.record).toEqual({ id: 'own' });
    expect(own.queries.some(({ type }) => type === 'NS')).toBe(false);
    expect(finding(result, 'resolver-stale').evidence).toContain(`127.0.0.1:${own.port}: "v=STSv1; id=own;"`);
  });

  test('a long record is fetched over TCP', async () => {
    const long: DnsRecord = { ...RECORDS.sts, data: ['v=STSv1; id=1; ', ...Array.from({ length: 6 }, (_, at) => `x${at}=${'y'.repeat(240)}; `)] };
    const result = await loopback.verify({ zone: zone({ sts: long }) });
    expect(result).toMatchObject({ lookup: 'found', record: { id: '1' } });
  });
});

describe('the recursive resolver', () => {
  test('a resolver with the old record is a warning with both records and the TTL', async () => {
    const result = await loopback.verify({ zone: zone({ sts: sts('new') }), recursive: zone({ sts: { ...sts('old'), ttl: 77 } }) });
    expect(result).toMatchObject({ verdict: 'pass', record: { id: 'new' } });
    expect(finding(result, 'resolver-stale')).toMatchObject({
      severity: 'warning', message: 'the recursive resolver still has "v=STSv1; id=old;" for up to 77 s, the zone has "v=STSv1; id=new;"',
    });
  });

  test('a resolver that caches "no such name" is a warning with the remaining TTL', async () => {
    const result = await loopback.verify({ recursive: zone({ sts: undefined }) });
    expect(finding(result, 'resolver-stale').message).toBe('the recursive resolver still has no record for up to 60 s, the zone has "v=STSv1; id=1;"');
  });

  test('a resolver that answers SERVFAIL where the zone answers leaves the verdict open', async () => {
    const result = await loopback.verify({ recursive: except(`_mta-sts.${DOMAIN}`, () => reply('SERVFAIL')) });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'found' });
    expect(finding(result, 'dns-failure')).toMatchObject({
      severity: 'unknown',
      message: 'the recursive resolver answers SERVFAIL where the name servers answer, as one that validates does where DNSSEC is broken: senders behind such a one see no policy',
    });
  });

  test('the resolver is not asked below the domain before the name servers have answered', async () => {
    const own = await loopback.dns(zone());
    const recursive = await loopback.dns(zone());
    const order: string[] = [];
    const real = createResolver({ servers: [`127.0.0.1:${recursive.port}`], timeoutMs: 30_000 });
    await loopback.verify({
      options: { nameServerPort: own.port },
      network: {
        resolver: {
          query: async (name, type, server) => {
            const answer = await real.query(name, type, server);
            order.push(`${server === undefined ? 'recursive' : 'own'} ${name} ${type}`);
            return answer;
          },
        },
      },
    });
    expect(order).toContain(`own mta-sts.${DOMAIN} AAAA`);
    for (const name of [`_mta-sts.${DOMAIN} TXT`, `mta-sts.${DOMAIN} A`]) {
      expect(order.indexOf(`own ${name}`)).toBeGreaterThan(-1);
      expect(order.indexOf(`recursive ${name}`)).toBeGreaterThan(order.indexOf(`own ${name}`));
    }
  });
});

describe('DNS that does not answer at all', () => {
  test.each([['SERVFAIL', (): DnsReply => reply('SERVFAIL')], ['silence', (): 'drop' => 'drop']])('(%s) is unknown and temporary, never "no policy"', async (_, answer) => {
    const result = await loopback.verify({ zone: answer, dnsTimeoutMs: 200 });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error', record: null, policy: null, mx: [] });
    expect(codes(result).every((code) => code.startsWith('unknown '))).toBe(true);
  });
});
