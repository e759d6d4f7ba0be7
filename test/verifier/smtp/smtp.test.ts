// SMTP in a whole verification: each way in which a mail host misbehaves, its finding, and what senders would do with the mail.
import { afterEach, describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../../lib/preview/dns-server/server';
import type { DnsRecord } from '../../../lib/preview/dns-server/server';
import { classifySmtp } from '../../../lib/verifier/checks/mail/smtp';
import type { SmtpObservations } from '../../../lib/verifier/checks/mail/smtp-collect';
import type { LiveFindingCode } from '../../../lib/verifier/findings';
import { PORT_BLOCKED } from '../../../lib/verifier/smtp/mx-response';
import type { MxInsecure, MxResponse } from '../../../lib/verifier/smtp/mx-response';
import type { MxProbe } from '../../../lib/verifier/smtp/mx-probe';
import { duration } from '../../../lib/verifier/network-errors';
import type { VerificationResult, LiveFinding } from '../../../lib/verifier/result';
import { DOMAIN, Loopback, MX1, MX2, POLICY, RECORDS, addressOf, mailZone, zone } from '../../support/domain';
import type { MxBehaviour } from '../../support/mx-server';
import { withLongerLimits } from '../../support/waiting';
import { codes, finding } from '../../support/verification';

const loopback = new Loopback();
afterEach(() => loopback.close());

const ONE_MX = { mx2: undefined };
/** Returns the records of one mail host, by default at 127.0.0.1. */
const oneHost = (...addresses: string[]): DnsRecord[] => mailZone((addresses.length === 0 ? ['127.0.0.1'] : addresses).map((one) => addressOf(MX1, one)), ONE_MX);
const policy = (mode: string): { body: string } => ({ body: `version: STSv1\r\nmode: ${mode}\r\nmx: ${MX1}\r\nmax_age: 2592000\r\n` });

/** A probe that finds the same at every address. */
function probing(response: MxResponse, reachedAny = true): MxProbe {
  return { reachedAny, probe: () => Promise.resolve(response) };
}

const insecure = (outcome: MxInsecure['outcome'], code = 'X', reason = 'for a reason'): MxInsecure => ({ outcome, code, reason, milliseconds: 7 });

function ofMx(result: VerificationResult): LiveFinding[] {
  return result.findings.filter(({ subject }) => subject.startsWith('MX ') || subject === 'SMTP');
}

describe('mail hosts that do as they should', () => {
  test('senders deliver verified to mail hosts without problems', async () => {
    const result = await loopback.verify({ mx: {} });
    expect(codes(result)).toEqual(['info ipv6-missing']);
    const good = {
      status: 'ok', milliseconds: expect.any(Number),
      answer: expect.stringMatching(/^STARTTLS with TLSv1\.3 in \d+ ms, certificate for DNS:mx1\.example\.test, DNS:mx2\.backup\.test of Test authority until \d{4}-/),
    };
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', delivery: 'deliver-verified' });
    expect(result.mx).toEqual([
      { host: MX1, preference: 10, covered: true, delivery: 'deliver-verified', dane: false, observations: [{ at: '127.0.0.1', ...good }] },
      { host: MX2, preference: 20, covered: true, delivery: 'deliver-verified', dane: false, observations: [{ at: '127.0.0.1', ...good }] },
    ]);
  });

  test('mail hosts are not probed unless SMTP is requested, and their state is unknown', async () => {
    const server = await loopback.mx();
    const result = await loopback.verify({ mxPort: server.port, options: { smtp: false } });
    expect(server.sessions).toEqual([]);
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'unknown', mx: [{ delivery: 'unknown', observations: [] }, { delivery: 'unknown', observations: [] }] });
    expect(ofMx(result)).toEqual([]);
  });

  test.each(['testing', 'none'])('senders deliver to mail hosts in mode %s without relying on TLS', async (mode) => {
    const result = await loopback.verify({ zone: oneHost(), mx: {}, policy: policy(mode) });
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'deliver-unverified', mx: [{ delivery: 'deliver-unverified', observations: [{ status: 'ok' }] }] });
  });

  test('a mail host is probed at each of its addresses, of both families', async () => {
    const server = await loopback.mx();
    await loopback.mx({ port: server.port, address: '::1' });
    const result = await loopback.verify({ zone: oneHost('127.0.0.1', '::1'), mxPort: server.port });
    expect(result.mx.at(0)?.observations.map(({ at, status }) => [at, status])).toEqual([['127.0.0.1', 'ok'], ['::1', 'ok']]);
    expect(ofMx(result)).toEqual([]);
  });
});

