// The HTTPS server of a preview, from the handshake to the edge function.
import { afterEach, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { edgeFunctionCode } from '../../lib/private/policy-host/policy-distribution';
import type { Publication } from '../../lib/preview/assembly/assembly';
import { makeCertificates } from '../../lib/preview/tls/certificates';
import { CloudFront } from '../../lib/preview/edge/cloudfront';
import type { Distribution } from '../../lib/preview/edge/distribution';
import { PreviewError } from '../../lib/preview/errors';
import { Notes } from '../../lib/preview/assembly/evaluated';
import { ObjectStore } from '../../lib/preview/assembly/objects';
import { MANAGED_POLICIES } from '../../lib/preview/edge/response-headers';
import { startWebServer } from '../../lib/preview/server';
import type { WebServer } from '../../lib/preview/server';
import { POLICY_PATH, ask, askHttp2, askRaw } from '../support/tls-client';
import type { Answer, Question } from '../support/tls-client';
import { firstItem } from '../support/items';

const POLICY = 'version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n';

const DISTRIBUTION: Distribution = {
  path: 'Mail/Distribution',
  id: 'E1',
  domainName: 'd1.cloudfront.net',
  aliases: ['mta-sts.example.com', '*.wild.example.com'],
  ipv6: true,
  minimumTls: 'TLSv1.2',
  viewerProtocol: 'redirect-to-https',
  allowedMethods: ['GET', 'HEAD'],
  functionCode: edgeFunctionCode(['mta-sts.example.com']),
  responseHeaders: MANAGED_POLICIES.get('67f7725c-6f97-4210-82d7-5512b31e9d03'),
  bucketName: 'bucket',
  originPath: '',
};

const PUBLICATION: Publication = {
  path: 'Mail/Publication',
  domain: 'example.com',
  policyId: '1',
  policyText: POLICY,
  bucketName: 'bucket',
  objectKey: `mta-sts.example.com${POLICY_PATH}`,
  manualRecords: [],
};

let open: { close(): Promise<void> }[] = [];
let log: string[] = [];

afterEach(async () => {
  await Promise.all(open.map((resource) => resource.close()));
  open = [];
  log = [];
});

interface Running extends WebServer {
  readonly ca?: string;
  ask(question?: Partial<Question>): Promise<Answer>;
}

async function serve(...distributions: Partial<Distribution>[]): Promise<Running> {
  const all = (distributions.length === 0 ? [{}] : distributions).map((distribution) => ({ ...DISTRIBUTION, ...distribution }));
  const addLine = (line: string): void => {
    log.push(line);
  };
  const certificates = await makeCertificates(all, undefined, new Notes());
  const cloudFront = new CloudFront(all, new ObjectStore([PUBLICATION]), addLine);
  const minimumTls = firstItem(all.map((distribution) => distribution.minimumTls).sort());
  const server = await startWebServer({ listen: '127.0.0.1', port: 0, cloudFront, certificates, minimumTls, log: addLine });
  open.push(server, cloudFront);
  return { ...server, ca: certificates.ca, ask: (question) => ask({ port: server.port, ca: certificates.ca, ...question }) };
}

describe('TLS handshakes', () => {
  test('the TLS handshake fails for a name that is not an alias', async () => {
    const server = await serve();
    await expect(server.ask({ servername: 'other.example' })).rejects.toThrow(/handshake failure/);
    expect(log).toContainEqual('TLS handshake refused: no certificate for the server name other.example');
  });

  test('the TLS handshake fails without a server name', async () => {
    await expect((await serve()).ask({ servername: '' })).rejects.toThrow(/handshake failure/);
  });

  test('the TLS handshake fails below the minimum version of the distribution', async () => {
    const server = await serve();
    await expect(server.ask({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow(/protocol version/);
  });

  test('the TLS handshake fails below the minimum version of a distribution, even if another distribution accepts it', async () => {
    const server = await serve({ minimumTls: 'TLSv1.3' }, { aliases: ['mta-sts.example.net'] });
    await expect(server.ask({ maxVersion: 'TLSv1.2' })).rejects.toThrow(/disconnected|hang up|ECONNRESET/);
    expect((await server.ask({ servername: 'mta-sts.example.net', maxVersion: 'TLSv1.2' })).status).toBe(200);
    expect((await server.ask({ minVersion: 'TLSv1.3' })).status).toBe(200);
  });

  test('the TLS handshake fails for a client that does not trust the private CA', async () => {
    await expect((await serve()).ask({ ca: undefined })).rejects.toThrow(/certificate/);
  });
});

test('the preview serves TLS 1.1 if the template allows it, so that the verifier can find it', async () => {
  const server = await serve({ minimumTls: 'TLSv1.1' });
  expect((await server.ask({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).status).toBe(200);
});

describe('refused requests', () => {
  test('the preview answers 403 for a host that is not an alias', async () => {
    const answer = await (await serve()).ask({ headers: { host: 'other.example' } });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('no distribution has this host among its aliases') });
  });

  test.each(['POST', 'PUT', 'OPTIONS', 'DELETE'])('the preview answers 403 for the method %s', async (method) => {
    const answer = await (await serve()).ask({ method, body: method === 'PUT' ? 'x'.repeat(1000) : undefined });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining(`not configured to allow ${method}`) });
  });

  test('the preview answers 400 for GET with a body', async () => {
    expect(await (await serve()).ask({ body: 'body', headers: { 'content-length': '4' } })).toMatchObject({ status: 400, headers: { connection: 'close' } });
  });

  test('the edge function answers 404 for another path', async () => {
    const answer = await (await serve()).ask({ path: '/' });
    expect(answer).toMatchObject({ status: 404, body: '', headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } });
  });

  test('the edge function answers 404 for another alias', async () => {
    expect((await (await serve()).ask({ host: 'one.wild.example.com' })).status).toBe(404);
  });

  test('the preview answers 403 for a missing object, as S3 does', async () => {
    const server = await serve({ functionCode: undefined });
    expect(await server.ask()).toMatchObject({ status: 403, body: expect.stringContaining('<Code>AccessDenied</Code>'), headers: { 'content-type': 'application/xml' } });
    expect((await server.ask({ path: '/%' })).status).toBe(403);
  });

  test('the preview answers 502 if the origin is not a bucket of the template', async () => {
    expect((await (await serve({ bucketName: undefined })).ask()).status).toBe(502);
    expect(log).toContainEqual('the origin of Mail/Distribution is not a bucket of the assembly, so the preview cannot serve it');
  });

  test.each([
    ['throws', 'function handler() { throw new Error("broken <b>"); }', 'broken <b>'],
    ['runs forever', 'function handler() { for (;;); }', 'timed out after 250ms'],
    ['tries to reach the host', "function handler() { this.constructor.constructor('return process')().exit(); }", 'Code generation from strings disallowed'],
    ['returns nothing', 'function handler() {}', 'returned neither a request nor a response'],
    ['returns a request without a valid path', 'function handler(event) { event.request.uri = "x"; return event.request; }', 'no `uri` that begins with a slash'],
    ['returns a response without a valid status', 'function handler() { return { statusCode: "200" }; }', 'no `statusCode` from 200 to 599'],
    ['returns a header that splits the response', 'function handler() { return { statusCode: 200, headers: { a: { value: "x\\r\\nb: y" } } }; }', 'header "a", which is not valid in HTTP'],
    ['returns a header without a name', 'function handler() { return { statusCode: 200, headers: { "": { value: "x" } } }; }', 'header "", which is not valid in HTTP'],
    ['returns a cookie that splits the response', 'function handler() { return { statusCode: 200, cookies: { a: { value: "x\\n" } } }; }', 'header "set-cookie", which is not valid in HTTP'],
  ])('the preview answers 503 and logs the reason if the edge function %s', async (_, functionCode, reason) => {
    expect(await (await serve({ functionCode })).ask()).toMatchObject({ status: 503 });
    expect(log.join('\n')).toContain('the edge function of Mail/Distribution failed: ');
    expect(log.join('\n')).toContain(reason);
  });

  test.each([
    ['400 Bad Request', 'a request without a path', 'GET http://mta-sts.example.com/ HTTP/1.1\r\nHost: mta-sts.example.com\r\nConnection: close\r\n\r\n'],
    ['400 Bad Request', 'an empty host', 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
    ['400 Bad Request', 'a host with a user', 'GET / HTTP/1.1\r\nHost: a@mta-sts.example.com\r\nConnection: close\r\n\r\n'],
    ['400 Bad Request', 'bytes that are not HTTP', 'EHLO\r\n\r\n'],
    ['431 Request Header Fields Too Large', 'headers of 20 KB', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}`],
  ])('the preview answers %s for %s', async (status, _, bytes) => {
    expect(await askRaw((await serve()).port, bytes)).toContain(`HTTP/1.1 ${status}`);
  });
});

describe('plain HTTP on the same port', () => {
  const http = { scheme: 'http' as const };

  test('the preview redirects plain HTTP to HTTPS on the same port', async () => {
    const server = await serve();
    expect(await server.ask({ ...http, path: `${POLICY_PATH}?a=b`, host: `mta-sts.example.com:${server.port}` })).toMatchObject({
      status: 301, headers: { location: `https://mta-sts.example.com:${server.port}${POLICY_PATH}?a=b` },
    });
    expect((await server.ask({ ...http, host: 'mta-sts.example.com.' })).headers.location).toBe(`https://mta-sts.example.com.${POLICY_PATH}`);
  });

  test('the redirect to HTTPS keeps the method POST', async () => {
    expect((await (await serve({ allowedMethods: ['GET', 'HEAD', 'POST'] })).ask({ ...http, method: 'POST' })).status).toBe(307);
  });

  test('the preview answers 403 over plain HTTP if the distribution accepts HTTPS only', async () => {
    expect((await (await serve({ viewerProtocol: 'https-only' })).ask(http)).status).toBe(403);
  });

  test('the preview serves the policy over plain HTTP if the distribution accepts both', async () => {
    expect(await (await serve({ viewerProtocol: 'allow-all' })).ask(http)).toMatchObject({ status: 200, body: POLICY });
  });

  test('the preview answers 403 over plain HTTP for a host that is not an alias', async () => {
    expect((await (await serve()).ask({ ...http, host: 'other.example' })).status).toBe(403);
  });
});

