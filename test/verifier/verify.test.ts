// One whole verification: what it takes, what it expects, how long it lasts, and how it sums up.
import { afterEach, describe, expect, test } from '@jest/globals';
import { policyHash, renderPolicyId } from '../../lib/protocol/policy/id';
import { firstDifference } from '../../lib/util/first-difference';
import { LIVE_FINDINGS } from '../../lib/verifier/findings';
import { duration } from '../../lib/verifier/network-errors';
import { mayPass, summary } from '../../lib/verifier/result';
import type { LiveFinding, Verdict } from '../../lib/verifier/result';
import { verify } from '../../lib/verifier/verify';
import type { VerifyOptions, Network } from '../../lib/verifier/verify';
import { DOMAIN, Loopback, POLICY, RECORDS, addressOf, sts, zone } from '../support/domain';
import { never, withLongerLimits } from '../support/waiting';
import { verificationResult as goodReport } from '../support/report';
import { FakeClock } from '../support/fake-clock';
import { codes, finding } from '../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

/** 2026-11-30T19:24:08Z, when ids were made. */
const TIME = Date.UTC(2026, 10, 30, 19, 24, 8);

/** A network that must not be used. */
const NOBODY: Partial<Network> = {
  resolver: { query: () => Promise.reject(new Error('nobody may be asked')) },
  fetchPolicy: () => Promise.reject(new Error('nobody may be asked')),
};

describe('invalid domains', () => {
  test.each([
    ['', 'is empty'],
    ['.', 'begins with a dot'],
    ['localhost', 'is a single label'],
    ['192.0.2.1', 'is an IPv4 address'],
    ['user@example.com', 'contains `@`'],
    ['https://example.com', 'contains `:`'],
    ['a..example.com', 'has an empty label'],
    ['a\u001b[2J.example', 'contains `\\x1b`'],
    [`${'a'.repeat(60)}.`.repeat(4) + 'com', 'is longer than 242 characters'],
  ])('verify rejects %j before it sends a query', async (domain, fault) => {
    await expect(verify(domain, {}, NOBODY)).rejects.toThrow(fault);
    await expect(verify(domain, {}, NOBODY)).rejects.toMatchObject({ name: 'RangeError' });
  });
});

describe('a domain', () => {
  test('a correct domain passes, and the result holds record, policy, delivery and observations', async () => {
    const result = await loopback.verify();
    expect(result).toMatchObject({
      domain: DOMAIN,
      verdict: 'pass',
      lookup: 'found',
      record: { id: '1' },
      policy: { mode: 'enforce', maxAge: 2592000, mx: ['mx1.example.test', '*.backup.test'] },
      mx: [{ host: 'mx1.example.test', covered: true }, { host: 'mx2.backup.test', covered: true }],
    });
    expect(codes(result)).toEqual(['info ipv6-missing']);
  });

  test('verify accepts a domain in upper case, in U-labels, and with a trailing dot', async () => {
    const asked = new Set<string>();
    const network: Partial<Network> = {
      ...NOBODY,
      resolver: {
        query: (name) => {
          asked.add(name);
          return Promise.resolve({ status: 'failed', reason: 'SERVFAIL', server: 'x', cnames: [] });
        },
      },
    };
    expect((await verify('BÜCHER.Example.', {}, network)).domain).toBe('xn--bcher-kva.example');
    expect([...asked]).toContain('_mta-sts.xn--bcher-kva.example');
  });
});

