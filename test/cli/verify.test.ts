import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Verifier } from '../../cli/context';
import { startDnsServer, zoneAnswers } from '../../lib/preview/dns-server/server';
import type { DnsRecord, DnsServer } from '../../lib/preview/dns-server/server';
import { createFetchPolicy } from '../../lib/verifier/https/policy-fetch';
import type { VerificationResult } from '../../lib/verifier/result';
import { createNetwork } from '../../lib/verifier/default-network';
import { verify } from '../../lib/verifier/verify';
import { startPolicyServer } from '../support/policy-server';
import type { PolicyServer } from '../support/policy-server';
import { verificationResult } from '../support/report';
import { run, runJson } from '../support/command';

const POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: mx1.example.test\r\nmax_age: 2592000\r\n';

let dns: DnsServer;
let silent: DnsServer;
let host: PolicyServer;

beforeAll(async () => {
  host = await startPolicyServer({ policyHost: 'mta-sts.example.test', body: POLICY });
  dns = await startDnsServer({ address: '127.0.0.1', answer: zoneAnswers([...zone('example.test', 'mx1.example.test'), ...zone('uncovered.test', 'mx.elsewhere.test')]) });
  silent = await startDnsServer({ address: '127.0.0.1', answer: () => 'drop' });
});

afterAll(async () => {
  await Promise.all([dns.close(), silent.close(), host.close()]);
});

/** A complete domain. Its policy host is that of example.test, whose certificate is valid only for that name. */
function zone(domain: string, mx: string): DnsRecord[] {
  return [
    { name: domain, type: 'SOA', ttl: 60, data: { mname: `ns1.${domain}`, rname: `hostmaster.${domain}`, serial: 1, refresh: 60, retry: 60, expire: 60, minimum: 60 } },
    { name: domain, type: 'NS', ttl: 60, data: `ns1.${domain}` },
    { name: `ns1.${domain}`, type: 'A', ttl: 60, data: '127.0.0.1' },
    { name: domain, type: 'MX', ttl: 60, data: { preference: 10, exchange: mx } },
    { name: `_mta-sts.${domain}`, type: 'TXT', ttl: 60, data: ['v=STSv1; id=20250114;'] },
    { name: `_smtp._tls.${domain}`, type: 'TXT', ttl: 60, data: [`v=TLSRPTv1; rua=mailto:tls-reports@${domain}`] },
    { name: `mta-sts.${domain}`, type: 'A', ttl: 60, data: '127.0.0.1' },
    { name: `mx1.${domain}`, type: 'A', ttl: 60, data: '127.0.0.1' },
  ];
}

/** The real verifier with the servers above. */
function local(): Promise<Verifier> {
  return Promise.resolve({
    createNetwork: (options) => ({
      ...createNetwork(options),
      fetchPolicy: createFetchPolicy({ port: host.port, ca: [host.ca] }),
    }),
    verify: (domain, options, network) => verify(domain, { ...options, allowPrivate: true, nameServerPort: dns.port }, network),
  });
}

/** Returns a verifier that answers from a table and records its calls. */
function fake(verdicts: Readonly<Record<string, VerificationResult['verdict']>>, calls: unknown[] = []): () => Promise<Verifier> {
  return () => Promise.resolve({
    createNetwork,
    verify: async (domain, options) => {
      calls.push({ domain, ...options, signal: undefined });
      // Later domains answer faster.
      await new Promise((resolve) => setTimeout(resolve, 20 - 5 * calls.length));
      if (!Object.hasOwn(verdicts, domain)) throw new RangeError(`\`${domain}\` is too long`);
      return verificationResult({ domain, verdict: verdicts[domain] });
    },
  });
}

const at = (server: DnsServer): string[] => ['--resolver', `127.0.0.1:${server.port}`];

