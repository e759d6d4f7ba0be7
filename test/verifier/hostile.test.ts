// Hostile certificates and hostile amounts: whatever comes, each exchange ends with an answer, in time and in little memory.
import { X509Certificate } from 'node:crypto';
import { createServer, createSecureContext } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { certificateProblem, checkServerIdentity, describeCertificate } from '../../lib/verifier/tls/certificate';
import { createFetchPolicy } from '../../lib/verifier/https/policy-fetch';
import { createResolver } from '../../lib/verifier/dns/resolver';
import { inTurns } from '../../lib/verifier/deadline';
import { verify } from '../../lib/verifier/verify';
import { DOMAIN, Loopback, POLICY_HOST, addressOf, zone } from '../support/domain';
import { testAuthority } from '../support/policy-server';
import { finding } from '../support/verification';

const loopback = new Loopback();
const uncaught: unknown[] = [];
const note = (error: unknown): void => {
  uncaught.push(error);
};
beforeEach(() => {
  process.on('uncaughtException', note).on('unhandledRejection', note);
});
afterEach(async () => {
  await loopback.close();
  process.off('uncaughtException', note).off('unhandledRejection', note);
  expect(uncaught.splice(0)).toEqual([]);
});

let key = '';
let der = Buffer.alloc(0);
beforeAll(async () => {
  const { keyPem, certificatePem } = await (await testAuthority()).issue({ names: [POLICY_HOST, '*.example.test'] });
  key = keyPem;
  der = new X509Certificate(certificatePem).raw;
});

/** Tags of ASN.1 that nothing converts (BMPString of an odd length, UniversalString, BIT STRING), ends of ranges, flipped bits. */
const VALUES: readonly ((byte: number) => number)[] = [
  () => 0, () => 0x13, () => 0x14, () => 0x30, (byte) => byte + 1, (byte) => byte - 1, (byte) => byte ^ 0x80,
  () => 0x1e, () => 0x1c, () => 0x03, () => 0x80, () => 0xff, (byte) => byte ^ 1, (byte) => byte ^ 0x20,
];

function* mutations(): Generator<Buffer> {
  for (const [at, byte] of der.entries()) {
    for (const value of VALUES) {
      const mutated = Buffer.from(der);
      mutated[at] = value(byte) & 0xff;
      if (mutated[at] !== byte) yield mutated;
    }
  }
}

function pem(bytes: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

describe('a certificate with any one byte changed', () => {
  test('a certificate with a changed byte is handled without an exception', () => {
    let read = 0;
    for (const mutated of mutations()) {
      let certificate;
      try {
        certificate = new X509Certificate(mutated).toLegacyObject();
      } catch {
        continue;
      }
      read += 1;
      const shown = describeCertificate(certificate);
      checkServerIdentity(POLICY_HOST, certificate);
      expect(certificateProblem('ERR_TLS_CERT_ALTNAME_INVALID', POLICY_HOST, shown)).toMatch(/^certificate is for /);
    }
    expect(read).toBeGreaterThan(2000);
  });

  test('a fetch ends with an answer for every changed certificate', async () => {
    const contexts: SecureContext[] = [];
    for (const mutated of mutations()) {
      try {
        contexts.push(createSecureContext({ key, cert: pem(mutated) }));
      } catch {
        // OpenSSL itself cannot read it, so no server can show it.
      }
    }
    let next = 0;
    const server = createServer({
      key, cert: pem(der), SNICallback: (_, done) => {
        done(null, contexts[next]);
      },
    }, (socket: TLSSocket) => {
      socket.on('error', () => undefined).destroy();
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done);
    });
    const bound = server.address();
    const fetchPolicy = createFetchPolicy({ port: typeof bound === 'object' && bound !== null ? bound.port : 0 });
    const outcomes = new Set<string>();
    for (next = 0; next < contexts.length; next += STEP) {
      outcomes.add((await fetchPolicy({ policyHost: POLICY_HOST, address: '127.0.0.1' })).outcome);
    }
    server.close();
    expect(contexts.length).toBeGreaterThan(2000);
    expect([...outcomes]).toContain('untrusted');
    expect([...outcomes]).not.toContain('unusable');
  });

  test('a certificate without the usual fields is handled', () => {
    expect(describeCertificate()).toEqual({ subjectAltName: '', issuer: '', validFrom: '', validTo: '' });
    expect(checkServerIdentity(POLICY_HOST)).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    const throwing = Object.defineProperty({}, 'issuer', { get: () => {
      throw new TypeError('unconvertible');
    } });
    expect(describeCertificate(throwing).issuer).toBe('');
  });
});