describe('an expectation', () => {
  test('another id than expected is an error that shows both ids', async () => {
    const result = await loopback.verify({ options: { expectId: '2' } });
    expect(result.verdict).toBe('fail');
    expect(finding(result, 'id-unexpected')).toMatchObject({ severity: 'error', subject: `_mta-sts.${DOMAIN} TXT`, message: 'the id is `1`, expected `2`' });
  });

  test('another mode than expected is an error that shows both modes', async () => {
    const result = await loopback.verify({ options: { expectMode: 'testing' } });
    expect(finding(result, 'mode-unexpected').message).toBe('the mode is `enforce`, expected `testing`');
  });

  test('another policy file than expected is an error that shows the first different line', async () => {
    const result = await loopback.verify({ options: { expectPolicy: POLICY.replaceAll('\r\n', '\n') } });
    expect(finding(result, 'policy-unexpected').message)
      .toBe('the file served is not the one expected: line 1 is "version: STSv1\\x0a" (expected) and "version: STSv1\\x0d\\x0a" (served)');
  });

  test('a malformed policy file is compared with the expected file too', async () => {
    const result = await loopback.verify({ policy: { body: 'not a policy\n' }, options: { expectPolicy: POLICY } });
    expect(codes(result)).toContain('error policy-unexpected');
  });

  test('a file without the hash of the expected id is an error, even if the record has that id', async () => {
    const id = renderPolicyId(TIME, policyHash('other'));
    const result = await loopback.verify({ zone: zone({ sts: sts(id) }), options: { expectId: id } });
    expect(result.verdict).toBe('fail');
    expect(finding(result, 'policy-unexpected').message).toBe(
      `the file served is not the one expected: its hash is \`${policyHash(POLICY)}\`, expected \`${policyHash('other')}\`, which the expected id names`,
    );
    expect(codes(result)).not.toContain('warning id-names-other-policy');
  });

  test('an expected hash is compared with the file, and an expected file takes precedence over it', async () => {
    const verdictOf = async (options: VerifyOptions): Promise<Verdict> => (await loopback.verify({ options })).verdict;
    expect(await verdictOf({ expectId: '1', expectHash: policyHash(POLICY) })).toBe('pass');
    expect(await verdictOf({ expectId: '1', expectHash: policyHash('other') })).toBe('fail');
    expect(await verdictOf({ expectId: '1', expectHash: policyHash('other'), expectPolicy: POLICY })).toBe('pass');
  });

  test('an expected id without a hash is not compared with the file', async () => {
    for (const id of ['1', '0123456789abcdef0123456789abcdef', '20261130T192408', `20261399T192408${policyHash('other')}`]) {
      expect((await loopback.verify({ zone: zone({ sts: sts(id) }), options: { expectId: id } })).verdict).toBe('pass');
    }
  });

  test('a met expectation gives no finding', async () => {
    const result = await loopback.verify({ options: { expectId: '1', expectMode: 'enforce', expectPolicy: POLICY } });
    expect(result.verdict).toBe('pass');
  });

  test('a missing record and a missing file give no finding about the expectation', async () => {
    const result = await loopback.verify({
      zone: zone({ sts: undefined, address: undefined }), options: { expectId: '1', expectMode: 'enforce', expectPolicy: POLICY },
    });
    expect(codes(result).filter((code) => code.endsWith('-unexpected'))).toEqual([]);
  });
});

describe('an id that names the bytes', () => {
  const other = renderPolicyId(TIME, policyHash(`${POLICY}note: x\r\n`));

  test('an id with the hash of the served file gives no finding', async () => {
    const result = await loopback.verify({ zone: zone({ sts: sts(renderPolicyId(TIME, policyHash(POLICY))) }) });
    expect(codes(result)).toEqual(['info ipv6-missing']);
  });

  test('an id with the hash of another file is a warning with both hashes and the time of the id', async () => {
    const result = await loopback.verify({ zone: zone({ sts: sts(other) }) });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'id-names-other-policy')).toMatchObject({
      severity: 'warning',
      temporary: true,
      subject: `_mta-sts.${DOMAIN} TXT`,
      message: `the id \`${other}\` was made at 2026-11-30T19:24:08Z for a file with the hash \`${other.slice(15)}\`, but the file served has the hash `
        + `\`${policyHash(POLICY)}\`. A deployment was rolled back or is under way, or somebody changed the file or the record manually`,
      evidence: expect.stringMatching(new RegExp(`v=STSv1; id=${other};.*hash of the file served: ${policyHash(POLICY)}$`)),
      fix: 'wait where a deployment is under way; else publish the policy again (deploy), so that the file gets an id of its own',
    });
  });

  test('the hash of the id is checked for a malformed file and for every mode', async () => {
    for (const body of ['not a policy\n', 'version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n']) {
      const result = await loopback.verify({ zone: zone({ sts: sts(other) }), policy: { body } });
      expect(finding(result, 'id-names-other-policy').message).toContain(`has the hash \`${policyHash(body)}\``);
    }
  });

  test('a wrong hash is not reported twice when an expectation reports it', async () => {
    for (const options of [{ expectId: 'x' }, { expectPolicy: 'other' }]) {
      const result = await loopback.verify({ zone: zone({ sts: sts(other) }), options });
      expect(codes(result).filter((code) => /id-names|unexpected/.test(code))).toHaveLength(1);
      expect(codes(result)).not.toContain('warning id-names-other-policy');
    }
  });

  test('a wrong hash is reported beside an unexpected mode', async () => {
    const result = await loopback.verify({ zone: zone({ sts: sts(other) }), options: { expectMode: 'testing' } });
    expect(codes(result)).toEqual(expect.arrayContaining(['error mode-unexpected', 'warning id-names-other-policy']));
  });

  test.each(['0123456789abcdef0123456789abcdef', '20261130192408', '20261130T192408', 'x'])('a foreign id, such as %s, gives no finding about its hash', async (id) => {
    expect(codes(await loopback.verify({ zone: zone({ sts: sts(id) }) }))).toEqual(['info ipv6-missing']);
  });

  test('an id is not checked when no file was fetched', async () => {
    const result = await loopback.verify({ zone: zone({ sts: sts(other) }), policy: { behaviour: '404' } });
    expect(codes(result)).not.toContain('warning id-names-other-policy');
  });
});

