// A policy host on loopback. It serves a policy file correctly, or misbehaves in exactly one way.
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createCertificateAuthority, createSelfSigned } from '../../lib/preview/tls/certificate-authority';
import type { CertificateAuthority, IssuedCertificate } from '../../lib/preview/tls/certificate-authority';

/**
 * The ways in which the server can behave.
 *
 * - `wrong-name`: the certificate is for `other.example`; `untrusted`: its authority is unknown
 * - `expired`: the certificate ended on 2 January 2020; `not-yet-valid`: it begins on 1 January 2100; `near-expiry`: ten of 90 days left
 * - `redirect`: 301 to `https://www.example/policy`
 * - `html`: status 200 and an HTML page; `html-media-type`: the right policy as `text/html`
 * - `late`: never sends headers; `slow-drip`: sends headers at once, then a byte every 10 ms without end
 * - `endless`: a body without end; `too-large`: the policy with an extension field, 65 KiB in total
 * - `bom`: the policy after a byte order mark; `broken-off`: sends less than the Content-Length, and closes
 * - `plain-http`: speaks HTTP without TLS; `not-http`: completes the handshake, then speaks another protocol
 * - `reset`: resets each connection at once
 */
export type Behaviour = (typeof BEHAVIOURS)[number];

export const BEHAVIOURS = [
  'ok', 'wrong-name', 'untrusted', 'self-signed', 'expired', 'not-yet-valid', 'near-expiry', 'redirect', '404', '500', 'html',
  'no-media-type', 'html-media-type', 'late', 'slow-drip', 'endless', 'too-large', 'bom', 'broken-off', 'plain-http', 'tls-1.1', 'reset',
  'not-http',
] as const;

export interface PolicyServerOptions {
  /** The name in the certificate, such as `mta-sts.example.com`. */
  readonly policyHost: string;
  /** The policy file. */
  readonly body: string | Uint8Array;
  /** @default 'ok' */
  readonly behaviour?: Behaviour;
  /** @default '127.0.0.1' */
  readonly address?: string;
  /** @default - any free port */
  readonly port?: number;
  /** Other bytes for the first requests. Later requests get the policy file. */
  readonly first?: { readonly body: string; readonly requests: number };
  /** @default 'text/plain; charset=utf-8' */
  readonly contentType?: string;
  /** Bytes that replace the HTTP response, one write each. The connection stays open afterwards. */
  readonly raw?: readonly (string | Uint8Array)[];
  /** Header fields to add to the response, or to replace. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** @default 200 */
  readonly status?: number;
  /** The names in the certificate. @default - the policy host */
  readonly names?: readonly string[];
  /** Options of the TLS server to add, or to replace. */
  readonly tls?: ServerOptions;
}

/** A request that the server received. */
export interface SeenRequest {
  readonly host: string | undefined;
  /** The SNI of its connection; undefined over plain HTTP or when there was none. */
  readonly serverName: string | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly userAgent: string | undefined;
  readonly acceptEncoding: string | undefined;
}