describe('against real servers', () => {
  test('verify ends with status 1 for a host that the policy does not cover and a certificate for another name', async () => {
    const { status, json } = await runJson(['verify', 'uncovered.test', ...at(dns)], { loadVerifier: local });
    expect(status).toBe(1);
    expect(json).toMatchObject({ domains: [{ domain: 'uncovered.test', verdict: 'fail', lookup: 'permanent-error', record: { id: '20250114' }, policy: null }] });
    expect(json).toHaveProperty('domains.0.findings.0.code', 'sts-webpki-invalid');
  });

  test('verify ends with status 3 within its timeout when the resolver never answers', async () => {
    const { status, json } = await runJson(['verify', 'example.test', '--timeout', '300ms', ...at(silent)], { loadVerifier: local });
    expect(status).toBe(3);
    expect(json).toMatchObject({ domains: [{ verdict: 'unknown', lookup: 'temporary-error', record: null, policy: null }] });
    // Less than the timeout of the resolver, twice 2 seconds.
    expect(JSON.stringify(json)).toContain('not answered within the 300 ms that the verification may take');
    expect(JSON.stringify(json)).not.toContain('within 2 s');
  });

  test('verify ends with status 1 for unmet expectations and names both values', async () => {
    const { status, stdout } = await run(['verify', 'example.test', '--expect-id', 'other', '--expect-mode', 'testing', ...at(dns)], { loadVerifier: local });
    expect(status).toBe(1);
    expect(stdout).toMatch(/✘ id-unexpected[^\n]*\n[^\n]*20250114/);
    expect(stdout).toMatch(/✘ mode-unexpected[^\n]*\n[^\n]*enforce/);
    expect(stdout).toContain('other');
  });

  test('verify ends with status 0 for a domain without problems, and its JSON has the values', async () => {
    const { status, json } = await runJson(['verify', 'EXAMPLE.test', '--expect-id', '20250114', '--expect-mode', 'enforce', ...at(dns)], { loadVerifier: local });
    expect(json).toMatchObject({
      domains: [{
        domain: 'example.test',
        verdict: 'pass',
        lookup: 'found',
        record: { id: '20250114' },
        policy: { mode: 'enforce', maxAge: 2592000, mx: ['mx1.example.test'] },
        mx: [{ host: 'mx1.example.test', covered: true }],
      }],
    });
    expect(status).toBe(0);
  });

  test('the text of verify shows the steps from record to file to MX', async () => {
    const { stdout, stderr } = await run(['verify', 'example.test', '--no-smtp', ...at(dns)], { loadVerifier: local });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^✔ example\.test: pass\n {2}Senders find a policy: they deliver only to covered hosts/);
    expect(stdout).toContain('  record    ✔ id 20250114 at _mta-sts.example.test\n');
    expect(stdout).toMatch(/ {2}file {6}[✔!] mode enforce, kept for 30 days, at https:\/\/mta-sts\.example\.test\/\.well-known\/mta-sts\.txt\n/);
    expect(stdout).toContain('  mx        ✔ mx1.example.test is covered\n');
  });

  test('verify loads the real verifier by default', async () => {
    const { status, json } = await runJson(['verify', 'example.test', '--timeout', '50ms', ...at(silent)]);
    expect(status).toBe(3);
    expect(json).toMatchObject({ domains: [{ domain: 'example.test', verdict: 'unknown' }] });
  });
});

describe('several domains', () => {
  test.each<[Record<string, VerificationResult['verdict']>, number]>([
    [{ 'a.test': 'pass', 'b.test': 'fail', 'c.test': 'unknown' }, 1],
    [{ 'a.test': 'pass', 'b.test': 'unknown' }, 3],
    [{ 'a.test': 'unknown', 'b.test': 'fail' }, 1],
    [{ 'a.test': 'pass', 'b.test': 'pass' }, 0],
  ])('verify of %j ends with status %d', async (verdicts, status) => {
    expect((await run(['verify', ...Object.keys(verdicts)], { loadVerifier: fake(verdicts) })).status).toBe(status);
  });

  test('verify prints domains in the order of the arguments and counts them', async () => {
    const calls: unknown[] = [];
    const { stdout } = await run(['verify', 'c.test', 'a.test', 'b.test'], { loadVerifier: fake({ 'a.test': 'pass', 'b.test': 'fail', 'c.test': 'pass' }, calls) });
    expect(stdout.match(/^[✔✘] \S+/gm)).toEqual(['✔ c.test:', '✔ a.test:', '✘ b.test:']);
    expect(stdout).toMatch(/\n3 domains: 2 pass, 1 fail\n$/);
    expect(calls).toHaveLength(3);
  });

  test('verify prints text domain by domain', async () => {
    let verified = 0;
    let verifiedAtFirstOutput = 0;
    const loadVerifier = (): Promise<Verifier> => Promise.resolve({
      createNetwork,
      verify: async (domain) => {
        if (domain === 'b.test') await new Promise((resolve) => setTimeout(resolve, 20));
        verified += 1;
        return verificationResult({ domain });
      },
    });
    await run(['verify', 'a.test', 'b.test'], { loadVerifier, onOutput: () => verifiedAtFirstOutput ||= verified });
    expect(verifiedAtFirstOutput).toBe(1);
  });

  test('verify reports a name that the verifier refuses as wrong usage', async () => {
    const { status, stderr } = await run(['verify', 'long.test'], { loadVerifier: fake({}) });
    expect(status).toBe(2);
    expect(stderr).toBe('mta-sts: `long.test` is too long\ntry `npx cdk-mta-sts verify --help`\n');
  });
});

test('verify gives each domain its own timeout and the same expectations, and converts U-labels and a final dot', async () => {
  const calls: unknown[] = [];
  const { status } = await run(['verify', 'Bücher.test', 'a.test.', '--timeout', '1m', '--expect-id', 'X1', '--expect-mode', 'none'], {
    loadVerifier: fake({ 'xn--bcher-kva.test': 'pass', 'a.test': 'pass' }, calls),
  });
  expect(status).toBe(0);
  expect(calls).toEqual(['xn--bcher-kva.test', 'a.test'].map((domain) => ({
    domain, timeoutMs: 60_000, expectId: 'X1', expectMode: 'none', smtp: true, allowPrivate: undefined,
  })));
});

test('the default timeout of verify is 20 seconds for each domain', async () => {
  const calls: unknown[] = [];
  await run(['verify', 'a.test'], { loadVerifier: fake({ 'a.test': 'pass' }, calls) });
  expect(calls).toEqual([{ domain: 'a.test', timeoutMs: 20_000, smtp: true, allowPrivate: undefined }]);
});