describe('the first difference of two files', () => {
  const difference = (a: string, b: string): string => firstDifference(Buffer.from(a), Buffer.from(b), 'a', 'b');

  test.each([
    ['x\ny\n', 'x\nz\n', 'line 2 is "y\\x0a" (a) and "z\\x0a" (b)'],
    ['x\n', 'x\ny\n', 'line 2 is not there (a) and "y\\x0a" (b)'],
    ['x\ny\n', 'x\n', 'line 2 is "y\\x0a" (a) and not there (b)'],
    ['', 'x', 'line 1 is not there (a) and "x" (b)'],
    ['x', 'x\n', 'line 1 is "x" (a) and "x\\x0a" (b)'],
    ['\u00e9', 'e', 'line 1 is "Ã©" (a) and "e" (b)'],
  ])('%j and %j', (a, b, expected) => {
    expect(difference(a, b)).toBe(expected);
  });
});

describe('time', () => {
  test('after the timeout, unfinished checks are unknown and finished checks are decided', async () => {
    const { result: result, limitMs } = await withLongerLimits(
      [1500, 5000, 15_000],
      (timeoutMs) => loopback.verify({ options: { timeoutMs }, network: { fetchPolicy: never } }),
      ({ record }) => record !== null,
    );
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error', record: { id: '1' }, policy: null });
    expect(finding(result, 'not-reached')).toMatchObject({
      severity: 'unknown', message: '127.0.0.1 was not decided in time', evidence: expect.stringContaining(`not answered within the ${duration(limitMs)} that the verification may take`),
    });
  });

  test('after the timeout, verify sends no further query', async () => {
    let questions = 0;
    const clock = new FakeClock();
    const result = await clock.run(() => verify(DOMAIN, { timeoutMs: 50 }, {
      ...NOBODY,
      clock,
      resolver: {
        query: () => {
          questions += 1;
          return never();
        },
      },
    }));
    // The NS records of the domain and its parent, MX, TLSRPT and the MX of three names below; and, when the name servers have had
    // their part of the time, the record and both address families: what depends on those was never asked.
    expect(questions).toBe(10);
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error' });
  });

  test('verify takes the time from the given clock', async () => {
    const clock = { now: () => Date.parse('2500-01-01T00:00:00Z'), sleep: () => new Promise<void>(() => undefined) };
    const result = await loopback.verify({ network: { clock } });
    expect(finding(result, 'certificate-near-expiry').severity).toBe('warning');
  });
});

describe('a broken network', () => {
  test('a network that rejects gives findings, not an exception', async () => {
    const reject = (): Promise<never> => Promise.reject(new Error('a bug'));
    const result = await loopback.verify({ network: { fetchPolicy: reject } });
    expect(result).toMatchObject({ lookup: 'temporary-error' });
    expect(await verify(DOMAIN, {}, { resolver: { query: reject }, fetchPolicy: reject })).toMatchObject({ verdict: 'unknown' });
  });
});

