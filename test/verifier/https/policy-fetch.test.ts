// The fetch against policy hosts that misbehave each in one way; the request is sent over trusted connections only.
import { createServer } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { certificateProblem, checkServerIdentity, describeCertificate } from '../../../lib/verifier/tls/certificate';
import { classifyResponse } from '../../../lib/verifier/checks/policy/response';
import { responseText } from '../../../lib/verifier/evidence';
import { createFetchPolicy } from '../../../lib/verifier/https/policy-fetch';
import type { FetchPolicyOptions } from '../../../lib/verifier/https/policy-fetch';
import type { PolicyResponse } from '../../../lib/verifier/https/policy-response';
import { duration, errorCode, isFamilyUnusable, networkProblem } from '../../../lib/verifier/network-errors';
import { Loopback, POLICY, POLICY_HOST } from '../../support/domain';
import { withLongerLimits } from '../../support/waiting';
import type { PolicyServer, PolicyServerOptions } from '../../support/policy-server';
import { testAuthority } from '../../support/policy-server';

const loopback = new Loopback();
afterEach(() => loopback.close());

const CHUNKED = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n';
const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n';

async function fetchFrom(
  options: Partial<PolicyServerOptions> = {}, more: FetchPolicyOptions = {},
): Promise<{ response: PolicyResponse; server: PolicyServer }> {
  const server = await loopback.policy(options);
  const fetchPolicy = createFetchPolicy({ port: server.port, ca: [server.ca], timeoutMs: 30_000, ...more });
  return { response: await fetchPolicy({ policyHost: POLICY_HOST, address: server.address }), server };
}

