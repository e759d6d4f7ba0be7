// Policies that some senders can read and others cannot: by their coding, media type, HTTP, TLS; and web pages in place of a policy.
import { createSecureServer } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { TLSSocket, createSecureContext, createServer as createTlsServer } from 'node:tls';
import { createServer as createTcpServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseCodings, decodeBody, zstandardDecoder } from '../../../lib/verifier/https/content-coding';
import { createFetchPolicy } from '../../../lib/verifier/https/policy-fetch';
import { LenientResponse } from '../../../lib/verifier/https/http1-lenient';
import { parseMediaType } from '../../../lib/verifier/https/media-type';
import type { VerificationResult } from '../../../lib/verifier/result';
import { isWebPage, titleOf } from '../../../lib/verifier/https/web-page';
import { DOMAIN, Loopback, MX1, MX2, POLICY, POLICY_HOST } from '../../support/domain';
import type { PolicyServerOptions } from '../../support/policy-server';
import { testAuthority } from '../../support/policy-server';
import { createRsaCertificate } from '../../support/rsa-certificate';
import { finding } from '../../support/verification';

/** A frame of the first stream (RFC 9113 §4.1), in hexadecimal. */
function frame(type: number, flags: number, payload: string): string {
  const bytes = (value: number, length: number): string => value.toString(16).padStart(2 * length, '0');
  return `${bytes(payload.length / 2, 3)}${bytes(type, 1)}${bytes(flags, 1)}${bytes(1, 4)}${payload}`;
}

/** A field that is not indexed (RFC 7541 §6.2.2), in hexadecimal. */
function literal(name: string, value: string): string {
  return `00${[name, value].map((text) => `${text.length.toString(16).padStart(2, '0')}${Buffer.from(text).toString('hex')}`).join('')}`;
}

const loopback = new Loopback();
const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  sockets.splice(0).forEach((socket) => socket.destroy());
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
  await loopback.close();
});

const GO = ['mox', 'postfix-tlspol', 'chasquid', 'go-mtasts', 'aykevl'];
const DECODE_NOTHING = ['mailauth'];

function serve(policy: Partial<PolicyServerOptions>): Promise<VerificationResult> {
  return loopback.verify({ policy });
}