describe('a mail host with a fault of TLS', () => {
  const cases: [MxBehaviour, LiveFindingCode, string, boolean][] = [
    ['no-starttls', 'starttls-not-supported', 'does not offer STARTTLS', false],
    ['no-ehlo', 'starttls-not-supported', 'does not offer STARTTLS', false],
    ['starttls-502', 'starttls-not-supported', 'offers STARTTLS and answers `502 not today` to it', false],
    ['starttls-454', 'starttls-not-supported', 'offers STARTTLS and answers `454 TLS not available due to temporary reason` to it', true],
    ['wrong-name', 'certificate-host-mismatch', `certificate is for other.example, *.other.example, not for ${MX1}`, false],
    ['common-name', 'certificate-host-mismatch', `certificate is for no DNS name at all (its SAN has none), not for ${MX1}`, false],
    ['expired', 'certificate-expired', 'certificate has expired on 2020-01-02T00:00:00Z', false],
    ['untrusted', 'certificate-not-trusted', 'certificate is issued by Unknown authority, which is not a trusted authority', false],
    ['self-signed', 'certificate-not-trusted', 'certificate is self-signed', false],
    ['not-yet-valid', 'certificate-not-trusted', 'certificate is not valid before 2100-01-01T00:00:00Z', false],
    ['injected', 'validation-failure', 'sends more in plain text after its answer to STARTTLS', false],
    ['not-tls', 'validation-failure', 'does not speak TLS on this port', false],
    ['tls-1.1', 'validation-failure', 'offers no TLS version from 1.2 on', false],
    ['hang-up-tls', 'validation-failure', 'connection reset while waiting for the TLS handshake', true],
  ];

  test.each(cases)('a mail host with a TLS problem (%s) is an error in mode enforce: %s', async (behaviour, code, message, temporary) => {
    const result = await loopback.verify({ zone: oneHost(), mx: { behaviour }, policy: policy('enforce') });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'found', delivery: 'refuse' });
    expect(result.mx).toMatchObject([{ host: MX1, covered: true, delivery: 'refuse', observations: [{ at: '127.0.0.1', status: 'failed', answer: expect.stringContaining(message) }] }]);
    expect(ofMx(result)).toHaveLength(1);
    expect(finding(result, code)).toMatchObject({
      severity: 'error',
      subject: `MX ${MX1}`,
      message: `${message}, at 127.0.0.1; in mode enforce senders refuse to deliver there`,
      evidence: `127.0.0.1: ${result.mx.at(0)?.observations.at(0)?.answer ?? ''}`,
      fix: expect.stringMatching(/^[a-z]/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(finding(result, code).temporary).toBe(temporary || undefined);
  });

  test.each([
    ['no-starttls', 'starttls-not-supported'], ['wrong-name', 'certificate-host-mismatch'], ['not-tls', 'validation-failure'],
  ] as const)('a mail host with a TLS problem (%s) is a warning in the modes testing and none, where senders deliver', async (behaviour, code) => {
    const testing = await loopback.verify({ zone: oneHost(), mx: { behaviour }, policy: policy('testing') });
    expect(testing).toMatchObject({ verdict: 'pass', delivery: 'deliver-unverified' });
    expect(finding(testing, code)).toMatchObject({ severity: 'warning', message: expect.stringMatching(/; in mode testing senders deliver there and report it$/) });
    const none = await loopback.verify({ zone: oneHost(), mx: { behaviour }, policy: policy('none') });
    expect(none).toMatchObject({ verdict: 'pass', delivery: 'deliver-unverified' });
    expect(finding(none, code)).toMatchObject({ severity: 'warning', message: expect.stringMatching(/; senders deliver there anyway, because no policy forbids it$/) });
  });

  test('a mail host with an invalid certificate is reported with every problem of the certificate', async () => {
    const result = await loopback.verify({ zone: oneHost(), mx: { behaviour: 'expired-wrong-name' }, policy: policy('enforce') });
    expect(ofMx(result).map(({ code }) => code)).toEqual(['certificate-expired', 'certificate-host-mismatch']);
  });

  test('a mail host that is silent in the TLS handshake is a temporary problem', async () => {
    const { result: result, limitMs } = await withLongerLimits(
      [1000, 4000, 16_000],
      (timeoutMs) => loopback.verify({ zone: oneHost(), mx: { behaviour: 'silent-tls' }, probe: { timeoutMs }, policy: policy('enforce') }),
      ({ verdict }) => verdict === 'fail',
    );
    expect(finding(result, 'validation-failure')).toMatchObject({
      severity: 'error', temporary: true, message: expect.stringContaining(`TLS handshake not there within ${duration(limitMs)}`),
    });
  });

  test('a mail host with a TLS problem is reported although another host works, because senders that try all hosts never see it', async () => {
    const { port } = await loopback.mx();
    await loopback.mx({ port, address: '127.0.0.2', behaviour: 'expired' });
    const result = await loopback.verify({ zone: mailZone([addressOf(MX1, '127.0.0.1'), addressOf(MX2, '127.0.0.2')]), mxPort: port });
    expect(result).toMatchObject({ verdict: 'fail', delivery: 'deliver-verified', mx: [{ delivery: 'deliver-verified' }, { delivery: 'refuse' }] });
    expect(ofMx(result)).toMatchObject([{ code: 'certificate-expired', severity: 'error', subject: `MX ${MX2}`, message: expect.stringContaining('at 127.0.0.2;') }]);
  });

  test('a TLS problem at one address of a mail host is reported, and the other address still takes the mail', async () => {
    const { port } = await loopback.mx();
    await loopback.mx({ port, address: '127.0.0.2', behaviour: 'no-starttls' });
    const result = await loopback.verify({ zone: oneHost('127.0.0.1', '127.0.0.2'), mxPort: port, policy: policy('enforce') });
    expect(result).toMatchObject({ verdict: 'fail', delivery: 'deliver-verified', mx: [{ delivery: 'deliver-verified' }] });
    expect(result.mx.at(0)?.observations.map(({ at, status }) => [at, status])).toEqual([['127.0.0.1', 'ok'], ['127.0.0.2', 'failed']]);
    expect(ofMx(result)).toMatchObject([{ code: 'starttls-not-supported', message: expect.stringContaining('at 127.0.0.2;') }]);
  });

  test('a TLS problem at several addresses of a mail host is reported once', async () => {
    const { port } = await loopback.mx({ behaviour: 'no-starttls' });
    await loopback.mx({ port, address: '127.0.0.2', behaviour: 'no-starttls' });
    const result = await loopback.verify({ zone: oneHost('127.0.0.2', '127.0.0.1'), mxPort: port, policy: policy('enforce') });
    expect(ofMx(result)).toMatchObject([{ message: expect.stringContaining('does not offer STARTTLS, at 127.0.0.1, 127.0.0.2;') }]);
  });
});

describe('a mail host that turns strangers away', () => {
  test.each<[MxBehaviour, string, boolean]>([
    ['greeting-554', 'the greeting is `554 go away`', false],
    ['greeting-421', 'the greeting is `421 too many connections, try later`', true],
    ['ehlo-550', 'the answer to EHLO is `550 5.7.1 127.0.0.1 is on a list`', false],
    ['starttls-421', 'the answer to STARTTLS is `421 closing`', true],
    ['control', 'the greeting is `554 \\x1b[2J\\x00\\x07\\x9bgone`', false],
    ['not-smtp', 'does not speak SMTP: the greeting begins with `SSH-2.0-nothing to see here\\x0d\\x0a`', false],
  ])('a mail host that rejects unknown clients (%s) is unknown, and not a TLS problem', async (behaviour, message, temporary) => {
    const result = await loopback.verify({ zone: oneHost(), mx: { behaviour }, policy: policy('enforce') });
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'unknown', mx: [{ delivery: 'unknown', observations: [{ status: 'unknown' }] }] });
    expect(ofMx(result)).toMatchObject([{ code: 'smtp-turned-away', severity: 'unknown', message: `${message}, at 127.0.0.1`, fix: expect.stringContaining('verify from the address of a known sender') }]);
    expect(ofMx(result).at(0)?.temporary).toBe(temporary || undefined);
  });

  test('a mail host that rejects unknown clients leaves its delivery unknown, whatever its other address shows', async () => {
    const { port } = await loopback.mx({ behaviour: 'no-starttls' });
    await loopback.mx({ port, address: '127.0.0.2', behaviour: 'greeting-554' });
    const result = await loopback.verify({ zone: oneHost('127.0.0.1', '127.0.0.2'), mxPort: port, policy: policy('enforce') });
    expect(result).toMatchObject({ verdict: 'fail', mx: [{ delivery: 'unknown' }] });
  });
});

