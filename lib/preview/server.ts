// HTTPS and plain HTTP on one port, as CloudFront has them on 443 and 80: HTTP/2 and HTTP/1.1, certificates by SNI.
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createServer, isIPv4 } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { safeText } from '../util/safe-text';
import type { Certificates } from './tls/certificates';
import type { CloudFront, Log } from './edge/cloudfront';
import { refusal } from './edge/cloudfront';
import type { TlsVersion } from './edge/distribution';
import { PreviewError, messageOf } from './errors';
import type { ViewerRequest, ViewerResponse } from './edge/function-event';

export interface WebServerOptions {
  readonly listen: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly cloudFront: CloudFront;
  readonly certificates: Certificates;
  /** The lowest version that any of the distributions takes. */
  readonly minimumTls: TlsVersion;
  readonly log: Log;
}

export interface WebServer {
  readonly port: number;
  /** The addresses that it really listens on. */
  readonly addresses: readonly string[];
  close(): Promise<void>;
}

/** CloudFront takes headers of 20 KB and a URL of 8 KB; Node's own limit is a little below. */
const MAX_HEADERS = 16 * 1024;
const MAX_CONNECTIONS = 256;
const IDLE_MILLISECONDS = 30_000;

/** The first byte of a TLS handshake record (RFC 8446 §5.1); no HTTP method begins with it. */
const TLS_HANDSHAKE = 0x16;

const TLS_VERSIONS: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/**
 * Listens on the address, and where that is IPv4 loopback on `::1` too, if this machine has it and the port is free there.
 *
 * @throws PreviewError when the port cannot be had
 */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const front = new FrontDoor(options);
  const first = await front.open(options.listen, options.port).catch((error: unknown) => {
    throw new PreviewError(`cannot listen on port ${options.port} of ${options.listen}: ${safeText(messageOf(error))}; `
      + 'give another with `--https-port`, or none for any free one');
  });
  const { port } = first;
  const addresses = [options.listen];
  if (isIPv4(options.listen) && options.listen.startsWith('127.')) {
    await front.open('::1', port).then(() => addresses.push('::1'), () => undefined);
  }
  return { port, addresses, close: () => front.close() };
}

/** Tells TLS from plain HTTP and hands each connection to its server. */
class FrontDoor {
  private readonly sockets = new Set<Socket>();
  private readonly listeners: Server[] = [];
  private readonly plain;
  private readonly secure;

  public constructor(private readonly options: WebServerOptions) {
    this.plain = createHttpServer({ maxHeaderSize: MAX_HEADERS }, (request, response) => {
      this.serve(request, response, 'http');
    });
    this.plain.setTimeout(IDLE_MILLISECONDS);
    this.secure = createSecureServer({
      allowHTTP1: true,
      minVersion: options.minimumTls,
      // OpenSSL refuses TLS 1.0 and 1.1 unless asked so; a template that allows them shall be seen to.
      ...options.minimumTls < 'TLSv1.2' ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {},
      settings: { maxHeaderListSize: MAX_HEADERS, maxConcurrentStreams: 32 },
      handshakeTimeout: IDLE_MILLISECONDS,
      SNICallback: (name, done) => {
        done(null, this.contextOf(name));
      },
    }, (request, response) => {
      this.serve(request, response, 'https');
    });
    this.secure.setTimeout(IDLE_MILLISECONDS);
    this.secure.prependListener('secureConnection', (socket: TLSSocket) => {
      this.checkVersion(socket);
    });
    this.secure.on('tlsClientError', (error: Error) => {
      options.log(`TLS handshake failed: ${safeText(error.message)}`);
    });
  }