describe('the policy', () => {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'content-length': String(POLICY.length),
    'strict-transport-security': 'max-age=31536000',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    'x-xss-protection': '1; mode=block',
    'referrer-policy': 'strict-origin-when-cross-origin',
  };

  test('the preview serves the policy over HTTP/1.1 with its headers and those of the template', async () => {
    expect(await (await serve()).ask()).toMatchObject({ status: 200, body: POLICY, headers });
    expect(log).toEqual([`GET https://mta-sts.example.com${POLICY_PATH} 200`]);
  });

  test('the preview serves the policy over HTTP/2', async () => {
    const { port, ca } = await serve();
    expect(await askHttp2(port, ca, {})).toMatchObject({ status: 200, body: POLICY, headers });
    expect(await askHttp2(port, ca, { ':path': '/' })).toMatchObject({ status: 404, body: '' });
    expect(await askHttp2(port, ca, { ':authority': 'other.example' })).toMatchObject({ status: 403 });
  });

  test('the preview answers HEAD without a body over HTTP/1.1 and HTTP/2', async () => {
    const server = await serve();
    expect(await server.ask({ method: 'HEAD' })).toMatchObject({ status: 200, body: '', headers });
    expect(await askHttp2(server.port, server.ca, { ':method': 'HEAD' })).toMatchObject({ status: 200, body: '', headers });
  });

  test('the preview serves the policy for a host in any case, with a port, and without a user agent', async () => {
    const server = await serve();
    expect((await server.ask({ host: 'MTA-STS.Example.com', headers: { 'host': `MTA-STS.Example.com:${server.port}`, 'user-agent': '' } })).body).toBe(POLICY);
  });

  test('the preview serves the policy over IPv6 if this machine has it', async () => {
    const server = await serve();
    const expected = server.addresses.includes('::1');
    const answered = await server.ask({ address: '::1' }).then(({ body }) => body === POLICY, () => false);
    expect(answered).toBe(expected);
  });
});