describe('a mail host that cannot be reached', () => {
  test.each<[MxBehaviour, string]>([
    ['reset', 'connection reset'], ['hang-up', 'connection closed by the server while waiting for the greeting'],
    ['hang-up-ehlo', 'connection closed by the server while waiting for the answer to EHLO'], ['silent', 'greeting not there within'],
  ])('a mail host that cannot be reached (%s) is a temporary warning', async (behaviour, message) => {
    const { result: result } = await withLongerLimits(
      behaviour === 'silent' ? [300, 3000, 15_000] : [30_000],
      (timeoutMs) => loopback.verify({ zone: oneHost(), mx: { behaviour }, policy: policy('enforce'), probe: { timeoutMs } }),
      (one) => ofMx(one).some((each) => each.message.includes(message)),
    );
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'unknown', mx: [{ delivery: 'unknown', observations: [{ status: 'failed' }] }] });
    expect(ofMx(result)).toMatchObject([{
      code: 'mx-unreachable', severity: 'warning', temporary: true, subject: `MX ${MX1}`, message: expect.stringContaining(message),
      fix: expect.stringContaining('reachable at port 25'),
    }]);
  });

  test('a mail host where no server listens is a warning while another host works', async () => {
    const { port } = await loopback.mx();
    const result = await loopback.verify({ zone: mailZone([addressOf(MX1, '127.0.0.1'), addressOf(MX2, '127.0.0.2')]), mxPort: port });
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'deliver-verified', mx: [{ delivery: 'deliver-verified' }, { delivery: 'unknown' }] });
    expect(ofMx(result)).toMatchObject([{ code: 'mx-unreachable', subject: `MX ${MX2}`, message: 'connection refused, at 127.0.0.2' }]);
  });

  test('a mail host that is silent while another one answers is a warning, and not a blocked port', async () => {
    const { port } = await loopback.silent();
    await loopback.mx({ port, address: '::1' });
    const result = await loopback.verify({
      zone: mailZone([addressOf(MX1, '::1'), addressOf(MX2, '127.0.0.1')]), mxPort: port, probe: { connectTimeoutMs: 1000 },
    });
    expect(ofMx(result)).toMatchObject([{ code: 'mx-unreachable', severity: 'warning', message: 'no connection within 1 s, at 127.0.0.1' }]);
  });
});