  public async open(address: string, port: number): Promise<AddressInfo> {
    const server = createServer({ pauseOnConnect: false }, (socket) => {
      this.admit(socket);
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port, ipv6Only: true }, () => {
        resolve();
      });
    });
    this.listeners.push(server);
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound : { address, port, family: '' };
  }

  public async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.listeners.map((server) => new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    })));
    // They never listened; this ends what they watch their connections with.
    this.plain.close();
    this.secure.close();
  }

  private admit(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(IDLE_MILLISECONDS, () => socket.destroy());
    socket.once('data', (chunk: Buffer) => {
      // From here on the server behind has its own.
      socket.setTimeout(0).removeAllListeners('timeout');
      socket.pause();
      socket.unshift(chunk);
      // The TLS server reads what was put back by itself, and then from the socket's handle; resumed, that would be lost.
      if (chunk[0] === TLS_HANDSHAKE) {
        this.secure.emit('connection', socket);
      } else {
        this.plain.emit('connection', socket);
        socket.resume();
      }
    });
  }

  /** Without a context there is no certificate, and the handshake fails as it would with CloudFront's for an unknown name. */
  private contextOf(name: string): ReturnType<Certificates['contextOf']> {
    const distribution = this.options.cloudFront.distributionOf(name.toLowerCase());
    if (distribution !== undefined) return this.options.certificates.contextOf(distribution);
    this.options.log(`TLS handshake refused: no certificate for the server name ${safeText(name)}`);
    return undefined;
  }

  /** OpenSSL settles the version before it knows the name, so a distribution that asks for more is heard here. */
  private checkVersion(socket: TLSSocket): void {
    const name = typeof socket.servername === 'string' ? socket.servername : '';
    const wanted = this.options.cloudFront.distributionOf(name.toLowerCase())?.minimumTls ?? 'TLSv1.2';
    if (TLS_VERSIONS.indexOf(socket.getProtocol() ?? '') < TLS_VERSIONS.indexOf(wanted)) socket.destroy();
  }

  private serve(
    request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse, scheme: 'http' | 'https',
  ): void {
    this.answer(request, response, scheme).catch((error: unknown) => {
      this.options.log(`a request could not be answered: ${safeText(messageOf(error))}`);
      request.destroy();
    });
  }

  private async answer(
    request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse, scheme: 'http' | 'https',
  ): Promise<void> {
    const hostHeader = String(request.headers[':authority'] ?? request.headers.host ?? '');
    const viewer = viewerRequest(request, hostHeader);
    const answer = viewer === undefined
      ? refusal(400, 'bad request')
      : await this.options.cloudFront.respond(viewer, scheme, hostHeader);
    this.options.log(`${safeText(request.method ?? '', 20)} ${scheme}://${safeText(hostHeader)}${safeText(request.url ?? '')} ${answer.status}`);
    send(request, response, answer);
  }
}

/** What cannot be a request for a path, or brings a body, is undefined: CloudFront takes no GET with a body. */
function viewerRequest(request: IncomingMessage | Http2ServerRequest, hostHeader: string): ViewerRequest | undefined {
  const { url = '', method = '' } = request;
  const brings = Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  const host = /^([^:@/?#\s]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/.exec(hostHeader)?.at(1)?.toLowerCase();
  if (!url.startsWith('/') || host === undefined || (brings && (method === 'GET' || method === 'HEAD'))) return undefined;
  const question = url.indexOf('?');
  const pairs = Array.from({ length: request.rawHeaders.length / 2 }, (_, index) => {
    const [name = '', value = ''] = request.rawHeaders.slice(index * 2);
    return [name.toLowerCase(), value] as const;
  });
  return {
    method,
    uri: question === -1 ? url : url.slice(0, question),
    query: question === -1 ? '' : url.slice(question + 1),
    host: host.replace(/\.$/, ''),
    headers: [['host', hostHeader], ...pairs.filter(([name]) => name !== 'host' && !name.startsWith(':'))],
    ip: request.socket.remoteAddress ?? '',
  };
}

function send(
  request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse, answer: ViewerResponse,
): void {
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (answer.status !== 204 && answer.status !== 304) response.setHeader('content-length', answer.body.length);
  // A body that came along is not read; the connection could not be used again.
  if (request.httpVersionMajor < 2 && !request.complete) response.setHeader('connection', 'close');
  if (request.method === 'HEAD') response.end();
  else response.end(answer.body);
}