describe('the real network', () => {
  test('verify uses the real network by default, and sends nothing with a timeout of zero', async () => {
    const result = await verify('example.invalid', { timeoutMs: 0 });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error' });
    expect(finding(result, 'name-servers-unknown').message).toContain('(example.invalid NS: not asked, the time was up)');
    for (const { code, message, evidence } of result.findings.filter((one) => one.code === 'dns-failure')) {
      expect({ code, message, evidence }).toMatchObject({ message: expect.stringContaining('not asked, the time was up'), evidence: 'the recursive resolver: not asked, the time was up' });
      expect(message).not.toContain('did not answer');
    }
    const ofServers = await verify('example.invalid', { timeoutMs: 0, nameServers: ['127.0.0.1'] });
    expect(finding(ofServers, 'name-server-unanswered').message).toBe('the name server 127.0.0.1 was not asked, the time was up');
  });
});

describe('a report', () => {
  test('the result lists the worst findings first', async () => {
    const result = await loopback.verify({
      zone: zone({ tlsRpt: undefined }, { ...RECORDS.mx1, data: { preference: 5, exchange: 'mail.backup.example.test' } }, addressOf('mail.backup.example.test', '127.0.0.1'), { ...RECORDS.address, type: 'AAAA', data: 'ff02::1' }),
      policy: { body: POLICY.replace('max_age', 'mx: mx3.example.test\r\nmax_age') },
    });
    expect(codes(result)).toEqual([
      'error mx-not-covered', 'unknown address-family-unusable', 'warning mx-pattern-unused', 'warning tls-rpt-missing',
    ]);
  });

  test('the summary is one line with the worst finding and its fix', async () => {
    const line = summary(await loopback.verify({ zone: zone({ sts: sts('old') }), options: { expectId: 'new' } }));
    expect(line).toBe('example.test: fail, lookup found (error 1, info 1): id-unexpected: the id is `old`, expected `new`; publish the intended id, after the file that belongs to it is live');
  });

  test('the summary of a correct domain names no finding', async () => {
    expect(summary(await loopback.verify())).toBe('example.test: pass, lookup found (info 1)');
    expect(summary({ ...await loopback.verify(), findings: [] })).toBe('example.test: pass, lookup found');
  });

  test('the summary has one line of at most 300 characters', () => {
    const line = summary(goodReport({
      verdict: 'fail', findings: [{ code: 'x', severity: 'error', area: 'other', subject: 'x', message: `a\n${'b'.repeat(400)}` }],
    }));
    expect(line.length).toBeLessThanOrEqual(300);
    expect(line).not.toContain('\n');
  });
});

describe('a verification that may pass later', () => {
  const lasting: LiveFinding = { code: 'x', severity: 'error', area: 'other', subject: 'x', message: 'x' };
  const passing: LiveFinding = { ...lasting, temporary: true };
  const as = (severity: 'unknown' | 'warning', one: LiveFinding): LiveFinding => ({ ...one, severity });

  test.each<[Verdict, string, LiveFinding[], boolean]>([
    ['pass', 'no findings', [], true],
    ['fail', 'only temporary errors', [passing, passing, as('warning', lasting)], true],
    ['fail', 'one lasting error', [passing, lasting], false],
    ['unknown', 'a temporary unknown finding', [as('unknown', passing), as('unknown', lasting)], true],
    ['unknown', 'only lasting unknown findings', [as('unknown', lasting), as('warning', passing)], false],
  ])('a verification with the verdict %s and %s tells whether waiting can help', (verdict, _, findings, expected) => {
    expect(mayPass(goodReport({ verdict, findings }))).toBe(expected);
  });
});

describe('the catalogue', () => {
  test.each(Object.entries(LIVE_FINDINGS))('the catalogue explains %s', (code, kind) => {
    expect(code).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    expect(kind.reference).toMatch(/^RFC \d+ §/);
    expect(kind.meaning).toMatch(/^[A-Z].*\.$/);
    expect(kind.impact).toMatch(/^[A-Z].*\.$/);
    expect(kind.fix).toMatch(/^[a-z].*[^.]$/);
  });
});
