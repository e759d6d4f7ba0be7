// The look at one address of a mail host: what it says, what it takes, and what becomes of each way to misbehave.
import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { mxResponseText } from '../../../lib/verifier/evidence';
import { PORT_BLOCKED } from '../../../lib/verifier/smtp/mx-response';
import { createMxProbe } from '../../../lib/verifier/smtp/mx-probe';
import type { MxProbeOptions } from '../../../lib/verifier/smtp/mx-probe';
import type { MxResponse } from '../../../lib/verifier/smtp/mx-response';
import { duration } from '../../../lib/verifier/network-errors';
import { Loopback, MX1, MX2 } from '../../support/domain';
import type { MxBehaviour, MxServer } from '../../support/mx-server';
import { MX_BEHAVIOURS } from '../../support/mx-server';
import { until, withLongerLimits } from '../../support/waiting';

const loopback = new Loopback();
afterEach(() => loopback.close());

interface Look {
  readonly response: MxResponse;
  readonly server: MxServer;
}

async function look(behaviour: MxBehaviour, options: MxProbeOptions = {}, address = '127.0.0.1', host = MX1): Promise<Look> {
  const server = await loopback.mx({ behaviour, address });
  const probe = createMxProbe({ port: server.port, ca: [server.ca], ...options });
  return { response: await probe.probe({ host, address }), server };
}

/** What the server has seen once the connection is over. */
async function over(server: MxServer): Promise<MxServer['sessions']> {
  await until(() => server.sessions.length > 0 && server.open === 0);
  return server.sessions;
}

describe('a mail host that does as it should', () => {
  test('the probe returns the certificate of a mail host, says EHLO, and ends with QUIT', async () => {
    const { response, server } = await look('ok');
    expect(response).toEqual({
      outcome: 'secure', tlsVersion: 'TLSv1.3', milliseconds: expect.any(Number),
      certificate: {
        subjectAltName: `DNS:${MX1}, DNS:${MX2}`, issuer: 'Test authority', validFrom: expect.stringMatching(/Z$/), validTo: expect.stringMatching(/Z$/),
      },
    });
    expect(await over(server)).toEqual([{ commands: ['EHLO [127.0.0.1]', 'STARTTLS'], secure: ['QUIT'], serverName: MX1 }]);
  });

  test('the probe identifies itself by an IPv6 address literal', async () => {
    const { response, server } = await look('ok', {}, '::1');
    expect(response.outcome).toBe('secure');
    expect((await over(server)).at(0)?.commands).toEqual(['EHLO [IPv6:::1]', 'STARTTLS']);
  });

  test.each(['pieces', 'bare-lf', 'crcrlf', 'late', 'sni'] as const)('the probe understands a mail host with unusual replies (%s)', async (behaviour) => {
    const { response, server } = await look(behaviour);
    expect(response).toMatchObject({ outcome: 'secure' });
    expect((await over(server)).at(0)?.serverName).toBe(MX1);
  });

  test('the probe understands a mail host that sends all its replies early', async () => {
    const { response } = await look('eager');
    expect(response).toMatchObject({ outcome: 'secure' });
  });

  test('the probe never sends a mail command, whatever the mail host does', async () => {
    const probed = await Promise.all(MX_BEHAVIOURS.map((behaviour) => look(behaviour, { timeoutMs: 1500 })));
    for (const { server } of probed) {
      const [session] = await over(server);
      expect(session).toBeDefined();
      expect([...session?.commands ?? [], ...session?.secure ?? []].filter((line) => !/^(?:EHLO \[127\.0\.0\.1\]|STARTTLS|QUIT)$/.test(line))).toEqual([]);
    }
  });
});