/** All of them take half a minute; `HOSTILE_CERTIFICATES=1` shows each one. */
const STEP = process.env.HOSTILE_CERTIFICATES === undefined ? 8 : 1;

describe('a policy host of sixty-four addresses', () => {
  const ADDRESSES = Array.from({ length: 64 }, (_, at) => `127.0.7.${at + 1}`);
  const SIXTY_FOUR = zone({ address: undefined }, ...ADDRESSES.map((address) => addressOf(POLICY_HOST, address)));

  test('eight of sixty-four addresses are fetched from at once, and the rest is undecided after the timeout', async () => {
    let [now, most] = [0, 0];
    const result = await loopback.verify({
      zone: SIXTY_FOUR, options: { timeoutMs: 2000 },
      network: { fetchPolicy: ({ signal }) => new Promise((resolve) => {
        now += 1;
        most = Math.max(most, now);
        signal?.addEventListener('abort', () => {
          now -= 1;
          resolve({ outcome: 'unreachable', reason: 'called off', code: 'ABORT_ERR', milliseconds: 1 });
        });
      }) },
    });
    expect(most).toBe(8);
    expect(result).toMatchObject({ verdict: 'unknown', lookup: 'temporary-error' });
    expect(finding(result, 'not-reached').message).toContain('and 58 more was not decided in time');
    expect(result.policyObservations).toHaveLength(64);
    // What is under way is called off with the rest, and nothing begins afterwards.
    expect(now).toBe(0);
  });

  test('endless slow responses cost little memory and no more than the timeout', async () => {
    const { keyPem, certificatePem } = await (await testAuthority()).issue({ names: [POLICY_HOST] });
    const open = new Set<TLSSocket>();
    const server = createServer({ key: keyPem, cert: certificatePem }, (socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket)).on('error', () => undefined);
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n');
        const more = (): void => {
          while (!socket.destroyed && socket.write('1\r\nv\r\n'));
        };
        socket.on('drain', more);
        more();
      });
    });
    await new Promise<void>((done) => {
      server.listen(0, '0.0.0.0', done);
    });
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const dns = await loopback.dns(SIXTY_FOUR);
    const before = process.memoryUsage().rss;
    const timeoutMs = 10_000;
    const begin = performance.now();
    const result = await verify(DOMAIN, { nameServerPort: dns.port, allowPrivate: true, timeoutMs }, {
      resolver: createResolver({ servers: [`127.0.0.1:${dns.port}`] }),
      fetchPolicy: createFetchPolicy({ port, ca: [(await testAuthority()).certificatePem] }),
    });
    const [milliseconds, megabytes] = [performance.now() - begin, (process.memoryUsage().rss - before) / 1e6];
    open.forEach((socket) => socket.destroy());
    server.close();
    expect(finding(result, 'sts-policy-fetch-error').message).toContain('sends the body in more than 8192 pieces');
    // The servers share this process and its time; `node tools/hostile.mjs`, where they do not, allows 10 %.
    expect(milliseconds).toBeLessThan(timeoutMs * 1.3);
    expect(megabytes).toBeLessThan(150);
  });

  test('tasks take turns in order, and none starts after the timeout', async () => {
    const over = new AbortController();
    const inTurn = inTurns(1, over.signal);
    const done: string[] = [];
    let release: () => void = () => undefined;
    const first = inTurn(() => new Promise<void>((resolve) => {
      release = resolve;
    })).then(() => done.push('first'));
    void inTurn(() => Promise.resolve(done.push('never')));
    over.abort();
    release();
    await first;
    const failing = inTurn(() => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await inTurn(() => Promise.resolve(done.push('later')));
    expect(done).toEqual(['first', 'later']);
  });
});