describe('a connection that cannot be trusted', () => {
  test.each([
    ['wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID', `certificate is for other.example, *.other.example, not for ${POLICY_HOST}`],
    ['untrusted', 'SELF_SIGNED_CERT_IN_CHAIN', 'certificate is issued by Unknown authority, which is not a trusted authority'],
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate is self-signed'],
    ['expired', 'CERT_HAS_EXPIRED', 'certificate has expired on 2020-01-02T00:00:00Z'],
    ['not-yet-valid', 'CERT_NOT_YET_VALID', 'certificate is not valid before 2100-01-01T00:00:00Z'],
  ] as const)('an invalid certificate (%s) is explained and shown, and no request is sent', async (behaviour, code, reason) => {
    const { response, server } = await fetchFrom({ behaviour });
    expect(response).toMatchObject({ outcome: 'untrusted', code, reason });
    expect(response.certificate?.validTo).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(response.certificate?.issuer).not.toBe('');
    expect(server.requests).toEqual([]);
  });

  test('a certificate of an unknown authority is not trusted, because only those that Node.js trusts count', async () => {
    const { response, server } = await fetchFrom({}, { ca: undefined });
    expect(response).toMatchObject({ outcome: 'untrusted', code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    expect(server.requests).toEqual([]);
  });

  test.each([
    ['plain-http', 'does not speak TLS on this port'],
    ['tls-1.1', 'offers no TLS version from 1.2 on'],
  ] as const)('a failed TLS handshake (%s) is explained', async (behaviour, reason) => {
    const { response, server } = await fetchFrom({ behaviour });
    expect(response).toMatchObject({ outcome: 'untrusted', reason, certificate: undefined });
    expect(server.requests).toEqual([]);
  });

  test('a TLS handshake that fails in a rare way is explained as far as possible', async () => {
    const alert = createServer((socket) => {
      socket.on('error', () => undefined);
      // A fatal TLS alert: internal error.
      socket.once('data', () => socket.end(Buffer.from('15030300020250', 'hex')));
    });
    const port = await new Promise<number>((resolve) => {
      alert.listen(0, '127.0.0.1', () => {
        const bound = alert.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
      });
    });
    const response = await createFetchPolicy({ port })({ policyHost: POLICY_HOST, address: '127.0.0.1' });
    alert.close();
    expect(response).toMatchObject({ outcome: 'untrusted', reason: 'TLS handshake failed (tlsv1 alert internal error)' });
  });
});

describe('a host that cannot be reached', () => {
  test('a closed port is reported at once', async () => {
    const { port, ca, close } = await loopback.policy();
    await close();
    const fetchPolicy = createFetchPolicy({ port, ca: [ca] });
    expect(await fetchPolicy({ policyHost: POLICY_HOST, address: '127.0.0.1' })).toMatchObject({ outcome: 'unreachable', code: 'ECONNREFUSED', reason: 'connection refused' });
    expect(await fetchPolicy({ policyHost: POLICY_HOST, address: '::1' })).toMatchObject({ outcome: 'unreachable', code: 'ECONNREFUSED' });
  });

  test('a connection reset by the host is reported', async () => {
    const { response } = await fetchFrom({ behaviour: 'reset' });
    expect(response).toMatchObject({ outcome: 'unreachable', code: 'ECONNRESET' });
    expect(response).toHaveProperty('reason', expect.stringContaining('connection reset'));
  });

  test('a missing route on this machine says nothing about the host', async () => {
    // No system connects to a multicast address: it says "network unreachable" before a packet leaves.
    const response = await createFetchPolicy({ timeoutMs: 2000 })({ policyHost: POLICY_HOST, address: 'ff02::1' });
    expect(response).toMatchObject({ outcome: 'unusable', reason: 'no route to the address from this machine' });
  });
});

describe('a host that takes its time', () => {
  test.each([
    ['late', 'response headers not there'],
    ['slow-drip', 'response body not complete'],
  ] as const)('a slow host (%s) is stopped by the deadline of the whole exchange', async (behaviour, reason) => {
    const { result: { response }, limitMs } = await withLongerLimits(
      [150, 3000, 15_000], (timeoutMs) => fetchFrom({ behaviour }, { timeoutMs }), (one) => 'reason' in one.response && one.response.reason.startsWith(reason),
    );
    expect(response).toMatchObject({ outcome: 'unreachable', code: 'ETIMEDOUT', reason: `${reason} within ${duration(limitMs)}` });
  });

  test('a slow TLS handshake is stopped by the deadline', async () => {
    const mute = createServer();
    const port = await new Promise<number>((resolve) => {
      mute.listen(0, '127.0.0.1', () => {
        const bound = mute.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
      });
    });
    const { result, limitMs } = await withLongerLimits(
      [100, 3000, 15_000], (timeoutMs) => createFetchPolicy({ port, timeoutMs })({ policyHost: POLICY_HOST, address: '127.0.0.1' }),
      (one) => 'reason' in one && one.reason.startsWith('TLS handshake'),
    );
    mute.close();
    expect(result).toMatchObject({ outcome: 'unreachable', reason: `TLS handshake not there within ${duration(limitMs)}` });
  });

  test('a fetch can be cancelled before it starts and while it runs', async () => {
    const called = new AbortController();
    const fetching = fetchFrom({ behaviour: 'late' }, { signal: called.signal });
    setTimeout(() => {
      called.abort();
    }, 50);
    expect((await fetching).response).toMatchObject({ outcome: 'unreachable', code: 'ABORT_ERR' });
    expect((await fetchFrom({}, { signal: called.signal })).response).toMatchObject({ reason: 'cancelled while waiting for the connection' });
  });
});

describe('an answer that is no policy', () => {
  test('a redirect is returned as it is, and not followed', async () => {
    const { response, server } = await fetchFrom({ behaviour: 'redirect' });
    expect(response).toMatchObject({ outcome: 'answered', status: 301, location: 'https://www.example/policy', body: Buffer.alloc(0) });
    expect(server.requests).toHaveLength(1);
  });

  test.each([['404', 404], ['500', 500]] as const)('a response with status %s is returned without its body', async (behaviour, status) => {
    const { response } = await fetchFrom({ behaviour });
    expect(response).toMatchObject({ outcome: 'answered', status, body: Buffer.alloc(0), tooLarge: false });
  });

  test('a response that is not HTTP is an error', async () => {
    const { response } = await fetchFrom({ behaviour: 'not-http' });
    expect(response).toMatchObject({ outcome: 'protocol', code: 'HPE_INVALID_CONSTANT', reason: 'does not speak HTTP' });
    expect(classifyResponse(response)).toMatchObject({ kind: 'fault', temporary: false });
    expect(responseText(response)).toMatch(/^does not speak HTTP \(HPE_INVALID_CONSTANT\) after /);
  });

  test.each([
    ['64 KiB of headers', 'HTTP/1.1 200 OK\r\nX-Filler: ', 'HPE_LENIENT_HEADER_OVERFLOW', 65],
    ['16 KiB of trailers', `${CHUNKED}1\r\nv\r\n0\r\nX-Filler: `, 'HPE_HEADER_OVERFLOW', 17],
    ['16 KiB of chunk extensions', `${CHUNKED}1;filler=`, 'HPE_CHUNK_EXTENSIONS_OVERFLOW', 17],
  ])('a response with too many %s is an error, and is not called temporary', async (part, start, code, kibibytes) => {
    const { response } = await fetchFrom({ raw: [start, 'a'.repeat(kibibytes * 1024)] });
    const reason = `sends more than ${part}`;
    expect(response).toMatchObject({ outcome: 'protocol', code, reason });
    expect(classifyResponse(response)).toMatchObject({ kind: 'fault', code: 'sts-policy-fetch-error', temporary: false, message: reason });
    expect(responseText(response)).toContain(`${reason} (${code}) after `);
  });

  test.each([
    ['headers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n', 'HPE_INVALID_CONTENT_LENGTH'],
    ['chunks', `${CHUNKED}not a length\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
  ])('a response with malformed %s is an error in the words of the parser, and is not called temporary', async (_, bytes, code) => {
    const { response } = await fetchFrom({ raw: [bytes] });
    expect(response).toMatchObject({ outcome: 'protocol', code });
    // The parser's own words, which may change with Node.
    expect(response).toHaveProperty('reason', expect.stringMatching(/^sends malformed HTTP \((?!HPE_).+\)$/));
    expect(classifyResponse(response)).toMatchObject({ kind: 'fault', temporary: false });
  });

  test.each([
    ['with an Upgrade', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'],
    ['without one', ''],
  ])('a protocol upgrade, %s, is returned as status 101 at once', async (_, headers) => {
    const { response } = await fetchFrom({ raw: [`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`] });
    expect(response).toMatchObject({ outcome: 'answered', status: 101, body: Buffer.alloc(0) });
    expect(classifyResponse(response)).toMatchObject({ temporary: false, message: 'the answer has status 101, only 200 is a policy' });
  });

  test.each([
    ['in one write', [EARLY_HINTS.repeat(100)]],
    ['in many', Array.from({ length: 100 }, () => EARLY_HINTS)],
  ])('endless early hints (%s) are not waited for', async (_, raw) => {
    const { response } = await fetchFrom({ raw });
    const reason = 'sends more than 10 informational responses (the last has status 103) before the answer itself';
    expect(response).toMatchObject({ outcome: 'protocol', code: 'NO_FINAL_RESPONSE', reason });
    expect(classifyResponse(response)).toMatchObject({ kind: 'fault', code: 'sts-policy-fetch-error', temporary: false, message: reason });
  });

  test('a response that ends early is an error', async () => {
    const { response } = await fetchFrom({ behaviour: 'broken-off' });
    expect(response).toMatchObject({ outcome: 'protocol', reason: 'broken off in the middle of the body (connection reset)' });
    expect(classifyResponse(response)).toMatchObject({ kind: 'fault', temporary: true });
  });

  test.each(['endless', 'too-large'] as const)('a response that is too large (%s) is cut off at 64 KiB', async (behaviour) => {
    const { response } = await fetchFrom({ behaviour });
    expect(response).toMatchObject({ outcome: 'answered', tooLarge: true });
    // Nobody reads it any more.
    expect(response.outcome === 'answered' ? response.body.length : 1).toBe(0);
  });

  test('a response without media type is returned without one', async () => {
    const { response } = await fetchFrom({ behaviour: 'no-media-type' });
    expect(response).toMatchObject({ outcome: 'answered', contentType: '' });
  });
});

describe('a policy', () => {
  test('a policy is returned byte for byte, with the facts of its connection', async () => {
    const { response } = await fetchFrom();
    expect(response).toMatchObject({
      outcome: 'answered', status: 200, contentType: 'text/plain; charset=utf-8', body: Buffer.from(POLICY), tooLarge: false, tlsVersion: 'TLSv1.3',
      certificate: { subjectAltName: `DNS:${POLICY_HOST}`, issuer: 'Test authority' },
    });
    expect(response.milliseconds).toBeLessThan(10_000);
  });

  const length = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${POLICY.length}\r\n`;
  const whole = `${length}\r\n${POLICY}`;

  test.each([
    ['in the same write', [`${whole}\r\nx`]],
    ['in a write of their own', [whole, '\r\nx']],
    ['though the server has said that it closes', [`${length}Connection: close\r\n\r\n${POLICY}\r\nx`]],
    ['as a second answer', [`${whole}${whole}`]],
    ['behind the last chunk', [`${CHUNKED}${POLICY.length.toString(16)}\r\n${POLICY}\r\n0\r\n\r\nx`]],
  ])('a policy is complete when its length says so, whatever bytes follow it %s (RFC 9112 §6.3)', async (_, raw) => {
    const { response } = await fetchFrom({ raw });
    expect(response).toMatchObject({ outcome: 'answered', status: 200, tooLarge: false, body: Buffer.from(POLICY) });
  });

  test.each([
    ['ten early hints', `${EARLY_HINTS.repeat(10)}${whole}`],
    ['an offer of another protocol', `${length}Connection: Upgrade\r\nUpgrade: h2\r\n\r\n${POLICY}`],
  ])('a policy may have %s', async (_, bytes) => {
    const { response } = await fetchFrom({ raw: [bytes] });
    expect(response).toMatchObject({ outcome: 'answered', status: 200, body: Buffer.from(POLICY) });
  });

  test('the byte order mark of a policy is returned', async () => {
    const { response } = await fetchFrom({ behaviour: 'bom' });
    expect(response).toMatchObject({ body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(POLICY)]) });
  });

  test('a policy may have exactly 64 KiB', async () => {
    const { response } = await fetchFrom({ body: 'a'.repeat(65536) });
    expect(response).toMatchObject({ tooLarge: false });
    expect(response.outcome === 'answered' ? response.body.length : 0).toBe(65536);
  });

  test('a fetch sends the policy host as Host and SNI, and asks for no compression', async () => {
    const { server } = await fetchFrom();
    expect(server.requests).toEqual([{
      host: POLICY_HOST, serverName: POLICY_HOST, method: 'GET', path: '/.well-known/mta-sts.txt', userAgent: expect.stringMatching(/^mta-sts/), acceptEncoding: 'identity',
    }]);
  });

  test('each fetch uses a new connection, over IPv6 as well', async () => {
    const { port, ca, requests } = await loopback.policy({ address: '::1', first: { body: 'old', requests: 1 } });
    const fetchPolicy = createFetchPolicy({ port, ca: [ca] });
    const request = { policyHost: POLICY_HOST, address: '::1' };
    expect(await fetchPolicy(request)).toMatchObject({ body: Buffer.from('old') });
    expect(await fetchPolicy(request)).toMatchObject({ body: Buffer.from(POLICY) });
    expect(requests).toHaveLength(2);
  });

  test('a policy may be served over TLS 1.2 and with a wildcard certificate', async () => {
    const wildcard = await (await testAuthority()).issue({ names: ['*.example.test'] });
    expect(wildcard.certificatePem).toContain('BEGIN CERTIFICATE');
    const { response } = await fetchFrom({ policyHost: '*.example.test' });
    expect(response).toMatchObject({ outcome: 'answered', status: 200 });
  });
});

describe('a certificate', () => {
  const certificate = { subjectAltName: '', issuer: '', validFrom: 'a', validTo: 'b' };

  test('a certificate needs the name in its SAN, because a common name alone does not count', () => {
    const parts = { ...peer(), subject: { ...peer().subject, CN: POLICY_HOST } };
    expect(checkServerIdentity(POLICY_HOST, parts)).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(checkServerIdentity(POLICY_HOST, { ...parts, subjectaltname: 'IP Address:192.0.2.1' })).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(checkServerIdentity(POLICY_HOST, { ...parts, subjectaltname: `DNS:${POLICY_HOST}` })).toBeUndefined();
  });

  test('a certificate without a name is described as such', () => {
    expect(certificateProblem('ERR_TLS_CERT_ALTNAME_INVALID', 'a.test', certificate)).toBe('certificate is for no DNS name at all (its SAN has none), not for a.test');
  });

  test('a certificate with many names is described by five of them, escaped', () => {
    const subjectAltName = ['a\u001b', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `DNS:${name}`).join(', ');
    expect(certificateProblem('ERR_TLS_CERT_ALTNAME_INVALID', 'a.test', { ...certificate, subjectAltName }))
      .toBe('certificate is for a\\x1b, b, c, d, e and 2 more, not for a.test');
  });

  test.each([
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'certificate is issued by an unnamed authority, which is not a trusted authority'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate comes without the intermediate certificate of its issuer an unnamed authority, or the issuer is not trusted'],
    ['CERT_REVOKED', 'certificate is not trusted (CERT_REVOKED)'],
  ])('a certificate with the problem %s is explained', (code, reason) => {
    expect(certificateProblem(code, 'a.test', certificate)).toBe(reason);
  });

  test('the dates of a certificate are comparable, and are returned unchanged when they cannot be read', () => {
    expect(describeCertificate({ ...peer(), valid_from: 'Jan  2 00:00:00 2020 GMT', valid_to: 'some day' })).toEqual({
      subjectAltName: '', issuer: 'Authorities Inc., Authority 1', validFrom: '2020-01-02T00:00:00Z', validTo: 'some day',
    });
  });

  function peer(): PeerCertificate {
    const name = { C: '', ST: '', L: '', O: 'Authorities Inc.', OU: '', CN: 'Authority 1' };
    return {
      ca: false, raw: Buffer.alloc(0), subject: name, issuer: name, valid_from: '', valid_to: '', serialNumber: '',
      fingerprint: '', fingerprint256: '', fingerprint512: '',
    };
  }
});

describe('what the system says of a connection', () => {
  const error = (code?: string): Error => Object.assign(new Error('no'), code === undefined ? {} : { code });

  test('network errors of the system are explained, and an unknown code is named', () => {
    expect(networkProblem(error('ECONNREFUSED'))).toBe('connection refused');
    expect(networkProblem(error('EWHATEVER'))).toBe('failed with EWHATEVER');
    expect(networkProblem(error())).toBe('failed for an unknown reason');
    expect(errorCode(error())).toBe('');
  });

  test('a missing address family on this machine is distinguished from a host that does not answer', () => {
    expect(isFamilyUnusable(error('ENETUNREACH'), '192.0.2.1')).toBe(true);
    expect(isFamilyUnusable(error('EADDRNOTAVAIL'), '2001:db8::1')).toBe(true);
    expect(isFamilyUnusable(error('EHOSTUNREACH'), '2001:db8::1')).toBe(true);
    expect(isFamilyUnusable(error('EHOSTUNREACH'), '192.0.2.1')).toBe(false);
    expect(isFamilyUnusable(error('ECONNREFUSED'), '2001:db8::1')).toBe(false);
  });

  test('a duration is written briefly', () => {
    expect([duration(20), duration(1500), duration(20_000)]).toEqual(['20 ms', '1.5 s', '20 s']);
  });
});
