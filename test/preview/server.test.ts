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
  recordsByHand: [],
};

let open: { close(): Promise<void> }[] = [];
let log: string[] = [];

afterEach(async () => {
  await Promise.all(open.map((thing) => thing.close()));
  open = [];
  log = [];
});

interface Running extends WebServer {
  readonly ca?: string;
  ask(question?: Partial<Question>): Promise<Answer>;
}

async function serve(...distributions: Partial<Distribution>[]): Promise<Running> {
  const all = (distributions.length === 0 ? [{}] : distributions).map((distribution) => ({ ...DISTRIBUTION, ...distribution }));
  const remember = (line: string): void => {
    log.push(line);
  };
  const certificates = await makeCertificates(all, undefined, new Notes());
  const cloudFront = new CloudFront(all, new ObjectStore([PUBLICATION]), remember);
  const minimumTls = all.map((distribution) => distribution.minimumTls).sort()[0];
  const server = await startWebServer({ listen: '127.0.0.1', port: 0, cloudFront, certificates, minimumTls, log: remember });
  open.push(server, cloudFront);
  return { ...server, ca: certificates.ca, ask: (question) => ask({ port: server.port, ca: certificates.ca, ...question }) };
}

describe('a TLS handshake fails', () => {
  test('with a name that is no alias', async () => {
    const server = await serve();
    await expect(server.ask({ servername: 'other.example' })).rejects.toThrow(/handshake failure/);
    expect(log).toContainEqual('TLS handshake refused: no certificate for the server name other.example');
  });

  test('without a name', async () => {
    await expect((await serve()).ask({ servername: '' })).rejects.toThrow(/handshake failure/);
  });

  test('below the lowest version that the distribution takes', async () => {
    const server = await serve();
    await expect(server.ask({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow(/protocol version/);
  });

  test('below the version of this distribution, where another takes less', async () => {
    const server = await serve({ minimumTls: 'TLSv1.3' }, { aliases: ['mta-sts.example.net'] });
    await expect(server.ask({ maxVersion: 'TLSv1.2' })).rejects.toThrow(/disconnected|hang up|ECONNRESET/);
    expect((await server.ask({ servername: 'mta-sts.example.net', maxVersion: 'TLSv1.2' })).status).toBe(200);
    expect((await server.ask({ minVersion: 'TLSv1.3' })).status).toBe(200);
  });

  test('without trust in the private CA', async () => {
    await expect((await serve()).ask({ ca: undefined })).rejects.toThrow(/certificate/);
  });
});

test('TLS 1.1 is served where the template allows it, so that the verifier can find it', async () => {
  const server = await serve({ minimumTls: 'TLSv1.1' });
  expect((await server.ask({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).status).toBe(200);
});

describe('is refused with', () => {
  test('403, a host that is no alias', async () => {
    const answer = await (await serve()).ask({ headers: { host: 'other.example' } });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('no distribution has this host among its aliases') });
  });

  test.each(['POST', 'PUT', 'OPTIONS', 'DELETE'])('403, %s', async (method) => {
    const answer = await (await serve()).ask({ method, body: method === 'PUT' ? 'x'.repeat(1000) : undefined });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining(`not configured to allow ${method}`) });
  });

  test('400, GET with a body', async () => {
    expect(await (await serve()).ask({ body: 'body', headers: { 'content-length': '4' } })).toMatchObject({ status: 400, headers: { connection: 'close' } });
  });

  test('404 by the function, another path', async () => {
    const answer = await (await serve()).ask({ path: '/' });
    expect(answer).toMatchObject({ status: 404, body: '', headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } });
  });

  test('404 by the function, another alias', async () => {
    expect((await (await serve()).ask({ host: 'one.wild.example.com' })).status).toBe(404);
  });

  test('403 by the bucket, an object that is missing', async () => {
    const server = await serve({ functionCode: undefined });
    expect(await server.ask()).toMatchObject({ status: 403, body: expect.stringContaining('<Code>AccessDenied</Code>'), headers: { 'content-type': 'application/xml' } });
    expect((await server.ask({ path: '/%' })).status).toBe(403);
  });

  test('502, an origin that is no bucket of the template', async () => {
    expect((await (await serve({ bucketName: undefined })).ask()).status).toBe(502);
    expect(log).toContainEqual('the origin of Mail/Distribution is no bucket of the assembly, so there is nothing to serve');
  });

  test.each([
    ['throws', 'function handler() { throw new Error("broken <b>"); }', 'broken <b>'],
    ['runs for ever', 'function handler() { for (;;); }', 'timed out after 250ms'],
    ['would get out', "function handler() { this.constructor.constructor('return process')().exit(); }", 'Code generation from strings disallowed'],
    ['returns nothing', 'function handler() {}', 'returned neither a request nor a response'],
    ['returns no path', 'function handler(event) { event.request.uri = "x"; return event.request; }', 'no `uri` that begins with a slash'],
    ['returns no status', 'function handler() { return { statusCode: "200" }; }', 'no `statusCode` from 200 to 599'],
    ['returns a header that splits the response', 'function handler() { return { statusCode: 200, headers: { a: { value: "x\\r\\nb: y" } } }; }', 'header "a" that HTTP cannot carry'],
    ['returns a header without name', 'function handler() { return { statusCode: 200, headers: { "": { value: "x" } } }; }', 'header "" that HTTP cannot carry'],
    ['returns a cookie that splits the response', 'function handler() { return { statusCode: 200, cookies: { a: { value: "x\\n" } } }; }', 'header "set-cookie" that HTTP cannot carry'],
  ])('503, where the function %s; the log says why', async (_what, functionCode, reason) => {
    expect(await (await serve({ functionCode })).ask()).toMatchObject({ status: 503 });
    expect(log.join('\n')).toContain('the edge function of Mail/Distribution failed: ');
    expect(log.join('\n')).toContain(reason);
  });

  test.each([
    ['a request for no path', 'GET http://mta-sts.example.com/ HTTP/1.1\r\nHost: mta-sts.example.com\r\nConnection: close\r\n\r\n', '400 Bad Request'],
    ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', '400 Bad Request'],
    ['a host with a user', 'GET / HTTP/1.1\r\nHost: a@mta-sts.example.com\r\nConnection: close\r\n\r\n', '400 Bad Request'],
    ['what is no HTTP', 'EHLO\r\n\r\n', '400 Bad Request'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}`, '431 Request Header Fields Too Large'],
  ])('%s', async (_what, bytes, status) => {
    expect(await askRaw((await serve()).port, bytes)).toContain(`HTTP/1.1 ${status}`);
  });
});

describe('plain HTTP on the same port', () => {
  const http = { scheme: 'http' as const };

  test('goes to HTTPS, with the port it came to', async () => {
    const server = await serve();
    expect(await server.ask({ ...http, path: `${POLICY_PATH}?a=b`, host: `mta-sts.example.com:${server.port}` })).toMatchObject({
      status: 301, headers: { location: `https://mta-sts.example.com:${server.port}${POLICY_PATH}?a=b` },
    });
    expect((await server.ask({ ...http, host: 'mta-sts.example.com.' })).headers.location).toBe(`https://mta-sts.example.com.${POLICY_PATH}`);
  });

  test('keeps the method of what is not GET', async () => {
    expect((await (await serve({ allowedMethods: ['GET', 'HEAD', 'POST'] })).ask({ ...http, method: 'POST' })).status).toBe(307);
  });

  test('is refused where the distribution takes HTTPS only', async () => {
    expect((await (await serve({ viewerProtocol: 'https-only' })).ask(http)).status).toBe(403);
  });

  test('is served where the distribution takes both', async () => {
    expect(await (await serve({ viewerProtocol: 'allow-all' })).ask(http)).toMatchObject({ status: 200, body: POLICY });
  });

  test('is refused for a host that is no alias', async () => {
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

  test('comes over HTTP/1.1 with its headers and those of the template', async () => {
    expect(await (await serve()).ask()).toMatchObject({ status: 200, body: POLICY, headers });
    expect(log).toEqual([`GET https://mta-sts.example.com${POLICY_PATH} 200`]);
  });

  test('comes over HTTP/2', async () => {
    const { port, ca } = await serve();
    expect(await askHttp2(port, ca, {})).toMatchObject({ status: 200, body: POLICY, headers });
    expect(await askHttp2(port, ca, { ':path': '/' })).toMatchObject({ status: 404, body: '' });
    expect(await askHttp2(port, ca, { ':authority': 'other.example' })).toMatchObject({ status: 403 });
  });

  test('comes without body to HEAD, over HTTP/1.1 and HTTP/2', async () => {
    const server = await serve();
    expect(await server.ask({ method: 'HEAD' })).toMatchObject({ status: 200, body: '', headers });
    expect(await askHttp2(server.port, server.ca, { ':method': 'HEAD' })).toMatchObject({ status: 200, body: '', headers });
  });

  test('comes whatever the case of the host, with a port, and without a user agent', async () => {
    const server = await serve();
    expect((await server.ask({ host: 'MTA-STS.Example.com', headers: { 'host': `MTA-STS.Example.com:${server.port}`, 'user-agent': '' } })).body).toBe(POLICY);
  });

  test('comes over IPv6 where this machine has it', async () => {
    const server = await serve();
    const wanted = server.addresses.includes('::1');
    const answered = await server.ask({ address: '::1' }).then(({ body }) => body === POLICY, () => false);
    expect(answered).toBe(wanted);
  });
});