describe('a network that lets nobody through to port 25', () => {
  test('a network that blocks port 25 gives one unknown finding, and the verdict is the one without SMTP', async () => {
    const { port } = await loopback.silent();
    const zone = mailZone([addressOf(MX1, '127.0.0.1'), addressOf(MX1, '127.0.0.2'), addressOf(MX2, '127.0.0.3'), addressOf(MX2, 'ff02::1')]);
    const result = await loopback.verify({ zone, mxPort: port, probe: { connectTimeoutMs: 300 } });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', delivery: 'unknown', mx: [{ delivery: 'unknown' }, { delivery: 'unknown' }] });
    expect(ofMx(result)).toHaveLength(1);
    expect(finding(result, 'smtp-blocked')).toMatchObject({
      severity: 'unknown', subject: 'SMTP', fix: expect.stringContaining('--no-smtp'), evidence: expect.stringContaining('127.0.0.1: no connection within 300 ms'),
      message: 'no connection succeeded to any of 3 addresses of the mail hosts. This network probably blocks port 25. STARTTLS and certificates were not checked',
    });
    expect(finding(result, 'smtp-blocked').temporary).toBeUndefined();
  });

  test('a single dead mail host may be a blocked network, which the finding says', async () => {
    const { port } = await loopback.silent();
    const result = await loopback.verify({ zone: oneHost(), mxPort: port, policy: policy('enforce'), probe: { connectTimeoutMs: 300 } });
    expect(finding(result, 'smtp-blocked').message).toMatch(/^no connection succeeded to any of one address of the mail hosts/);
  });

  test('a silent mail host is blamed when any host of an earlier domain was reached', async () => {
    const silent = insecure('timeout', 'ETIMEDOUT', 'no connection within 5 s');
    const result = await loopback.verify({ zone: oneHost(), mxPort: 1, policy: policy('enforce'), network: { mxProbe: probing(silent, true) } });
    expect(ofMx(result).map(({ code, temporary }) => [code, temporary])).toEqual([['mx-unreachable', true]]);
    const spared = insecure('timeout', PORT_BLOCKED, 'not tried');
    const late = await loopback.verify({ zone: oneHost(), mxPort: 1, policy: policy('enforce'), network: { mxProbe: probing(spared, true) } });
    expect(ofMx(late).map(({ code, temporary }) => [code, temporary])).toEqual([['mx-unreachable', undefined]]);
  });
});

