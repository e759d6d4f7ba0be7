// The policy host of a live domain: every address, every way to misbehave, and what comes of it.
import { afterEach, describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../../lib/preview/dns-server/server';
import type { DnsRecord } from '../../../lib/preview/dns-server/server';
import type { FetchPolicy } from '../../../lib/verifier/https/policy-fetch';
import type { PolicyResponse } from '../../../lib/verifier/https/policy-response';
import { POLICY_HOST, Loopback, POLICY, RECORDS, zone } from '../../support/domain';
import type { Behaviour } from '../../support/policy-server';
import { codes, finding } from '../../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

const URL_OF_POLICY = `https://${POLICY_HOST}/.well-known/mta-sts.txt`;
const v4 = (data: string): DnsRecord => ({ ...RECORDS.address, data });
const v6 = (data: string): DnsRecord => ({ ...RECORDS.address, type: 'AAAA', data });

describe('a policy host that misbehaves at its only address', () => {
  test.each<[Behaviour, string, string, string]>([
    ['wrong-name', 'sts-webpki-invalid', 'permanent-error', `certificate is for other.example, *.other.example, not for ${POLICY_HOST}`],
    ['untrusted', 'sts-webpki-invalid', 'permanent-error', 'certificate is issued by Unknown authority, which is not a trusted authority'],
    ['self-signed', 'sts-webpki-invalid', 'permanent-error', 'certificate is self-signed'],
    ['expired', 'sts-webpki-invalid', 'permanent-error', 'certificate has expired on 2020-01-02T00:00:00Z'],
    ['not-yet-valid', 'sts-webpki-invalid', 'permanent-error', 'certificate is not valid before 2100-01-01T00:00:00Z'],
    ['redirect', 'sts-policy-fetch-error', 'permanent-error', 'the answer is a redirect (status 301 to https://www.example/policy), which senders never follow'],
    ['404', 'sts-policy-fetch-error', 'permanent-error', 'the answer has status 404, only 200 is a policy'],
    ['500', 'sts-policy-fetch-error', 'temporary-error', 'the answer has status 500, only 200 is a policy'],
    ['html', 'sts-policy-invalid', 'permanent-error', 'a web page is served in place of the policy (as `text/html`, its title is `Welcome`)'],
    ['html-media-type', 'sts-policy-invalid', 'permanent-error', 'the media type is `text/html; charset=utf-8`, `text/plain` is expected'],
    ['no-media-type', 'sts-policy-invalid', 'permanent-error', 'there is no media type, `text/plain` is expected'],
    ['late', 'sts-policy-fetch-error', 'temporary-error', 'response headers not there within 500 ms'],
    ['slow-drip', 'sts-policy-fetch-error', 'temporary-error', 'response body not complete within 500 ms'],
    ['endless', 'sts-policy-fetch-error', 'permanent-error', 'the body is larger than 65536 bytes, where senders stop reading'],
    ['too-large', 'sts-policy-fetch-error', 'permanent-error', 'the body is larger than 65536 bytes, where senders stop reading'],
    ['broken-off', 'sts-policy-fetch-error', 'temporary-error', 'broken off in the middle of the body (connection reset)'],
    ['plain-http', 'sts-policy-fetch-error', 'permanent-error', 'does not speak TLS on this port'],
    ['tls-1.1', 'sts-policy-fetch-error', 'permanent-error', 'offers no TLS version from 1.2 on'],
    ['reset', 'sts-policy-fetch-error', 'temporary-error', 'connection reset'],
    ['not-http', 'sts-policy-fetch-error', 'permanent-error', 'does not speak HTTP'],
  ])('a policy host that answers with %s gives an error', async (behaviour, code, lookup, message) => {
    const waits = behaviour === 'late' || behaviour === 'slow-drip';
    const result = await loopback.verify({ policy: { behaviour }, fetchTimeoutMs: waits ? 500 : undefined });
    expect(result).toMatchObject({ verdict: 'fail', lookup, record: { id: '1' }, policy: null, mx: [{ covered: null }, { covered: null }] });
    const errors = result.findings.filter(({ severity }) => severity === 'error');
    expect(errors).toMatchObject([{ code, subject: URL_OF_POLICY, evidence: expect.stringMatching(/^127\.0\.0\.1: /) }]);
    expect(errors.at(0)?.message.startsWith(message)).toBe(true);
    expect(errors.at(0)?.message).toMatch(/, at 127\.0\.0\.1(; refused or read otherwise by .*)?$/);
    expect(errors.at(0)?.fix).toMatch(/./);
  });

  test('the finding about the media type text/html names the senders that check it', async () => {
    const result = await loopback.verify({ policy: { behaviour: 'html-media-type' } });
    const senders = ['postfix-tlspol', 'chasquid', 'go-mtasts', 'kumomta', 'postfix-mta-sts-resolver', 'rest-mail'];
    expect(finding(result, 'sts-policy-invalid')).toMatchObject({ senders, quirks: [{ senders, effect: 'refuses the policy' }] });
  });

  test('a malformed file gives one finding for the file and one for each problem', async () => {
    const result = await loopback.verify({ policy: { behaviour: 'bom' } });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error', policy: null });
    expect(codes(result).slice(0, 2)).toEqual(['error sts-policy-invalid', 'error policy-bom']);
    expect(finding(result, 'sts-policy-invalid')).toMatchObject({
      message: 'the policy file is malformed: the file begins with a byte order mark (bytes EF BB BF)',
      evidence: expect.stringContaining('127.0.0.1: status 200, text/plain; charset=utf-8, '),
    });
  });

  test('the finding about a malformed file counts the problems', async () => {
    const result = await loopback.verify({ policy: { body: 'version: STSv2\nmode: maybe\n' } });
    expect(finding(result, 'sts-policy-invalid').message).toMatch(/^the policy file is malformed: .* \(and \d more\)$/);
  });

  test('a redirect without a target is an error', async () => {
    const result = await loopback.verify({ network: { fetchPolicy: () => Promise.resolve(answered({ status: 302 })) } });
    expect(finding(result, 'sts-policy-fetch-error').message).toBe('the answer is a redirect (status 302), which senders never follow, at 127.0.0.1');
  });
});

describe('the addresses of a policy host', () => {
  test('a policy host without addresses is an error', async () => {
    const result = await loopback.verify({ zone: zone({ address: undefined }) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(finding(result, 'sts-policy-fetch-error')).toMatchObject({
      subject: `${POLICY_HOST} A, AAAA`, message: `${POLICY_HOST} has no address`, fix: `publish A and AAAA records at ${POLICY_HOST} that lead to the policy host`,
    });
  });

  test('a dangling CNAME at the policy host is an error', async () => {
    const result = await loopback.verify({ zone: zone({ address: { name: POLICY_HOST, type: 'CNAME', ttl: 1, data: 'gone.example.test' } }) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(finding(result, 'cname-dangling')).toMatchObject({ subject: `${POLICY_HOST} A, AAAA`, evidence: expect.stringContaining('through CNAME gone.example.test') });
  });

  test('a DNS failure for the policy host is unknown', async () => {
    const answer = zoneAnswers(zone());
    const result = await loopback.verify({
      zone: (question) => question.name === POLICY_HOST ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answer(question),
    });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error', record: { id: '1' } });
    expect(result.findings.filter(({ code }) => code === 'dns-failure').map(({ subject }) => subject)).toEqual([`${POLICY_HOST} A`, `${POLICY_HOST} AAAA`]);
  });

  test('the addresses of one family are used when the query for the other fails', async () => {
    const answer = zoneAnswers(zone());
    const result = await loopback.verify({
      zone: (question) => question.type === 'AAAA' ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false } : answer(question),
    });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(result.findings.filter(({ code }) => code === 'dns-failure').map(({ subject }) => subject)).toEqual([`${POLICY_HOST} AAAA`, 'MX mx1.example.test', 'MX mx2.backup.test']);
  });

  test('a CNAME at the policy host is followed', async () => {
    const result = await loopback.verify({
      zone: zone({ address: { name: POLICY_HOST, type: 'CNAME', ttl: 1, data: 'host.example.test' } }, { ...RECORDS.address, name: 'host.example.test' }),
    });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
  });

  test('a resolver that still caches the absence of the policy host is a warning', async () => {
    const result = await loopback.verify({ recursive: zone({ address: undefined }) });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(finding(result, 'resolver-stale').message).toBe(`the recursive resolver still says that ${POLICY_HOST} has no such address for up to 60 s, the zone has 127.0.0.1`);
  });

  test('a policy host with only IPv6 is a warning, with only IPv4 a note', async () => {
    const { port } = await loopback.policy({ address: '::1' });
    const result = await loopback.verify({ zone: zone({ address: v6('::1') }), policyPort: port });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(finding(result, 'ipv4-missing').severity).toBe('warning');
    expect(finding(await loopback.verify(), 'ipv6-missing').severity).toBe('info');
  });

  test('an address at one of two name servers is a temporary error that shows both answers', async () => {
    const ns2: DnsRecord = { ...RECORDS.ns, data: 'ns2.example.test' };
    const zones = zone({}, ns2, { ...RECORDS.nsAddress, name: 'ns2.example.test', data: '127.0.0.2' });
    const complete = await loopback.dns(zones);
    await loopback.dns(zones.filter(({ name }) => name !== POLICY_HOST), '127.0.0.2', complete.port);
    const result = await loopback.verify({ zone: zones, options: { nameServerPort: complete.port } });
    expect(result.verdict).toBe('fail');
    expect(finding(result, 'policy-host-disagreement')).toMatchObject({
      severity: 'error', temporary: true, subject: `${POLICY_HOST} A`, fix: expect.stringContaining('all its name servers'),
      message: expect.stringMatching(/^ns2\.example\.test \(\S+\) has no A record of mta-sts\.example\.test, ns1\.example\.test \(\S+\) has$/),
    });
  });

  test('every address of the policy host is tried, up to a maximum', async () => {
    const many = Array.from({ length: 70 }, (_, at) => v4(`127.0.1.${at}`));
    const tried: string[] = [];
    const result = await loopback.verify({
      zone: zone({ address: undefined }, ...many),
      network: {
        fetchPolicy: ({ address }) => {
          tried.push(address);
          return Promise.resolve(answered({}));
        },
      },
    });
    expect(new Set(tried).size).toBe(64);
    expect(finding(result, 'addresses-skipped').message).toBe(`${POLICY_HOST} has 70 addresses, of which the first 64 were tried`);
  });
});

describe('one address among several', () => {
  test('a dead IPv6 address is a warning while IPv4 answers', async () => {
    const result = await loopback.verify({ zone: zone({}, v6('::1')) });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(codes(result)).toEqual(['warning address-unreachable']);
    expect(finding(result, 'address-unreachable')).toMatchObject({ message: 'connection refused, at ::1', evidence: expect.stringContaining('::1: connection refused (ECONNREFUSED)') });
  });

  test('an address family that this machine lacks is unknown', async () => {
    const result = await loopback.verify({ zone: zone({}, v6('ff02::1'), v6('ff02::2')) });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(codes(result)).toEqual(['unknown address-family-unusable']);
    expect(finding(result, 'address-family-unusable').message).toBe('ff02::1, ff02::2 could not be tried, this machine has no route for IPv6');
  });

  test('a failing address is an error when no other address can be tried', async () => {
    const result = await loopback.verify({ zone: zone({ address: v6('ff02::1') }) });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error', policy: null });
  });

  test('a bad certificate at one address is an error, because senders try no other address', async () => {
    const { port } = await loopback.policy();
    await loopback.policy({ address: '127.0.0.2', port, behaviour: 'expired' });
    const result = await loopback.verify({ zone: zone({}, v4('127.0.0.2')), policyPort: port });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'found' });
    expect(finding(result, 'sts-webpki-invalid')).toMatchObject({ severity: 'error', message: 'certificate has expired on 2020-01-02T00:00:00Z, at 127.0.0.2' });
  });

  test.each(['redirect', '404', 'html'] as const)('one address that answers with %s is an error', async (behaviour) => {
    const { port } = await loopback.policy();
    await loopback.policy({ address: '127.0.0.2', port, behaviour });
    const result = await loopback.verify({ zone: zone({}, v4('127.0.0.2')), policyPort: port });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'found', policy: { mode: 'enforce' } });
    expect(result.findings.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([expect.stringContaining('at 127.0.0.2')]);
  });

  test('an address with other bytes is an error that shows the first different line', async () => {
    const { port } = await loopback.policy();
    await loopback.policy({ address: '127.0.0.2', port, body: POLICY.replace('enforce', 'testing') });
    const result = await loopback.verify({ zone: zone({}, v4('127.0.0.2')), policyPort: port });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'found', policy: { mode: 'enforce' } });
    expect(finding(result, 'policy-disagreement').message)
      .toBe('127.0.0.2 serves another file than 127.0.0.1: line 2 is "mode: enforce\\x0d\\x0a" (127.0.0.1) and "mode: testing\\x0d\\x0a" (127.0.0.2)');
  });

  test('addresses that fail in the same way share one finding', async () => {
    const more = Array.from({ length: 7 }, (_, at) => v4(`127.0.0.${at + 2}`));
    const result = await loopback.verify({ zone: zone({ address: undefined }, ...more), policyPort: (await closedPort()) });
    expect(finding(result, 'sts-policy-fetch-error').message)
      .toBe('connection refused, at 127.0.0.2, 127.0.0.3, 127.0.0.4, 127.0.0.5, 127.0.0.6, 127.0.0.7 and 1 more');
  });
});