describe('the edge function', () => {
  const echo = 'function handler(event) { return { statusCode: 200, headers: { a: { value: "1" } }, body: JSON.stringify(event) }; }';

  test('the edge function gets the event in the form of CloudFront', async () => {
    const server = await serve({ functionCode: echo });
    const { body } = await server.ask({ path: '/x%20y?a=1&a=2&b&=c', headers: { 'cookie': 's=1; t=a=b', 'x-twice': ['1', '2'] } });
    expect(JSON.parse(body)).toEqual({
      version: '1.0',
      context: { distributionDomainName: 'd1.cloudfront.net', distributionId: 'E1', eventType: 'viewer-request', requestId: expect.any(String) },
      viewer: { ip: '127.0.0.1' },
      request: {
        method: 'GET',
        uri: '/x%20y',
        querystring: { a: { value: '2', multiValue: [{ value: '1' }, { value: '2' }] }, b: { value: '' } },
        headers: {
          'host': { value: 'mta-sts.example.com' },
          'connection': { value: 'close' },
          'x-twice': { value: '2', multiValue: [{ value: '1' }, { value: '2' }] },
        },
        cookies: { s: { value: '1' }, t: { value: 'a=b' } },
      },
    });
  });

  test('the edge function can set headers, cookies and a body, but no header of the connection', async () => {
    const server = await serve({ functionCode: `function handler() { return {
      statusCode: 418,
      headers: { 'X-Two': { multiValue: [{ value: '1' }, { value: '2' }] }, 'content-length': { value: '7' }, 'x-frame-options': { value: 'DENY' }, 'x-none': {} },
      cookies: { s: { value: '1', attributes: 'Secure' }, t: {} },
      body: { encoding: 'base64', data: 'aGVsbG8=' },
    }; }` });
    expect(await server.ask()).toMatchObject({ status: 418, body: 'hello', headers: {
      'x-two': '1, 2', 'content-length': '5', 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff', 'set-cookie': ['s=1; Secure', 't='],
    } });
  });

  test('the edge function can answer without a body', async () => {
    const answer = await (await serve({ functionCode: 'function handler() { return { statusCode: 204 }; }', responseHeaders: undefined })).ask();
    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(answer.headers).not.toHaveProperty('content-length');
  });
});