describe('the function', () => {
  const echo = 'function handler(event) { return { statusCode: 200, headers: { a: { value: "1" } }, body: JSON.stringify(event) }; }';

  test('sees the event as CloudFront gives it', async () => {
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

  test('answers with headers, cookies and bodies of its own; the connection stays CloudFront\'s', async () => {
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

  test('may answer without a body', async () => {
    const answer = await (await serve({ functionCode: 'function handler() { return { statusCode: 204 }; }', responseHeaders: undefined })).ask();
    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(answer.headers).not.toHaveProperty('content-length');
  });
});

describe('closing', () => {
  test('cuts every connection, and the port is free again', async () => {
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

test('a request that cannot be answered is cut off, and the log says why', async () => {
  const server = await serve({ responseHeaders: { remove: [], add: [{ name: 'a', value: 'x\r\nb: y', override: true }] } });
  await expect(server.ask()).rejects.toThrow(/hang up|ECONNRESET/);
  expect(log).toContainEqual(expect.stringMatching(/^a request could not be answered: .*Invalid character/));
});

test('a port that is taken is told', async () => {
  const { port } = await serve();
  const certificates = await makeCertificates([], undefined, new Notes());
  const cloudFront = new CloudFront([], new ObjectStore([]), () => undefined);
  const second = startWebServer({ listen: '127.0.0.1', port, cloudFront, certificates, minimumTls: 'TLSv1.2', log: () => undefined });
  await expect(second).rejects.toThrow(PreviewError);
  await expect(second).rejects.toThrow(/cannot listen on port \d+ of 127\.0\.0\.1: .*EADDRINUSE.*; give another with `--https-port`/);
});