describe('a policy host that serves a good file', () => {
  test('an expiring certificate of the policy host is a warning', async () => {
    const result = await loopback.verify({ policy: { behaviour: 'near-expiry' } });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'certificate-near-expiry').message).toMatch(/^the certificate ends on \d{4}-\d\d-\d\dT[\d:]+Z, at 127\.0\.0\.1$/);
  });

  test('a fetch of more than 2 seconds is a warning', async () => {
    const result = await loopback.verify({ network: { fetchPolicy: () => Promise.resolve(answered({ milliseconds: 2500 })) } });
    expect(result.verdict).toBe('pass');
    expect(finding(result, 'policy-slow').message).toBe('the policy file took up to 2.5 s, at 127.0.0.1; senders give up after 2 to 4 s');
  });

  test.each(['text/plain', 'TEXT/Plain', 'text/plain ; format=flowed', 'text/plain;charset=us-ascii'])('the media type %s gives no finding', async (contentType) => {
    const result = await loopback.verify({ policy: { contentType } });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
  });

  test('a policy host that recovers passes the next verification', async () => {
    const { port } = await loopback.policy({ first: { body: 'not yet', requests: 1 } });
    expect(await loopback.verify({ policyPort: port })).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(await loopback.verify({ policyPort: port })).toMatchObject({ verdict: 'pass', lookup: 'found' });
  });

  test('a served file gets the findings of the linter, with subject and evidence', async () => {
    const result = await loopback.verify({ policy: { body: POLICY.replace('2592000', '90000') } });
    expect(result.findings.find(({ code }) => code === 'policy-max-age-enforce')).toMatchObject({
      severity: 'warning', subject: URL_OF_POLICY, evidence: expect.stringContaining('status 200'),
    });
  });

  test.each([['testing', 'mode-testing'], ['none', 'mode-none']] as const)('a policy in mode %s gives a note and no error', async (mode, code) => {
    const result = await loopback.verify({ policy: { body: POLICY.replace('enforce', mode) } });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', policy: { mode } });
    expect(finding(result, code).severity).toBe('info');
  });
});

