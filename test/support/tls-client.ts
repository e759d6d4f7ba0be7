// Clients for tests: HTTPS with any server name and Host header, plain HTTP, HTTP/2, and raw bytes.
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { IncomingHttpHeaders as Http2Headers } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Question {
  readonly port: number;
  readonly address?: string;
  readonly scheme?: 'http' | 'https';
  /** Server name and Host header. A port here is part of the Host header only. */
  readonly host?: string;
  readonly servername?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  readonly ca?: string;
  readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly minVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
}

export const POLICY_PATH = '/.well-known/mta-sts.txt';

/** Sends a request over HTTPS or plain HTTP/1.1. */
export function ask(question: Question): Promise<Answer> {
  const { port, address = '127.0.0.1', scheme = 'https', host = 'mta-sts.example.com', path = POLICY_PATH, method = 'GET', headers, body } = question;
  return new Promise((resolve, reject) => {
    const common = { host: address, port, path, method, agent: false as const, headers: { host, ...headers } };
    const done = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject).on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() });
      });
    };
    const { ca, minVersion, maxVersion, ciphers, servername = host.split(':')[0] } = question;
    const request = scheme === 'http'
      ? httpRequest(common, done)
      : httpsRequest({ ...common, servername, ca, minVersion, maxVersion, ciphers }, done);
    request.on('error', reject).end(body);
  });
}

/** Sends a request over HTTP/2. */
export function askHttp2(port: number, ca: string | undefined, headers: Http2Headers, host = 'mta-sts.example.com'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, servername: host });
    session.on('error', reject);
    const stream = session.request({ ':authority': host, ':path': POLICY_PATH, ...headers });
    let answered: Http2Headers = {};
    const chunks: Buffer[] = [];
    stream.on('response', (received) => {
      answered = received;
    }).on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject).on('end', () => {
      session.close();
      resolve({ status: Number(answered[':status']), headers: answered, body: Buffer.concat(chunks).toString() });
    });
    stream.end();
  });
}

/** Sends bytes and returns the bytes that the server sends until it closes the connection. */
export function askRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    }).on('error', reject).on('close', () => {
      resolve(received);
    });
  });
}