describe('an address family that this machine has not', () => {
  test('a missing address family of this machine is reported once for all mail hosts, and leaves their delivery unknown', async () => {
    const { port } = await loopback.mx({ behaviour: 'no-starttls' });
    const zone = mailZone([addressOf(MX1, '127.0.0.1'), addressOf(MX1, 'ff02::1'), addressOf(MX2, 'ff02::2')]);
    const result = await loopback.verify({ zone, mxPort: port });
    expect(result.mx).toMatchObject([{ delivery: 'unknown' }, { delivery: 'unknown' }]);
    expect(ofMx(result).map(({ code }) => code)).toEqual(['starttls-not-supported', 'address-family-unusable']);
    expect(finding(result, 'address-family-unusable')).toMatchObject({
      severity: 'unknown', subject: 'SMTP', message: 'ff02::1, ff02::2 could not be tried, this machine has no route for IPv6',
    });
  });

  test('a missing address family of this machine may be IPv4', async () => {
    const network = { mxProbe: probing(insecure('unusable', 'ENETUNREACH')) };
    const result = await loopback.verify({ zone: oneHost(), mxPort: 1, policy: policy('enforce'), network });
    expect(finding(result, 'address-family-unusable').message).toBe('127.0.0.1 could not be tried, this machine has no route for IPv4');
  });
});

describe('the certificate of a mail host', () => {
  test('a mail host certificate that expires soon is a warning', async () => {
    const result = await loopback.verify({ zone: oneHost(), mx: { behaviour: 'near-expiry' }, policy: policy('enforce') });
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'deliver-verified' });
    expect(ofMx(result)).toMatchObject([{
      code: 'mx-certificate-near-expiry', severity: 'warning', subject: `MX ${MX1}`, fix: expect.stringContaining('renew'),
      message: expect.stringMatching(/^the certificate ends on \d{4}-\d\d-\d\dT[\d:]+Z, at 127\.0\.0\.1$/),
    }]);
  });
});