async function closedPort(): Promise<number> {
  const { port, close } = await loopback.policy({ address: '127.0.0.2' });
  await close();
  return port;
}

function answered(more: Partial<Extract<PolicyResponse, { outcome: 'answered' }>>): Awaited<ReturnType<FetchPolicy>> {
  return {
    outcome: 'answered', status: 200, contentType: 'text/plain', body: Buffer.from(POLICY), tooLarge: false, milliseconds: 20, tlsVersion: 'TLSv1.3',
    certificate: { subjectAltName: `DNS:${POLICY_HOST}`, issuer: 'CA', validFrom: '2020-01-01T00:00:00Z', validTo: '2999-01-01T00:00:00Z' },
    ...more,
  };
}

describe('a machine that has run out of files', () => {
  test('a machine without free file handles leaves the policy host undecided', async () => {
    const spent = { outcome: 'unusable', code: 'EMFILE', reason: 'this process has no more files to open', milliseconds: 1 } as const;
    const result = await loopback.verify({ network: { fetchPolicy: () => Promise.resolve(spent) } });
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error' });
    expect(finding(result, 'local-fault')).toMatchObject({
      severity: 'unknown', temporary: true, message: '127.0.0.1 could not be tried: this process has no more files to open', fix: expect.stringContaining('ulimit -n'),
    });
  });

  test('a machine without free file handles leaves the mail hosts undecided', async () => {
    const spent = { outcome: 'unusable', code: 'EMFILE', reason: 'this process has no more files to open', milliseconds: 1 } as const;
    const mxProbe = { reachedAny: false, probe: () => Promise.resolve(spent) };
    const result = await loopback.verify({ zone: zone({ mx2: undefined }), options: { smtp: true }, network: { mxProbe } });
    const found = result.findings.filter(({ code }) => code === 'local-fault').map(({ subject, message }) => `${subject}: ${message}`);
    expect(found).toEqual(['MX mx1.example.test: mx1.example.test could not be tried: this process has no more files to open, at 127.0.0.1']);
  });
});
