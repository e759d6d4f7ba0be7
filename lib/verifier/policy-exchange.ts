// One HTTPS exchange with a policy host: connect, handshake, judge the certificate, and only then ask.
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { connect } from 'node:tls';
import type { PeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import { MAX_POLICY_BYTES } from '../protocol/policy';
import { POLICY_PATH } from '../protocol/policy-url';
import { certificateFault, checkServerIdentity, describeCertificate } from './certificate';
import type { PolicyRequest, PolicyResponse, PolicyUnanswered, ServerCertificate } from './fetch-policy';
import { duration, errorCode, isFamilyUnusable, isLocalFault, networkFault } from './network-fault';
import { handshakeFault, libraryReason } from './tls-fault';

export interface PolicyExchangeRequest extends PolicyRequest {
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** TLS 1.2 or later, and the authorities to trust. */
  readonly context: SecureContext;
}

/** The `code` of an exchange that was ended because informational responses (RFC 9110 §15.2) came, and came, in place of an answer. */
export const NO_FINAL_RESPONSE = 'NO_FINAL_RESPONSE';

/** What is being waited for, to say so when it does not come. */
type Phase = 'connection' | 'TLS handshake' | 'response headers' | 'response body';

/** Lives for one fetch. */
export class PolicyExchange {
  private readonly start = performance.now();
  private phase: Phase = 'connection';
  /** Kept from the handshake on: a socket that is closed knows neither any more. */
  private certificate: ServerCertificate | undefined;
  private tlsVersion = '';
  private response: IncomingMessage | undefined;
  /** Gone once there is a result: what the socket still says is of no interest then. */
  private settle: ((response: PolicyResponse) => void) | undefined;

  public constructor(private readonly request: PolicyExchangeRequest) {}

  /** Never rejects. Nothing stays open when it is done. */
  public run(): Promise<PolicyResponse> {
    const { timeoutMs, signal } = this.request;
    return new Promise((resolve) => {
      const socket = this.connect();
      const timer = setTimeout(() => {
        this.fail('unreachable', `${this.phase} not ${this.phase === 'response body' ? 'complete' : 'there'} within ${duration(timeoutMs)}`, 'ETIMEDOUT');
      }, timeoutMs);
      const abort = (): void => {
        this.fail('unreachable', `called off while waiting for the ${this.phase}`, 'ABORT_ERR');
      };
      this.settle = (response) => {
        this.settle = undefined;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        socket.destroy();
        resolve(response);
      };
      signal?.addEventListener('abort', abort);
      if (signal?.aborted === true) abort();
    });
  }

  private connect(): TLSSocket {
    const { address, port, policyHost, context } = this.request;
    const socket = connect({
      host: address,
      port,
      servername: policyHost,
      secureContext: context,
      ALPNProtocols: ['http/1.1'],
      checkServerIdentity,
      // Not trust, but a look at what was shown: `judge` ends an untrusted connection before a byte of HTTP is sent.
      rejectUnauthorized: false,
    });
    // Before it compares the name Node asks for the whole chain, which copies each certificate of it, at a fifth of the fetch's cost.
    // The first one is all that is read here, and once.
    const peerCertificate = socket.getPeerCertificate.bind(socket, false);
    let shown: PeerCertificate | undefined;
    Object.assign(socket, {
      // Before the handshake is over it is empty.
      getPeerCertificate: () => shown ?? (socket.getProtocol() === null ? peerCertificate() : shown = peerCertificate()),
    });
    socket.on('connect', () => {
      this.phase = 'TLS handshake';
    });
    socket.on('secureConnect', () => {
      this.judge(socket);
    });
    socket.on('error', (error: Error) => {
      this.failed(error);
    });
    return socket;
  }

  private judge(socket: TLSSocket): void {
    const { policyHost } = this.request;
    const certificate = describeCertificate(socket.getPeerCertificate());
    this.certificate = certificate;
    this.tlsVersion = socket.getProtocol() ?? '';
    if (socket.authorized) {
      this.ask(socket, certificate);
    } else {
      // A code, whatever the types say.
      const code = String(socket.authorizationError);
      this.fail('untrusted', certificateFault(code, policyHost, certificate), code);
    }
  }

  private ask(socket: TLSSocket, certificate: ServerCertificate): void {
    this.phase = 'response headers';
    const { policyHost } = this.request;
    const answered = (response: IncomingMessage): void => {
      this.receive(response, certificate);
    };
    let informational = 0;
    httpRequest({
      createConnection: () => socket,
      path: POLICY_PATH,
      // Node's own default, unless its command line says otherwise: the words for what goes past it name it.
      maxHeaderSize: 16 * 1024,
      headers: { 'Host': policyHost, 'User-Agent': USER_AGENT, 'Accept': 'text/plain', 'Connection': 'close' },
    })
      .on('response', answered)
      // Status 101 with an `Upgrade`, which Node does not count among the responses.
      .on('upgrade', answered)
      .on('information', ({ statusCode }) => {
        informational += 1;
        if (informational > MAX_INFORMATIONAL) this.fail('protocol', endlessFault(statusCode), NO_FINAL_RESPONSE);
      })
      .on('error', (error) => {
        this.failed(error);
      })
      .end();
  }

  private receive(response: IncomingMessage, certificate: ServerCertificate): void {
    this.phase = 'response body';
    this.response = response;
    const chunks: Buffer[] = [];
    let length = 0;
    const answered = (): void => {
      this.settle?.({
        outcome: 'answered',
        status: response.statusCode ?? 0,
        contentType: response.headers['content-type'] ?? '',
        location: response.headers.location,
        lastModified: response.headers['last-modified'],
        body: Buffer.concat(chunks).subarray(0, MAX_POLICY_BYTES),
        tooLarge: length > MAX_POLICY_BYTES,
        milliseconds: this.elapsed(),
        tlsVersion: this.tlsVersion,
        certificate,
      });
    };
    if (response.statusCode !== 200) {
      answered();
      return;
    }
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_POLICY_BYTES) answered();
    });
    response.on('end', answered);
    response.on('error', (error) => {
      this.failed(error);
    });
  }

  private failed(error: Error): void {
    // The framing says where a message ends (RFC 9112 §6.3): what goes wrong behind it is no part of it, and its `end` is on the way.
    if (this.response?.complete === true) return;
    const code = errorCode(error);
    if (isFamilyUnusable(error, this.request.address) || isLocalFault(code)) this.fail('unusable', networkFault(error), code);
    else if (code.startsWith('HPE_')) this.fail('protocol', httpFault(error, code, this.phase), code);
    else if (this.phase === 'response body') this.fail('protocol', `broken off in the middle of the body (${networkFault(error)})`, code);
    else if (code.startsWith('ERR_SSL_') || code === 'EPROTO') this.fail('untrusted', handshakeFault(error, code), code);
    else if (this.phase === 'connection') this.fail('unreachable', networkFault(error), code);
    else this.fail('unreachable', `${networkFault(error)} while waiting for the ${this.phase}`, code);
  }

  private fail(outcome: PolicyUnanswered['outcome'], reason: string, code: string): void {
    const { certificate } = this;
    this.settle?.({ outcome, reason, code, milliseconds: this.elapsed(), ...(certificate === undefined ? {} : { certificate }) });
  }

  private elapsed(): number {
    return Math.round(performance.now() - this.start);
  }
}

/** The version is written in when the command and the Lambda are bundled. */
const USER_AGENT = ['mta-sts', process.env.MTA_STS_VERSION].filter(Boolean).join('/');

/** Real servers send one or two. */
const MAX_INFORMATIONAL = 10;

function endlessFault(status: number): string {
  return `sends more than ${MAX_INFORMATIONAL} informational responses (the last has status ${status}) before the answer itself`;
}

/** Without the code, which evidence shows beside the reason. */
function httpFault(error: Error, code: string, phase: Phase): string {
  switch (code) {
    case 'HPE_INVALID_CONSTANT':
      return 'does not speak HTTP';
    case 'HPE_HEADER_OVERFLOW':
      return `sends more than 16 KiB of ${phase === 'response body' ? 'trailers' : 'headers'}`;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'sends more than 16 KiB of chunk extensions';
    default:
      return `sends malformed HTTP (${libraryReason(error, code)})`;
  }
}