describe('a policy that is served compressed', () => {
  test.each([
    ['gzip', gzipSync(POLICY), DECODE_NOTHING],
    ['GZIP', gzipSync(POLICY), DECODE_NOTHING],
    ['x-gzip', gzipSync(POLICY), [...GO, 'postfix-mta-sts-resolver', ...DECODE_NOTHING]],
    ['deflate', deflateSync(POLICY), [...GO, ...DECODE_NOTHING]],
    ['deflate', deflateRawSync(POLICY), [...GO, ...DECODE_NOTHING]],
    ['br', brotliCompressSync(POLICY), [...GO, 'postfix-mta-sts-resolver', ...DECODE_NOTHING]],
    ['gzip, br', brotliCompressSync(gzipSync(POLICY)), [...GO, 'postfix-mta-sts-resolver', ...DECODE_NOTHING]],
  ])('a compressed policy (%s) is decoded and checked, and a warning names the senders that cannot read it', async (coding, body, senders) => {
    const result = await serve({ body, headers: { 'Content-Encoding': coding } });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', policy: { mode: 'enforce' } });
    expect(finding(result, 'policy-content-coding')).toMatchObject({
      severity: 'warning', senders, message: expect.stringContaining(`the body is sent with Content-Encoding \`${coding.toLowerCase()}\`, which was not asked for`),
    });
  });

  test.each(['utf-8', 'none', 'aws-chunked', 'gzip\u00ff', 'compress'])('a policy under the unknown content coding %s is read as it is, with a warning', async (coding) => {
    const result = await serve({ headers: { 'Content-Encoding': coding } });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    const found = finding(result, 'policy-content-coding');
    expect(found.message).toContain('which was not asked for and is no known coding; it was read as it is');
    expect(found.senders).toBeUndefined();
  });

  test('a compressed policy without Content-Encoding is called compressed, and not full of control characters', async () => {
    const result = await serve({ body: gzipSync(POLICY) });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(finding(result, 'sts-policy-invalid').message).toContain('the file is compressed with gzip, and no Content-Encoding says so');
    expect(result.findings.map(({ code }) => code)).not.toContain('policy-control-character');
  });

  test.each(['identity', '', ' , identity'])('a policy with the content coding %j, which means none, gives no finding', async (coding) => {
    const result = await serve({ headers: { 'Content-Encoding': coding } });
    expect(result.findings.map(({ code }) => code)).not.toContain('policy-content-coding');
    expect(result.verdict).toBe('pass');
  });

  test.each([
    ['gzip', Buffer.from(POLICY), 'the coded data is damaged or incomplete'],
    ['gzip', gzipSync(POLICY).subarray(0, 40), 'the coded data is damaged or incomplete'],
    ['br', Buffer.from('nothing of it'), 'the coded data is damaged or incomplete'],
    ['deflate', Buffer.from('nothing of it'), 'the coded data is damaged or incomplete'],
    ['compress', Buffer.from('1f9d900001', 'hex'), 'the coding is not known'],
    ['gzip\u00ff', gzipSync(POLICY), 'the coding is not known'],
    ['br, br, br, br', Buffer.from(POLICY), 'more than 3 codings were applied'],
  ])('a policy (%s) that cannot be decoded is an error that names the content coding', async (coding, body, reason) => {
    const result = await serve({ body, headers: { 'Content-Encoding': coding } });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    const { message } = finding(result, 'sts-policy-fetch-error');
    expect(message).toContain('Content-Encoding `');
    expect(message).toContain(reason);
  });

  test.each([
    ['gzip', gzipSync(Buffer.alloc(50_000_000))],
    ['deflate', deflateSync(Buffer.alloc(50_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(50_000_000))],
  ])('a decompression bomb (%s) is never decoded beyond the size limit', async (coding, body) => {
    const result = await serve({ body, headers: { 'Content-Encoding': coding } });
    expect(finding(result, 'sts-policy-fetch-error').message).toContain('the body is larger than 65536 bytes');
    const before = process.memoryUsage().arrayBuffers;
    expect(decodeBody(body, [coding], 65536)).toMatchObject({ tooLarge: true });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
  });

  test('a policy is decoded from zstd where Node.js can, with a window of 8 MiB at most', () => {
    expect(zstandardDecoder({ constants: {} })).toEqual([]);
    const asked: unknown[] = [];
    const library = {
      constants: { ZSTD_d_windowLogMax: 100 },
      zstdDecompressSync: (bytes: Uint8Array, options: unknown) => {
        asked.push(options);
        return bytes.length === 0 ? undefined : bytes;
      },
    };
    expect(zstandardDecoder(library).map(([name, decode]) => [name, decode(Buffer.from(POLICY), 65536)])).toEqual([['zstd', Buffer.from(POLICY)]]);
    expect(asked).toEqual([{ maxOutputLength: 65536, params: { 100: 23 } }]);
    expect(() => zstandardDecoder(library).map(([, decode]) => decode(new Uint8Array(0), 1))).toThrow('zstdDecompressSync returned no bytes');
  });

  test('the content codings of a policy are read as a list', () => {
    expect(parseCodings(' gzip ,\tBR, identity,,')).toEqual(['gzip', 'br']);
  });
});

describe('the media type of a policy', () => {
  test.each(['text/plain\u00a0', 'text/plain\u00a0; charset=utf-8', '\u00ef\u00bb\u00bftext/plain', 'text/plain\u0085', 'text /plain', 'text/plain, text/plain', 'text/plain charset=utf-8'])(
    'the media type %j is not text/plain, because blanks other than space and tab belong to it', async (contentType) => {
      const result = await serve({ contentType });
      expect(result.verdict).toBe('fail');
      expect(finding(result, 'sts-policy-invalid').message).toMatch(/^the media type is `.*`, `text\/plain` is expected, at/);
    });

  test.each(['text/plain\u000b', 'text/plain\f', '\ufefftext/plain', '\u00a0text/plain'])('the media type %j is not text/plain after a blank that senders do not strip', (contentType) => {
    expect(parseMediaType(contentType).essence).not.toBe('text/plain');
  });

  test.each([
    ['text/plain; charset', 'the parameter `charset` has no value'],
    ['text/plain; charset=', 'the parameter `charset` has no value'],
    ['text/plain; charset=utf-8; charset=us-ascii', 'the parameter `charset` stands there twice'],
    ['text/plain;;', 'there is an empty parameter, `;;`'],
    ['text/plain; ; charset=utf-8', 'there is an empty parameter, `;;`'],
    ['text/plain; charset="utf-8', 'the quoted value of the parameter `charset` has no end'],
    ['text/plain; charset=utf-8 format=flowed', '`format=flowed` stands where `;` or the end is expected'],
    ['text/plain; charset=utf-8\u00a0', 'stands where `;` or the end is expected'],
    ['text/plain; =utf-8', 'the parameter `=utf-8` has no name'],
    ['text/plain; charset=utf-8, text/html', 'stands where `;` or the end is expected'],
  ])('a media type with unusual parameters (%j) is a warning that names the senders that refuse it', async (contentType, text) => {
    const result = await serve({ contentType });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(finding(result, 'policy-media-type-parameters')).toMatchObject({
      severity: 'warning', senders: ['postfix-tlspol', 'chasquid', 'rest-mail'], message: expect.stringContaining(text),
    });
  });

  test.each([
    ['text/plain; charset = utf-8', 'there are blanks around the `=` of the parameter `charset`'],
    ['text/plain; charset=utf-8; Charset="utf-8"', 'the parameter `Charset` stands there twice'],
    ['text/plain; charset=utf-16', 'it declares the charset `utf-16`, in which the bytes of a policy are other text'],
  ])('a media type with parameters that no known sender refuses (%s) is a warning', async (contentType, text) => {
    const result = await serve({ contentType });
    const found = finding(result, 'policy-media-type-parameters');
    expect(found.message.toLowerCase()).toContain(text.toLowerCase());
    expect(found.senders).toBeUndefined();
  });

  test.each(['text/plain;', 'text/plain ; ', 'text/plain; charset="utf\\-8"', 'Text/Plain;Charset=UTF-8;format=flowed', 'text/plain\t;\tcharset=iso-8859-1'])(
    'the media type %j is text/plain in another notation, and gives no finding', (contentType) => {
      expect(parseMediaType(contentType)).toEqual({ essence: 'text/plain', unusual: [] });
    });
});

describe('a web page in place of the policy', () => {
  test.each([
    ['text/html', '<!DOCTYPE html><html><head><title> Welcome </title>'],
    ['text/plain', '<!doctype html>\n<title>Just a moment...</title>'],
    ['text/plain; charset=utf-8', '\ufeff\r\n  <!-- built by x --><html lang=en>'],
    ['text/plain', '<?xml version="1.0"?>\n<!-- a --> <!-- b -->\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">'],
    ['application/xhtml+xml', '<HTML>'],
    ['text/plain', '<script>location = 1</script>'],
  ])('a web page (%s) in place of the policy is called a web page, and not a malformed policy', async (contentType, body) => {
    const result = await serve({ contentType, body });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(finding(result, 'sts-policy-invalid').message).toMatch(/^a web page is served in place of the policy \(as `/);
    expect(result.findings.filter(({ severity }) => severity === 'error')).toHaveLength(1);
  });

  test.each([
    ['UTF-16', Buffer.from('\ufeff<html>', 'utf16le'), true],
    ['a comment without end', Buffer.from('<!-- and so on'), true],
    ['no page', Buffer.from(POLICY), false],
    ['an error of S3', Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), false],
    ['an instruction without end', Buffer.from('<?xml'), false],
    ['a word that begins alike', Buffer.from('<htmlish>'), false],
    ['nothing', Buffer.alloc(0), false],
  ])('a web page is distinguished from %s', (_, bytes, expected) => {
    expect(isWebPage(bytes)).toBe(expected);
    expect(titleOf(bytes)).toBe('');
  });

  test.each([
    [403, {}, 'often a bot check, a firewall or a rate limit turns away programs', 'permanent-error'],
    [429, {}, 'often a bot check, a firewall or a rate limit turns away programs', 'temporary-error'],
    [403, { 'cf-mitigated': 'challenge' }, 'a bot check stands before the file (`cf-mitigated: challenge`)', 'permanent-error'],
    // Whatever stands behind such a service may be down: that is no bot check, and passes.
    [503, { server: 'cloudflare' }, 'the answer has status 503, only 200 is a policy, at', 'temporary-error'],
    [304, {}, 'the answer has status 304, only 200 is a policy, at', 'permanent-error'],
    [202, { 'x-amzn-waf-action': 'challenge' }, 'a bot check stands before the file (`x-amzn-waf-action: challenge`)', 'permanent-error'],
    [405, { 'x-amzn-waf-action': 'captcha' }, 'a bot check stands before the file', 'permanent-error'],
    [401, {}, 'the host asks for a login', 'permanent-error'],
    [503, {}, 'only 200 is a policy, at', 'temporary-error'],
  ])('a response with status %s and %j is explained', async (status, headers, text, lookup) => {
    const result = await serve({ status, headers });
    expect(result.lookup).toBe(lookup);
    expect(finding(result, 'sts-policy-fetch-error').message).toContain(text);
  });
});

describe('an answer that breaks the letter of HTTP', () => {
  const LENGTH = `Content-Length: ${POLICY.length}\r\n`;
  const TYPE = 'Content-Type: text/plain\r\n';
  const WHOLE = `${POLICY.length.toString(16)}\r\n${POLICY}\r\n0\r\n\r\n`;
  const CHUNKS = `${POLICY.length.toString(16)} \r\n${POLICY}\r\n0\r\n\r\n`;
  test.each<[string, string, string[]]>([
    ['a header field goes on in a second line', `HTTP/1.1 200 OK\r\n${TYPE}X: a\r\n  b\r\n\t\r\n${LENGTH}\r\n${POLICY}`, ['mailauth']],
    ['the same Content-Length stands there more than once', `HTTP/1.1 200 OK\r\n${TYPE}${LENGTH}${LENGTH}\r\n${POLICY}`, ['mailauth']],
    ['Content-Length is a list of the same number', `HTTP/1.1 200 OK\r\n${TYPE}Content-Length: ${POLICY.length}, ${POLICY.length}\r\n\r\n${POLICY}`, [...GO, 'mailauth']],
    ['there are more than 16 KiB of headers', `HTTP/1.1 200 OK\r\n${TYPE}${'X: yyyyyyyyyyyyyy\r\n'.repeat(1300)}${LENGTH}\r\n${POLICY}`, ['mailauth']],
    ['a header field is longer than 8190 bytes', `HTTP/1.1 200 OK\r\n${TYPE}X: ${'y'.repeat(17_000)}\r\n${LENGTH}\r\n${POLICY}`, ['postfix-mta-sts-resolver', 'mailauth']],
    ['header lines end in LF without CR', `HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: ${POLICY.length}\n\n${POLICY}`, ['mailauth']],
    ['there is a blank before the colon of a header field', `HTTP/1.1 200 OK\r\n${TYPE}X : y\r\n${LENGTH}\r\n${POLICY}`, ['mailauth']],
    ['Transfer-Encoding is not `chunked` alone', `HTTP/1.1 200 OK\r\n${TYPE}Transfer-Encoding: gzip, chunked\r\n\r\n${WHOLE}`, GO],
    ['Transfer-Encoding is not `chunked` alone', `HTTP/1.1 200 OK\r\n${TYPE}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${WHOLE}`, GO],
    ['Content-Type stands there more than once', `HTTP/1.1 200 OK\r\n${TYPE}Content-Type: text/html\r\n${LENGTH}\r\n${POLICY}`, []],
    ['Content-Type stands there more than once', `HTTP/1.1 200 OK\n${TYPE}Content-Type: text/html\r\n${LENGTH}\r\n${POLICY}`, ['mailauth']],
    ['there are blanks behind a chunk size', `HTTP/1.1 200 OK\r\n${TYPE}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`, ['mailauth']],
    ['header lines end in LF without CR', `HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.1 200 OK\n${TYPE}${LENGTH}\n${POLICY}`, ['mailauth']],
  ])('a response that violates HTTP but that senders accept is a warning: %s', async (text, raw, senders) => {
    const result = await serve({ raw: [raw] });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', policy: { mode: 'enforce' } });
    const found = finding(result, 'policy-http-malformed');
    expect(found.severity).toBe('warning');
    expect(found.message).toContain(text);
    expect([...found.senders ?? []].sort()).toEqual([...senders].sort());
  });

  test.each([
    ['informational answers', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n${TYPE}${LENGTH}\r\n${POLICY}`],
    ['extensions and trailers of chunks', `HTTP/1.1 200 OK\r\n${TYPE}Transfer-Encoding: Chunked\r\n\r\n${POLICY.length.toString(16)};a="b"\r\n${POLICY}\r\n0\r\nX: y\r\n\r\n`],
    ['two thousand and more fields', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(2500)}${TYPE}${LENGTH}\r\n${POLICY}`],
    ['no reason', `HTTP/1.1 200\r\n${TYPE}${TYPE}${LENGTH}\r\n${POLICY}`],
  ])('a response that is only unusual does not count as a violation of HTTP: %s', async (_, raw) => {
    const result = await serve({ raw: [raw] });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(result.findings.map(({ code }) => code)).not.toContain('policy-http-malformed');
  });

  test('a response that violates HTTP is read the same a byte at a time', async () => {
    const result = await serve({ raw: Array.from(`HTTP/1.1 200 OK\n${TYPE}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`) });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
  });

  test('a media type on folded lines is joined', async () => {
    const result = await serve({ raw: [`HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n${LENGTH}\r\n${POLICY}`] });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(result.findings.map(({ code }) => code)).toContain('policy-http-malformed');
    expect(result.findings.map(({ code }) => code)).not.toContain('policy-media-type-parameters');
  });

  test('a response that violates HTTP with another status is classified by that status', async () => {
    const result = await serve({ raw: ['HTTP/1.1 404 Not Found\nContent-Length: 0\n\n'] });
    expect(finding(result, 'sts-policy-fetch-error').message).toContain('the answer has status 404');
  });

  test.each([
    ['a length beside chunks', `HTTP/1.1 200 OK\r\n${TYPE}${LENGTH}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`],
    ['two lengths', `HTTP/1.1 200 OK\r\n${TYPE}${LENGTH}Content-Length: 7\r\n\r\n${POLICY}`],
    ['no number as length', `HTTP/1.1 200 OK\r\n${TYPE}Content-Length: +${POLICY.length}\r\n\r\n${POLICY}`],
    ['NUL in a field', `HTTP/1.1 200 OK\r\n${TYPE}X: a\0b\r\n${LENGTH}\r\n${POLICY}`],
    ['a line that is no field', `HTTP/1.1 200 OK\r\n${TYPE}nonsense\r\n${LENGTH}\r\n${POLICY}`],
    ['a folded first field', `HTTP/1.1 200 OK\r\n X: y\r\n${TYPE}${LENGTH}\r\n${POLICY}`],
    ['no status', `HTTP/1.1 OK\r\n${TYPE}${LENGTH}\r\n${POLICY}`],
    ['chunk lines that end in a bare LF', `HTTP/1.1 200 OK\r\n${TYPE}Transfer-Encoding: chunked\r\n\r\n${CHUNKS.replaceAll('\r\n', '\n')}`],
    ['a chunk that is too long', `HTTP/1.1 200 OK\n${TYPE}Transfer-Encoding: chunked\r\n\r\n1\r\nvv\r\n`],
    ['a chunk size that is no number', `HTTP/1.1 200 OK\n${TYPE}Transfer-Encoding: chunked\r\n\r\nx\r\n`],
    ['another transfer coding', `HTTP/1.1 200 OK\n${TYPE}Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNKS}`],
  ])('a response that violates HTTP and that senders refuse stays an error: %s', async (_, raw) => {
    const result = await serve({ raw: [raw] });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(finding(result, 'sts-policy-fetch-error').message).toMatch(/malformed HTTP|does not speak HTTP/);
  });

  test('a connection that breaks after a response that violates HTTP is reported by the first problem', async () => {
    const fetchPolicy = createFetchPolicy({ port: (await loopback.policy({ raw: [`HTTP/1.1 200 OK\n${TYPE}${LENGTH}\n`] })).port, ca: [(await testAuthority()).certificatePem], timeoutMs: 1000 });
    expect(await fetchPolicy({ policyHost: POLICY_HOST, address: '127.0.0.1' })).toMatchObject({ outcome: 'protocol' });
  });

  test('a response has bounded framing, and ends with the connection where it gives no length', () => {
    const events: string[] = [];
    const reader = {
      head: () => events.push('head'), data: () => undefined, end: () => events.push('end'), failed: (error: Error) => events.push(error.message),
      informational: () => undefined, violation: () => undefined,
    };
    const untilClose = new LenientResponse(reader);
    untilClose.take(Buffer.from('HTTP/1.0 200 OK\n\nversion'));
    untilClose.end();
    const cut = new LenientResponse(reader);
    cut.take(Buffer.from('HTTP/1.0 200 OK\n'));
    cut.end();
    cut.end();
    const framed = new LenientResponse(reader);
    framed.take(Buffer.from('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n'));
    framed.take(Buffer.from(`1;${'x'.repeat(1000)}\r\nv\r\n`.repeat(1100)));
    expect(events).toEqual(['head', 'end', 'the connection was closed', 'head', 'more framing than data']);
    expect(untilClose.isComplete).toBe(true);
    expect(framed.isComplete).toBe(false);
  });
});

describe('a policy host with other TLS', () => {
  test('a policy host with only RSA key exchange is a warning that names the senders in Go', async () => {
    const { keyPem: key, certificatePem: cert } = await createRsaCertificate([POLICY_HOST]);
    const policy = await loopback.policy({ tls: { key, cert, maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' } });
    const fetchPolicy = createFetchPolicy({ port: policy.port, ca: [cert] });
    const result = await loopback.verify({ policyPort: policy.port, network: { fetchPolicy } });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(finding(result, 'tls-cipher-uncommon')).toMatchObject({
      severity: 'warning', senders: GO, message: expect.stringContaining('it takes `TLS_RSA_WITH_AES_128_GCM_SHA256`, with RSA key exchange, at 127.0.0.1'),
    });
  });

  test('a policy host with RSA key exchange and common cipher suites gives no finding', async () => {
    const { keyPem: key, certificatePem: cert } = await createRsaCertificate([POLICY_HOST]);
    const { port } = await loopback.policy({ tls: {
      key, cert, maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256', honorCipherOrder: true,
    } });
    const response = await createFetchPolicy({ port, ca: [cert] })({ policyHost: POLICY_HOST, address: '127.0.0.1' });
    expect(response).toMatchObject({ outcome: 'answered', status: 200 });
    expect(response).not.toHaveProperty('cipher', expect.any(String));
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('a policy host that requires a client certificate (%s) is reported, and its own certificate is not blamed', async (maxVersion) => {
    const result = await serve({ tls: { requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2', maxVersion } });
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error' });
    expect(result.findings.map(({ code }) => code)).not.toContain('sts-webpki-invalid');
    expect(finding(result, 'sts-policy-fetch-error')).toMatchObject({
      message: 'the policy host asks for a client certificate, which senders do not have, at 127.0.0.1', fix: expect.stringContaining('client authentication'),
    });
  });

  test('a policy host that asks for an optional client certificate gives no finding', async () => {
    expect(await serve({ tls: { requestCert: true, rejectUnauthorized: false } })).toMatchObject({ verdict: 'pass' });
  });

  async function http2(answer: (stream: ServerHttp2Stream) => void, names = [POLICY_HOST]): Promise<number> {
    const { keyPem: key, certificatePem: cert } = await (await testAuthority()).issue({ names });
    return listen(createSecureServer({ key, cert }).on('stream', answer).on('sessionError', () => undefined));
  }

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    server.on('connection', (socket) => sockets.push(socket));
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done);
    });
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  const OK = { ':status': 200, 'content-type': 'text/plain' };

  test('a policy host with only HTTP/2 is read, and a warning names the senders that cannot read it', async () => {
    const result = await loopback.verify({ policyPort: await http2((stream) => {
      stream.additionalHeaders({ ':status': 103 });
      stream.respond(OK);
      stream.end(POLICY);
    }) });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found', policy: { mode: 'enforce' } });
    expect(finding(result, 'policy-http2-only')).toMatchObject({ severity: 'warning', senders: ['rest-mail', 'postfix-mta-sts-resolver', 'mailauth'] });
  });

  test.each<[string, (stream: ServerHttp2Stream) => void, string]>([
    ['a status', (stream) => {
      stream.respond({ ':status': 404 }, { endStream: true });
    }, 'the answer has status 404, only 200 is a policy'],
    ['too much', (stream) => {
      stream.on('error', () => undefined);
      stream.respond(OK);
      stream.end(Buffer.alloc(100_000, 'a'));
    }, 'the body is larger than 65536 bytes'],
    ['an end too soon', (stream) => {
      stream.respond(OK);
      stream.session?.destroy();
    }, 'does not speak HTTP/1.1 (TLS alert: no application protocol)'],
  ])('a response over HTTP/2 is classified like any other: %s', async (_, answer, message) => {
    const result = await loopback.verify({ policyPort: await http2(answer) });
    expect(finding(result, 'sts-policy-fetch-error').message).toContain(message);
  });

  // `stream.close(code)` of Node's server ends the stream before it resets it, so a client has the whole answer: only frames show a reset.
  test.each([
    ['before the answer', '', 'does not speak HTTP/1.1 (TLS alert: no application protocol)'],
    ['in the middle of the body', frame(1, 4, `88${literal('content-type', 'text/plain')}`) + frame(0, 0, Buffer.from('version: STS').toString('hex')), 'does not speak HTTP/1.1'],
  ])('an HTTP/2 stream that is reset, %s, is not read as a complete response', async (_, answer, message) => {
    const { keyPem: key, certificatePem: cert } = await (await testAuthority()).issue({ names: [POLICY_HOST] });
    const port = await listen(createTlsServer({ key, cert, ALPNProtocols: ['h2'] }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(Buffer.from(`000000040000000000${answer}${frame(3, 0, '00000002')}`, 'hex'));
      });
    }));
    const result = await loopback.verify({ policyPort: port });
    expect(result).toMatchObject({ verdict: 'fail', policy: null });
    expect(finding(result, 'sts-policy-fetch-error').message).toContain(message);
  });

  test('a policy host with only HTTP/2 and a certificate for another name is reported for its name', async () => {
    const result = await loopback.verify({ policyPort: await http2(() => undefined, ['other.example']) });
    expect(finding(result, 'sts-webpki-invalid').message).toContain('certificate is for other.example');
  });

  test('a server that starts HTTP/2 without negotiation is reported', async () => {
    const { keyPem: key, certificatePem: cert } = await (await testAuthority()).issue({ names: [POLICY_HOST] });
    const port = await listen(createTlsServer({ key, cert }, (socket) => {
      socket.on('error', () => undefined);
      socket.end(Buffer.from('000000040000000000ffffffffff', 'hex'));
    }));
    const result = await loopback.verify({ policyPort: port });
    expect(finding(result, 'sts-policy-fetch-error').message).toContain('speaks HTTP/2, which it was not asked for');
  });
});

describe('a policy host that ends what it began', () => {
  async function tlsServer(serve_: (socket: TLSSocket, raw: Socket) => void): Promise<number> {
    const { keyPem: key, certificatePem: cert } = await (await testAuthority()).issue({ names: [POLICY_HOST] });
    const context = createSecureContext({ key, cert });
    const server = createTcpServer((raw) => {
      sockets.push(raw.on('error', () => undefined));
      const socket = new TLSSocket(raw, { isServer: true, secureContext: context });
      socket.on('error', () => undefined).once('data', () => {
        serve_(socket, raw);
      });
    });
    servers.push(server);
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done);
    });
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  test('a response without length ends with the connection, also for the lenient parser', async () => {
    const result = await loopback.verify({ policyPort: await tlsServer((socket) => socket.end(`HTTP/1.1 200 OK\nContent-Type: text/plain\n\n${POLICY}`)) });
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
  });

  test('a policy host that breaks the TLS connection is not blamed for its certificate', async () => {
    const result = await loopback.verify({ policyPort: await tlsServer((_, raw) => raw.write('this is no TLS record, whatever you may think')) });
    expect(result.findings.map(({ code }) => code)).not.toContain('sts-webpki-invalid');
    expect(finding(result, 'sts-policy-fetch-error').message).toContain('broken off before the answer (');
  });

  test('a fetch that rejects leaves the domain undecided', async () => {
    const result = await loopback.verify({ network: { fetchPolicy: () => Promise.reject(new Error('no such luck')) } });
    expect(result.policyObservations.at(0)?.answer).toContain('no such luck');
    expect((await loopback.verify({ network: { fetchPolicy: () => new Promise((_, reject) => {
      Reflect.apply(reject, undefined, [1]);
    }) } })).policyObservations.at(0)?.answer).toContain('unknown reason');
  });
});

describe('a mail host with other TLS', () => {
  test('a mail host with only RSA key exchange is a warning that names the senders in Go', async () => {
    const { keyPem: key, certificatePem: cert } = await createRsaCertificate([MX1, MX2]);
    const mx = await loopback.mx({ tls: { key, cert, maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' } });
    const { createMxProbe } = await import('../../../lib/verifier/smtp/mx-probe');
    const result = await loopback.verify({ mxPort: mx.port, network: { mxProbe: createMxProbe({ port: mx.port, ca: [cert] }) } });
    expect(result).toMatchObject({ domain: DOMAIN, verdict: 'pass' });
    const found = result.findings.filter(({ code }) => code === 'tls-cipher-uncommon');
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({ severity: 'warning', subject: `MX ${MX1}`, senders: ['mox', 'chasquid'], message: expect.stringContaining('with RSA key exchange') });
  });

  test('a mail host that requires a client certificate is reported', async () => {
    const { keyPem: key, certificatePem: cert } = await (await testAuthority()).issue({ names: [MX1, MX2] });
    const result = await loopback.verify({ mx: { requestCert: true, tls: { key, cert, maxVersion: 'TLSv1.2' } } });
    const found = result.findings.filter(({ code }) => code === 'validation-failure').map(({ message }) => message);
    expect(found[0]).toContain('asks for a client certificate, which senders do not have');
  });
});
