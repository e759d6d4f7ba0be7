// Serves HTTPS and plain HTTP on one port, as CloudFront does on ports 443 and 80: HTTP/2, HTTP/1.1, certificates by SNI.
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createServer, isIPv4 } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errorMessage } from '../util/errors';
import { safeText } from '../util/safe-text';
import { refusal } from './edge/cloudfront';
import type { CloudFront, Log } from './edge/cloudfront';
import type { TlsVersion } from './edge/distribution';
import type { ViewerRequest, ViewerResponse } from './edge/function-event';
import { PreviewError } from './errors';
import type { Certificates } from './tls/certificates';

interface WebServerOptions {
  readonly listen: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly cloudFront: CloudFront;
  readonly certificates: Certificates;
  /** The lowest TLS version that any distribution accepts. */
  readonly minimumTls: TlsVersion;
  readonly log: Log;
}

export interface WebServer {
  readonly port: number;
  /** The addresses that the server listens on. */
  readonly addresses: readonly string[];
  close(): Promise<void>;
}

/** Maximum size of the request headers: Node's own limit. CloudFront accepts 20 KB of headers and a URL of 8 KB. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 256;
const IDLE_TIMEOUT_MS = 30_000;

/** First byte of a TLS handshake record (RFC 8446 §5.1). No HTTP method begins with this byte. */
const TLS_HANDSHAKE = 0x16;

const TLS_VERSIONS: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/**
 * Starts the server on an address. For an IPv4 loopback address, it also listens on `::1` if this machine has that address and
 * the port is free there.
 *
 * @throws PreviewError if the server cannot listen on the port
 */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const front = new FrontDoor(options);
  const first = await front.open(options.listen, options.port).catch((error: unknown) => {
    throw new PreviewError(`cannot listen on port ${options.port} of ${options.listen}: ${safeText(errorMessage(error))}. `
      + 'Give another port with `--https-port`, or leave out the option to use any free port');
  });
  const { port } = first;
  const addresses = [options.listen];
  if (isIPv4(options.listen) && options.listen.startsWith('127.')) {
    await front.open('::1', port).then(() => addresses.push('::1'), () => undefined);
  }
  return { port, addresses, close: () => front.close() };
}

/** Distinguishes TLS from plain HTTP and passes each connection to its server. */
class FrontDoor {
  private readonly sockets = new Set<Socket>();
  private readonly listeners: Server[] = [];
  private readonly plain;
  private readonly secure;

  public constructor(private readonly options: WebServerOptions) {
    this.plain = createHttpServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      this.serve(request, response, 'http');
    });
    this.plain.setTimeout(IDLE_TIMEOUT_MS);
    this.secure = createSecureServer({
      allowHTTP1: true,
      minVersion: options.minimumTls,
      // By default, OpenSSL refuses TLS 1.0 and 1.1. If the template allows them, the preview must allow them too.
      ciphers: options.minimumTls < 'TLSv1.2' ? 'DEFAULT@SECLEVEL=0' : undefined,
      settings: { maxHeaderListSize: MAX_HEADER_BYTES, maxConcurrentStreams: 32 },
      handshakeTimeout: IDLE_TIMEOUT_MS,
      SNICallback: (name, done) => {
        done(null, this.findContext(name));
      },
    }, (request, response) => {
      this.serve(request, response, 'https');
    });
    this.secure.setTimeout(IDLE_TIMEOUT_MS);
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
    // These servers never listened. Closing them stops their timers.
    this.plain.close();
    this.secure.close();
  }

  private admit(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
    socket.once('data', (chunk: Buffer) => {
      // From here on, the HTTP or TLS server applies its own timeout.
      socket.setTimeout(0).removeAllListeners('timeout');
      socket.pause();
      socket.unshift(chunk);
      // The TLS server takes the returned bytes itself and then reads from the handle of the socket. Resuming the socket would
      // lose these bytes.
      if (chunk[0] === TLS_HANDSHAKE) {
        this.secure.emit('connection', socket);
      } else {
        this.plain.emit('connection', socket);
        socket.resume();
      }
    });
  }

  /** Returns the TLS context for a server name. Without one, the handshake fails, as it does at CloudFront for an unknown name. */
  private findContext(name: string): ReturnType<Certificates['contextOf']> {
    const distribution = this.options.cloudFront.distributionOf(name.toLowerCase());
    if (distribution !== undefined) return this.options.certificates.contextOf(distribution);
    this.options.log(`TLS handshake refused: no certificate for the server name ${safeText(name)}`);
    return undefined;
  }

  /** Closes a connection below the TLS version of its distribution. OpenSSL chooses the version before it knows the server name. */
  private checkVersion(socket: TLSSocket): void {
    const name = typeof socket.servername === 'string' ? socket.servername : '';
    const minimum = this.options.cloudFront.distributionOf(name.toLowerCase())?.minimumTls ?? 'TLSv1.2';
    if (TLS_VERSIONS.indexOf(socket.getProtocol() ?? '') < TLS_VERSIONS.indexOf(minimum)) socket.destroy();
  }

  private serve(
    request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse, scheme: 'http' | 'https',
  ): void {
    this.answer(request, response, scheme).catch((error: unknown) => {
      this.options.log(`cannot answer a request: ${safeText(errorMessage(error))}`);
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

/** Reads a request. Returns undefined if it names no path, or is a GET or HEAD request with a body: CloudFront refuses both. */
function viewerRequest(request: IncomingMessage | Http2ServerRequest, hostHeader: string): ViewerRequest | undefined {
  const { url = '', method = '' } = request;
  const hasBody = Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  const host = /^([^:@/?#\s]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/.exec(hostHeader)?.at(1)?.toLowerCase();
  if (!url.startsWith('/') || host === undefined || (hasBody && (method === 'GET' || method === 'HEAD'))) return undefined;
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
  // The server does not read a request body, so the connection cannot be used again.
  if (request.httpVersionMajor < 2 && !request.complete) response.setHeader('connection', 'close');
  if (request.method === 'HEAD') response.end();
  else response.end(answer.body);
}