describe('a certificate', () => {
  const OTHER = `certificate is for other.example, *.other.example, not for ${MX1}`;
  const EXPIRED = 'certificate has expired on 2020-01-02T00:00:00Z';

  test.each([
    ['wrong-name', [['ERR_TLS_CERT_ALTNAME_INVALID', OTHER]]],
    ['common-name', [['ERR_TLS_CERT_ALTNAME_INVALID', `certificate is for no DNS name at all (its SAN has none), not for ${MX1}`]]],
    ['untrusted', [['SELF_SIGNED_CERT_IN_CHAIN', 'certificate is issued by Unknown authority, which is not a trusted authority']]],
    ['self-signed', [['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate is self-signed']]],
    ['expired', [['CERT_HAS_EXPIRED', EXPIRED]]],
    ['not-yet-valid', [['CERT_NOT_YET_VALID', 'certificate is not valid before 2100-01-01T00:00:00Z']]],
    ['expired-wrong-name', [['CERT_HAS_EXPIRED', EXPIRED], ['ERR_TLS_CERT_ALTNAME_INVALID', OTHER]]],
    ['self-signed-expired', [['CERT_HAS_EXPIRED', EXPIRED], ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate is self-signed']]],
  ] as const)('an invalid certificate (%s) is reported with all its problems', async (behaviour, faults) => {
    const { response, server } = await look(behaviour);
    expect(response).toMatchObject({
      outcome: 'untrusted', code: faults[0][0], reason: faults.map(([, reason]) => reason).join('; '), tlsVersion: 'TLSv1.3',
      faults: faults.map(([code, reason]) => ({ code, reason })), certificate: { validTo: expect.stringMatching(/Z$/) },
    });
    expect(mxResponseText(response)).toMatch(/^STARTTLS with TLSv1\.3 in \d+ ms, certificate .*, certificate for .* until \d{4}-/);
    expect((await over(server)).at(0)?.secure).toEqual(['QUIT']);
  });

  test('the certificate for another host is the one of a server that does not know the requested name', async () => {
    const { response } = await look('ok', {}, '127.0.0.1', 'mx3.example.test');
    expect(response).toMatchObject({ outcome: 'untrusted', code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('the certificate of an unknown authority is not trusted', async () => {
    const { response } = await look('ok', { ca: undefined });
    expect(response).toMatchObject({ outcome: 'untrusted', code: 'SELF_SIGNED_CERT_IN_CHAIN' });
  });
});

describe('a mail host that misbehaves', () => {
  const QUIT = ['EHLO [127.0.0.1]', 'QUIT'];

  test.each<[MxBehaviour, string, string, string, readonly string[]]>([
    ['no-starttls', 'no-starttls', '250', 'does not offer STARTTLS', QUIT],
    ['no-ehlo', 'no-starttls', '502', 'does not offer STARTTLS', QUIT],
    ['starttls-454', 'no-starttls', '454', 'offers STARTTLS and answers `454 TLS not available due to temporary reason` to it', ['EHLO [127.0.0.1]', 'STARTTLS', 'QUIT']],
    ['starttls-502', 'no-starttls', '502', 'offers STARTTLS and answers `502 not today` to it', ['EHLO [127.0.0.1]', 'STARTTLS', 'QUIT']],
    ['starttls-421', 'rejected', '421', 'the answer to STARTTLS is `421 closing`', ['EHLO [127.0.0.1]', 'STARTTLS', 'QUIT']],
    ['ehlo-550', 'rejected', '550', 'the answer to EHLO is `550 5.7.1 127.0.0.1 is on a list`', QUIT],
    ['ehlo-451', 'rejected', '451', 'the answer to EHLO is `451 try again later`', QUIT],
    ['greeting-554', 'rejected', '554', 'the greeting is `554 go away`', ['QUIT']],
    ['greeting-421', 'rejected', '421', 'the greeting is `421 too many connections, try later`', ['QUIT']],
    ['not-smtp', 'rejected', 'NOT_SMTP', 'does not speak SMTP: the greeting begins with `SSH-2.0-nothing to see here\\x0d\\x0a`', ['QUIT']],
    ['control', 'rejected', '554', 'the greeting is `554 \\x1b[2J\\x00\\x07\\x9bgone`', ['QUIT']],
    ['endless-lines', 'rejected', 'TOO_LONG', 'the greeting is longer than 16 KiB', ['QUIT']],
    ['endless-line', 'rejected', 'TOO_LONG', 'the greeting is longer than 16 KiB', ['QUIT']],
    ['injected', 'tls-failed', 'PLAINTEXT_AFTER_STARTTLS', 'sends more in plain text after its answer to STARTTLS', ['EHLO [127.0.0.1]', 'STARTTLS']],
    ['not-tls', 'tls-failed', 'ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS on this port', ['EHLO [127.0.0.1]', 'STARTTLS']],
    ['tls-1.1', 'tls-failed', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'offers no TLS version from 1.2 on', ['EHLO [127.0.0.1]', 'STARTTLS']],
    ['hang-up-tls', 'tls-failed', 'ECONNRESET', 'connection reset while waiting for the TLS handshake', ['EHLO [127.0.0.1]', 'STARTTLS']],
    ['hang-up', 'unreachable', 'ECONNRESET', 'connection closed by the server while waiting for the greeting', []],
    ['hang-up-greeting', 'unreachable', 'ECONNRESET', 'connection closed by the server while waiting for the greeting', []],
    ['hang-up-ehlo', 'unreachable', 'ECONNRESET', 'connection closed by the server while waiting for the answer to EHLO', ['EHLO [127.0.0.1]']],
  ])('a mail host that misbehaves (%s) has the outcome %s', async (behaviour, outcome, code, reason, commands) => {
    const { response, server } = await look(behaviour);
    expect(response).toEqual({ outcome, code, reason, milliseconds: expect.any(Number) });
    expect(mxResponseText(response)).toMatch(/^.* \(.*\) after \d+ ms$/);
    expect((await over(server)).map((session) => session.commands)).toEqual([commands]);
  });

  test('a mail host that resets the connection has the same outcome whenever the reset is seen', async () => {
    const { response } = await look('reset');
    expect(response).toMatchObject({ outcome: 'unreachable', code: 'ECONNRESET', reason: expect.stringMatching(/^connection reset/) });
  });

  test.each<[MxBehaviour, string, string]>([
    ['silent', 'unreachable', 'greeting not there'],
    ['http', 'unreachable', 'greeting not there'],
    ['silent-ehlo', 'unreachable', 'answer to EHLO not there'],
    ['silent-tls', 'tls-failed', 'TLS handshake not there'],
  ])('a mail host (%s) is not waited for beyond its timeout', async (behaviour, outcome, reason) => {
    const { result: { response, server }, limitMs } = await withLongerLimits(
      [1000, 4000, 16_000], (timeoutMs) => look(behaviour, { timeoutMs }), (one) => 'reason' in one.response && one.response.reason.startsWith(reason),
    );
    expect(response).toMatchObject({ outcome, code: 'ETIMEDOUT', reason: `${reason} within ${duration(limitMs)}` });
    expect(response.milliseconds).toBeGreaterThanOrEqual(limitMs - 5);
    expect((await over(server)).length).toBe(1);
  });
});

describe('an address', () => {
  test('an address where no server listens is unreachable', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    }));
    await new Promise((resolve) => server.close(resolve));
    const probe = createMxProbe({ port });
    expect(await probe.probe({ host: MX1, address: '127.0.0.1' })).toMatchObject({ outcome: 'unreachable', code: 'ECONNREFUSED', reason: 'connection refused' });
    // A firewall on the way refuses as well.
    expect(probe.reachedAny).toBe(false);
  });

  test('an address of a family that this machine does not have is unusable', async () => {
    const probe = createMxProbe({ port: 25 });
    expect(await probe.probe({ host: MX1, address: 'ff02::1' })).toMatchObject({ outcome: 'unusable' });
    expect(probe.reachedAny).toBe(false);
  });

  test('an address that drops connections is a timeout', async () => {
    const { port } = await loopback.silent();
    const probe = createMxProbe({ port, connectTimeoutMs: 200 });
    expect(await probe.probe({ host: MX1, address: '127.0.0.1' }))
      .toEqual({ outcome: 'timeout', code: 'ETIMEDOUT', reason: 'no connection within 200 ms', milliseconds: expect.any(Number) });
    expect(probe.reachedAny).toBe(false);
  });
});

describe('a port that is blocked', () => {
  const BLOCKED = { outcome: 'timeout', code: PORT_BLOCKED, milliseconds: 0 };

  test('a blocked port is detected after four addresses, and the other addresses are skipped', async () => {
    const { port } = await loopback.silent();
    const probe = createMxProbe({ port, connectTimeoutMs: 200 });
    const first = await Promise.all([1, 2, 3, 4, 4].map((at) => probe.probe({ host: MX1, address: `127.0.0.${at}` })));
    expect(first.map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout', 'timeout', 'timeout', 'timeout']);
    expect(first.map((one) => 'code' in one && one.code)).not.toContain(PORT_BLOCKED);
    expect(await probe.probe({ host: MX1, address: '127.0.0.5' }))
      .toEqual({ ...BLOCKED, reason: `not tried, for port ${port} was silent at all 4 addresses before it` });
  });

  test('one dead host does not count as a blocked port, however often it is probed', async () => {
    const { port } = await loopback.silent();
    const probe = createMxProbe({ port, connectTimeoutMs: 100 });
    const looks = await Promise.all(Array.from({ length: 6 }, () => probe.probe({ host: MX1, address: '127.0.0.1' })));
    expect(looks.every((one) => 'code' in one && one.code === 'ETIMEDOUT')).toBe(true);
    expect(await probe.probe({ host: MX1, address: '127.0.0.1' })).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('a port that was found blocked is probed again later, so that dead hosts at the beginning do not decide for all', async () => {
    const silent = await loopback.silent();
    const { port } = silent;
    const probe = createMxProbe({ port, connectTimeoutMs: 3000, retryMs: 600_000 });
    await Promise.all([1, 2, 3, 4].map((at) => probe.probe({ host: MX1, address: `127.0.0.${at}` })));
    expect(await probe.probe({ host: MX1, address: '127.0.0.5' })).toMatchObject(BLOCKED);
    await silent.close();
    const server = await loopback.mx({ port });
    const late = performance.now() + 600_000;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => late);
    expect(await probe.probe({ host: MX1, address: '127.0.0.1' })).toMatchObject({ outcome: 'untrusted' });
    clock.mockRestore();
    expect(probe.reachedAny).toBe(true);
    expect(await probe.probe({ host: MX1, address: '127.0.0.1' })).toMatchObject({ outcome: 'untrusted' });
    expect(server.sessions).toHaveLength(2);
  });

  test('a port does not count as blocked once any address has answered', async () => {
    const silent = await loopback.silent();
    await loopback.mx({ address: '::1', port: silent.port });
    const probe = createMxProbe({ port: silent.port, connectTimeoutMs: 100 });
    // A busy machine needs more than one try to connect in that time.
    while (!probe.reachedAny) await probe.probe({ host: MX1, address: '::1' });
    await Promise.all([1, 2, 3, 4].map((at) => probe.probe({ host: MX1, address: `127.0.0.${at}` })));
    expect(await probe.probe({ host: MX1, address: '127.0.0.5' })).toMatchObject({ outcome: 'timeout', code: 'ETIMEDOUT' });
  });
});

describe('a look that is called off', () => {
  test('a cancelled probe ends at once, and leaves no connection and no listener', async () => {
    const server = await loopback.mx({ behaviour: 'silent-ehlo' });
    const controller = new AbortController();
    const probe = createMxProbe({ port: server.port, signal: controller.signal });
    const looking = probe.probe({ host: MX1, address: '127.0.0.1' });
    await until(() => server.sessions.at(0)?.commands.length === 1);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort();
    expect(await looking).toMatchObject({ outcome: 'unusable', code: 'ABORT_ERR', reason: 'cancelled while waiting for the answer to EHLO' });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await over(server);
  });

  test('a probe that is cancelled before it starts does not connect', async () => {
    const server = await loopback.mx();
    const probe = createMxProbe({ port: server.port, signal: AbortSignal.abort() });
    expect(await probe.probe({ host: MX1, address: '127.0.0.1' })).toMatchObject({ outcome: 'unusable', code: 'ABORT_ERR' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.sessions.flatMap(({ commands }) => commands)).toEqual([]);
  });

  test('a cancelled probe does not change what is known of a mail host', async () => {
    const controller = new AbortController();
    const { response } = await look('ok', { signal: controller.signal });
    controller.abort();
    expect(response.outcome).toBe('secure');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });
});