describe('closing', () => {
  test('closing the server cuts every connection and frees the port', async () => {
    const server = await serve();
    const idle = connect(server.port, '127.0.0.1');
    const ended = new Promise((resolve) => idle.on('error', resolve).on('close', resolve));
    await new Promise((resolve) => idle.once('connect', resolve));
    await server.ask();
    await server.close();
    await ended;
    await expect(server.ask()).rejects.toThrow(/ECONNREFUSED/);
  });
});

test('the preview cuts the connection of a request that it cannot answer, and logs the reason', async () => {
  const server = await serve({ responseHeaders: { remove: [], add: [{ name: 'a', value: 'x\r\nb: y', override: true }] } });
  await expect(server.ask()).rejects.toThrow(/hang up|ECONNRESET/);
  expect(log).toContainEqual(expect.stringMatching(/^cannot answer a request: .*Invalid character/));
});

test('the server does not start with a port in use, and names the option', async () => {
  const { port } = await serve();
  const certificates = await makeCertificates([], undefined, new Notes());
  const cloudFront = new CloudFront([], new ObjectStore([]), () => undefined);
  const second = startWebServer({ listen: '127.0.0.1', port, cloudFront, certificates, minimumTls: 'TLSv1.2', log: () => undefined });
  await expect(second).rejects.toThrow(PreviewError);
  await expect(second).rejects.toThrow(/cannot listen on port \d+ of 127\.0\.0\.1: .*EADDRINUSE.*\. Give another port with `--https-port`/);
});