export interface PolicyServer {
  readonly address: string;
  readonly port: number;
  /** The authority that issued every certificate, except for `untrusted` and `self-signed`. */
  readonly ca: string;
  /** The requests that the server received. A client must send none over a connection that it cannot trust. */
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

let trusted: Promise<CertificateAuthority> | undefined;

/** Returns the authority of all test servers of this process. */
export function testAuthority(): Promise<CertificateAuthority> {
  return trusted ??= createCertificateAuthority('Test authority');
}

export async function startPolicyServer(options: PolicyServerOptions): Promise<PolicyServer> {
  const requests: SeenRequest[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const server = await create(options, requests, timers);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  const address = options.address ?? '127.0.0.1';
  const port = await listen(server, address, options.port ?? 0);
  return {
    address,
    port,
    ca: (await testAuthority()).certificatePem,
    requests,
    close: () => new Promise((done) => {
      timers.forEach(clearInterval);
      sockets.forEach((socket) => socket.destroy());
      server.close(() => {
        done();
      });
    }),
  };
}

async function create(options: PolicyServerOptions, requests: SeenRequest[], timers: Set<NodeJS.Timeout>): Promise<Server> {
  const { behaviour = 'ok' } = options;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(seen(request));
    respond(options, requests.length, response, timers);
  };
  if (behaviour === 'reset') return createTcpServer((socket) => socket.resetAndDestroy());
  if (behaviour === 'plain-http') return createHttpServer(answer);
  const { keyPem, certificatePem } = await certificate(behaviour, options.names ?? [options.policyHost]);
  return createHttpsServer({ key: keyPem, cert: certificatePem, ...versions(behaviour), ...options.tls }, answer);
}

async function certificate(behaviour: Behaviour, names: readonly string[]): Promise<IssuedCertificate> {
  const authority = await testAuthority();
  const issue = CERTIFICATES.get(behaviour);
  return issue === undefined ? authority.issue({ names }) : issue(authority, names);
}

type Issue = (authority: CertificateAuthority, names: readonly string[]) => Promise<IssuedCertificate>;

const CERTIFICATES: ReadonlyMap<Behaviour, Issue> = new Map<Behaviour, Issue>([
  ['wrong-name', (authority) => authority.issue({ names: ['other.example', '*.other.example'] })],
  ['untrusted', async (_, names) => (await createCertificateAuthority('Unknown authority')).issue({ names })],
  ['self-signed', (_, names) => createSelfSigned({ names })],
  ['expired', (authority, names) => authority.issue({ names, ...days('2020-01-01', '2020-01-02') })],
  ['not-yet-valid', (authority, names) => authority.issue({ names, ...days('2100-01-01', '2100-02-01') })],
  ['near-expiry', (authority, names) => authority.issue({ names, ...nearEnd() })],
]);

/** Returns the validity of a certificate of 90 days that ends in ten days and a minute. */
export function nearEnd(): { notBefore: Date; notAfter: Date } {
  const end = Date.now() + 10 * 86_400_000 + 60_000;
  return { notBefore: new Date(end - 90 * 86_400_000), notAfter: new Date(end) };
}

function days(notBefore: string, notAfter: string): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

function versions(behaviour: Behaviour): ServerOptions {
  // OpenSSL 3 has TLS 1.1 only at security level 0.
  return behaviour === 'tls-1.1' ? { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } : {};
}

function seen(request: IncomingMessage): SeenRequest {
  const { socket } = request;
  const serverName = 'servername' in socket && typeof socket.servername === 'string' ? socket.servername : undefined;
  return {
    host: request.headers.host,
    serverName,
    method: request.method,
    path: request.url,
    userAgent: request.headers['user-agent'],
    acceptEncoding: request.headers['accept-encoding']?.toString(),
  };
}

function respond(options: PolicyServerOptions, request: number, response: ServerResponse, timers: Set<NodeJS.Timeout>): void {
  const { behaviour = 'ok', first, contentType = 'text/plain; charset=utf-8', raw, headers = {}, status = 200 } = options;
  if (raw !== undefined) {
    raw.forEach((bytes) => response.socket?.write(bytes));
    return;
  }
  const body = Buffer.from(first !== undefined && request <= first.requests ? first.body : options.body);
  const repeat = (every: number, action: () => void): void => {
    timers.add(setInterval(action, every));
  };
  if (behaviour !== 'no-media-type') response.setHeader('Content-Type', contentType);
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const answer = ANSWERS.get(behaviour);
  if (answer === undefined) response.end(body);
  else answer(response, body, repeat);
}

type Answer = (response: ServerResponse, body: Buffer, repeat: (every: number, action: () => void) => void) => void;

const ANSWERS: ReadonlyMap<Behaviour, Answer> = new Map<Behaviour, Answer>([
  ['late', () => undefined],
  ['not-http', (response) => response.socket?.end('SSH-2.0-nothing to see here\r\n\r\n')],
  ['redirect', (response) => response.writeHead(301, { Location: 'https://www.example/policy' }).end()],
  ['404', (response) => response.writeHead(404).end('there is nothing here\n')],
  ['500', (response) => response.writeHead(500).end('the server is sorry\n')],
  ['html', (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Welcome</title>')],
  ['html-media-type', (response, body) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(body)],
  ['slow-drip', (response, _, repeat) => {
    response.flushHeaders();
    repeat(10, () => response.write('v'));
  }],
  ['endless', (response, _, repeat) => {
    response.flushHeaders();
    repeat(1, () => {
      if (!response.writableNeedDrain) response.write(Buffer.alloc(16_384, 'a'));
    });
  }],
  ['too-large', (response, body) => response.end(Buffer.concat([body, Buffer.from(`filler: ${'a'.repeat(65 * 1024 - body.length - 10)}\r\n`)]))],
  ['bom', (response, body) => response.end(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]))],
  ['broken-off', (response, body) => {
    response.writeHead(200, { 'Content-Length': body.length + 100 });
    response.write(body, () => response.socket?.destroy());
  }],
]);

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: true }, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}