describe('the addresses of a mail host', () => {
  test('a mail host without addresses is a warning, and receives nothing', async () => {
    const { port } = await loopback.mx();
    const result = await loopback.verify({ zone: mailZone([addressOf(MX1, '127.0.0.1')]), mxPort: port });
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'deliver-verified', mx: [{ delivery: 'deliver-verified' }, { delivery: 'refuse', observations: [] }] });
    expect(ofMx(result)).toMatchObject([{
      code: 'mx-no-address', severity: 'warning', subject: `MX ${MX2}`, message: `the mail host ${MX2} cannot be reached: there is no such name in DNS. Senders pass it over`,
      evidence: expect.stringContaining('no such name (NXDOMAIN)'), fix: 'publish A and AAAA records for the host, or remove the MX record',
    }]);
  });

  test('a domain whose only mail host has no addresses receives no mail in any mode', async () => {
    const { port } = await loopback.mx();
    for (const mode of ['enforce', 'testing']) {
      expect(await loopback.verify({ zone: mailZone([], ONE_MX), mxPort: port, policy: policy(mode) })).toMatchObject({ verdict: 'fail', delivery: 'refuse' });
    }
  });

  test.each([['A', 'AAAA'], ['AAAA']])('the addresses of a mail host are unknown when DNS fails to answer (%s)', async (...types) => {
    const { port } = await loopback.mx();
    const answer = zoneAnswers(oneHost());
    const result = await loopback.verify({
      zone: (question) => question.name === MX1 && types.includes(question.type)
        ? { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false }
        : answer(question),
      mxPort: port, policy: policy('enforce'),
    });
    // Whether mail can be delivered at all is as essential as the policy.
    expect(result).toMatchObject(types.length === 2 ? { verdict: 'unknown', mx: [{ delivery: 'unknown' }] } : { verdict: 'pass', mx: [{ delivery: 'deliver-verified' }] });
    expect(ofMx(result)).toMatchObject([{
      code: 'dns-failure', severity: 'unknown', temporary: true, message: `the addresses of the mail host ${MX1} could not all be looked up: SERVFAIL`,
    }]);
  });

  test('a mail host without public addresses is a warning beside other hosts, and an error without them', async () => {
    const mxProbe = createSecureProbe();
    const options = { allowPrivate: false };
    const alone = await loopback.verify({ zone: oneHost('10.0.0.1'), mxPort: 1, network: { mxProbe }, policy: policy('enforce') });
    expect(alone).toMatchObject({ mx: [{ observations: [{ status: 'ok' }] }] });
    const fenced = await loopback.verify({
      zone: oneHost('10.0.0.1'), mxPort: 1, options, network: { mxProbe, fetchPolicy: () => Promise.reject(new Error('not public')) },
    });
    expect(ofMx(fenced)).toMatchObject([{
      code: 'address-not-public', severity: 'error', fix: expect.stringContaining('--allow-private'),
      message: 'the address of the mail host is not a public address (loopback, link-local, private or reserved) and was not connected to, at 10.0.0.1. '
        + 'mx1.example.test cannot be reached. It is the only mail host of example.test, so mail to example.test is not delivered',
    }]);
    const beside = await loopback.verify({ zone: oneHost('10.0.0.1', '8.8.8.8'), mxPort: 1, options, network: { mxProbe } });
    expect(ofMx(beside)).toMatchObject([{ code: 'address-not-public', severity: 'warning' }]);
  });
});

function createSecureProbe(): MxProbe {
  const certificate = { subjectAltName: `DNS:${MX1}`, issuer: 'x', validFrom: '2026-01-01T00:00:00Z', validTo: '2100-01-01T00:00:00Z' };
  return probing({ outcome: 'secure', tlsVersion: 'TLSv1.3', certificate, milliseconds: 1 });
}

describe('a domain without MX records', () => {
  const NO_MX = { mx1: undefined, mx2: undefined };

  test('a domain without MX records is its own mail host, at its own address', async () => {
    const zone = mailZone([addressOf(DOMAIN, '127.0.0.1')], NO_MX);
    const body = POLICY.replace(MX1, DOMAIN);
    const result = await loopback.verify({ zone, mx: { names: [DOMAIN] }, policy: { body } });
    expect(result).toMatchObject({
      verdict: 'pass', delivery: 'deliver-verified', mx: [{ host: DOMAIN, preference: null, covered: true, delivery: 'deliver-verified', observations: [{ at: '127.0.0.1' }] }],
    });
    const broken = await loopback.verify({ zone, mx: { names: [DOMAIN], behaviour: 'no-starttls' }, policy: { body } });
    expect(broken).toMatchObject({ verdict: 'fail', delivery: 'refuse' });
    expect(finding(broken, 'starttls-not-supported').subject).toBe(`MX ${DOMAIN}`);
  });

  test('a domain with a null MX is not connected to', async () => {
    const server = await loopback.mx();
    const zone = mailZone([addressOf(DOMAIN, '127.0.0.1')], { ...NO_MX, mx1: { ...RECORDS.mx1, data: { preference: 0, exchange: '.' } } });
    const result = await loopback.verify({ zone, mxPort: server.port });
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'refuse', mx: [] });
    expect(codes(result)).toContain('info mx-null');
    expect(server.sessions).toEqual([]);
  });
});

describe('a host that the policy does not cover', () => {
  test('a mail host that the policy does not cover is refused, however well it works', async () => {
    const result = await loopback.verify({ zone: mailZone(undefined, { mx1: undefined }), mx: {}, policy: policy('enforce') });
    expect(result).toMatchObject({ verdict: 'fail', delivery: 'refuse', mx: [{ host: MX2, covered: false, delivery: 'refuse', observations: [{ status: 'ok' }] }] });
  });

  test('a mail host whose name is invalid is not connected to', async () => {
    const server = await loopback.mx();
    const zone = mailZone([addressOf('mx_1.example.test', '127.0.0.1')], { ...ONE_MX, mx1: { ...RECORDS.mx1, data: { preference: 5, exchange: 'mx_1.example.test' } } });
    const result = await loopback.verify({ zone, mxPort: server.port });
    expect(result).toMatchObject({ delivery: 'refuse', mx: [{ host: 'mx_1.example.test', covered: false, observations: [] }] });
    expect(server.sessions).toEqual([]);
  });
});

describe('more mail hosts and addresses than any honest domain has', () => {
  test('only a limited number of mail hosts and addresses is probed, and the finding says how many were left out', async () => {
    const hosts = Array.from({ length: 24 }, (_, at) => `h${at}.example.test`);
    const records = [
      ...hosts.map((exchange): DnsRecord => ({ ...RECORDS.mx1, data: { preference: 10, exchange } })),
      ...hosts.map((host) => addressOf(host, '127.0.0.1')),
      ...Array.from({ length: 11 }, (_, at) => addressOf('h0.example.test', `127.0.1.${at}`)),
    ];
    const asked: string[] = [];
    const mxProbe: MxProbe = {
      reachedAny: true,
      probe: ({ host, address }) => {
        asked.push(`${host} ${address}`);
        return Promise.resolve(insecure('unreachable'));
      },
    };
    const result = await loopback.verify({ zone: mailZone(records, { mx1: undefined, mx2: undefined }), mxPort: 1, network: { mxProbe } });
    expect(asked).toHaveLength(19 + 8);
    expect(result.mx).toHaveLength(24);
    expect(finding(result, 'mx-skipped')).toMatchObject({
      severity: 'unknown', subject: 'SMTP', message: 'not checked: 4 mail hosts, 4 addresses of h0.example.test', fix: 'publish fewer MX records',
    });
  });
});

describe('time', () => {
  test('a mail host that does not answer before the deadline is undecided, and the finding says so', async () => {
    const { result: result, limitMs } = await withLongerLimits(
      [1500, 5000, 15_000],
      (timeoutMs) => loopback.verify({ zone: oneHost(), mx: { behaviour: 'silent' }, policy: policy('enforce'), options: { timeoutMs }, probe: { timeoutMs: 30_000 } }),
      ({ verdict }) => verdict === 'pass',
    );
    expect(result).toMatchObject({ verdict: 'pass', delivery: 'unknown' });
    expect(finding(result, 'not-reached')).toMatchObject({
      severity: 'unknown', temporary: true, subject: `MX ${MX1}`,
      message: `${MX1} was not checked completely: not answered within the ${duration(limitMs)} that the verification may take, at 127.0.0.1`,
    });
    const observation = result.mx.at(0)?.observations.at(0);
    expect(observation).toMatchObject({ status: 'unknown' });
    expect(observation?.milliseconds).toBeLessThanOrEqual(result.milliseconds);
  });

  test('a probe that is cancelled by its own signal says nothing about an address family', async () => {
    const called = insecure('unusable', 'ABORT_ERR', 'called off while waiting for the greeting');
    const result = await loopback.verify({ zone: oneHost(), mxPort: 1, policy: policy('enforce'), network: { mxProbe: probing(called) } });
    expect(ofMx(result).map(({ code }) => code)).toEqual(['not-reached']);
  });
});

describe('DANE', () => {
  const tlsa = (host: string): DnsRecord => ({
    name: `_25._tcp.${host}`, type: 'TLSA', ttl: 300, data: { usage: 3, selector: 1, matchingType: 1, certificate: new Uint8Array(32) },
  });

  test('DANE is reported with its precedence, and changes neither the verdict nor the result of MTA-STS', async () => {
    const result = await loopback.verify({ zone: mailZone([addressOf(MX1, '127.0.0.1'), tlsa(MX1)], ONE_MX), mx: { behaviour: 'self-signed' }, policy: policy('enforce') });
    expect(result).toMatchObject({ verdict: 'fail', mx: [{ host: MX1, dane: true, delivery: 'refuse' }] });
    expect(finding(result, 'dane-present')).toMatchObject({
      severity: 'info', subject: `MX ${MX1}`, evidence: expect.stringContaining('3 1 1 (TTL 300 s)'),
      message: `${MX1} has a TLSA record; where DNSSEC validates, senders that support DANE go by that, and MTA-STS must not override a DANE check that fails`,
    });
  });

  test('DANE is looked up without SMTP as well, and the number of records is reported', async () => {
    const result = await loopback.verify({ zone: zone({}, tlsa(MX1), tlsa(MX1)) });
    expect(result).toMatchObject({ verdict: 'pass', mx: [{ host: MX1, dane: true }, { host: MX2, dane: false }] });
    expect(finding(result, 'dane-present').message).toMatch(/^mx1\.example\.test has 2 TLSA records; /);
  });
});

describe('a mail host without a policy', () => {
  test('a TLS problem of a mail host without a policy is a warning, because no sender refuses', () => {
    const answer = { status: 'empty', reason: 'NODATA', authoritative: true, server: 'x', cnames: [] } as const;
    const look: SmtpObservations = {
      hosts: [{
        host: MX1, skipped: 0, attempts: [{ address: '192.0.2.1', response: insecure('no-starttls', '250', 'does not offer STARTTLS') }],
        addresses: [{ status: 'found', records: ['192.0.2.1'], ttl: 1, authoritative: true, server: 'x', cnames: [] }, answer],
      }],
      skipped: 0, reachedAny: true,
    };
    expect(classifySmtp(look, undefined, 0).findings).toMatchObject([{ code: 'starttls-not-supported', severity: 'warning' }]);
  });
});
