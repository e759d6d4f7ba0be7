// One HTTPS exchange with a policy host: connect, handshake, judge the certificate, and only then ask.
import { performance } from 'node:perf_hooks';
import { connect } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { MAX_POLICY_BYTES } from '../../protocol/policy/policy';
import { BoundedBytes } from './bounded-bytes';
import { certificateProblem, certificateReader, checkServerIdentity, describeCertificate, WRONG_NAME } from '../tls/certificate';
import { codingsOf, decodeBody } from './content-coding';
import type { PolicyAnswered, PolicyRequest, PolicyResponse, PolicyUnanswered, ServerCertificate } from './fetch-policy';
import { Guard, INTERNAL_ERROR } from '../guard';
import type { AnswerHead, Ask, HttpLiberty } from './http-answer';
import { HEADERS_TOO_LARGE, LENIENT_HEADER_BYTES } from './http1-lenient';
import { duration, errorCode, isFamilyUnusable, isLocalFault, networkProblem } from '../network-errors';
import { CLIENT_CERTIFICATE_PROBLEM, handshakeProblem, libraryReason, wantsClientCertificate } from '../tls/handshake-errors';

/** How to ask. */
export interface Manner {
  /** The protocols to offer (RFC 7301). */
  readonly alpn: 'http/1.1' | 'h2';
  readonly ask: Ask;
}

export interface PolicyExchangeRequest extends PolicyRequest {
  readonly port: number;
  readonly timeoutMs: number;
  readonly signals: readonly AbortSignal[];
  /** TLS 1.2 or later, and the authorities to trust. */
  readonly context: SecureContext;
  readonly manner: Manner;
}

/** The `code` of an exchange that was ended because informational responses (RFC 9110 §15.2) came, and came, in place of an answer. */
export const NO_FINAL_RESPONSE = 'NO_FINAL_RESPONSE';

/** The `code` of a body that came in more pieces than any honest one. */
export const TOO_MANY_PIECES = 'TOO_MANY_PIECES';

/** The `code` of a host that began to speak HTTP/2, which it was not asked for. */
export const SPEAKS_HTTP2 = 'SPEAKS_HTTP2';

/** The `code` of a host that wants a certificate of who asks. */
export const CLIENT_CERTIFICATE = 'CLIENT_CERTIFICATE';

/** What is being waited for, to say so when it does not come. */
type Phase = 'connection' | 'TLS handshake' | 'response headers' | 'response body';

/** Lives for one fetch. */
export class PolicyExchange {
  private readonly start = performance.now();
  private phase: Phase = 'connection';
  /** Kept from the handshake on: a socket that is closed knows neither any more. */
  private certificate: ServerCertificate | undefined;
  private tlsVersion = '';
  private cipher = '';
  /** Whether the server has shown a certificate, trusted or not. */
  private hasShown: (() => boolean) | undefined;
  private isComplete: () => boolean = () => false;
  private informational = 0;
  private pieces = 0;
  private readonly liberties = new Set<HttpLiberty>();
  private readonly body = new BoundedBytes(MAX_POLICY_BYTES);
  /** Gone once there is a result: what the socket still says is of no interest then. */
  private settle: ((response: PolicyResponse) => void) | undefined;
  private readonly guard = new Guard((reason) => {
    this.fail('unusable', reason, INTERNAL_ERROR);
  });

  public constructor(private readonly request: PolicyExchangeRequest) {}

  /** Never rejects. Nothing stays open when it is done. */
  public run(): Promise<PolicyResponse> {
    const { timeoutMs, signals } = this.request;
    return new Promise((resolve) => {
      const timer = setTimeout(this.guard.over(() => {
        this.fail('unreachable', `${this.phase} not ${this.phase === 'response body' ? 'complete' : 'there'} within ${duration(timeoutMs)}`, 'ETIMEDOUT');
      }), timeoutMs);
      const abort = this.guard.over((): void => {
        this.fail('unreachable', `called off while waiting for the ${this.phase}`, 'ABORT_ERR');
      });
      let socket: TLSSocket | undefined = undefined;
      this.settle = (response) => {
        this.settle = undefined;
        resolve(response);
        clearTimeout(timer);
        for (const signal of signals) signal.removeEventListener('abort', abort);
        socket?.destroy();
      };
      for (const signal of signals) signal.addEventListener('abort', abort);
      if (signals.some(({ aborted }) => aborted)) abort();
      else this.guard.over(() => {
        socket = this.connect();
      })();
    });
  }

  private connect(): TLSSocket {
    const { address, port, policyHost, context, manner } = this.request;
    const socket = connect({
      host: address,
      port,
      servername: policyHost,
      secureContext: context,
      ALPNProtocols: [manner.alpn],
      // `judge` compares the names, where what is thrown is caught.
      checkServerIdentity: () => undefined,
      // Not trust, but a look at what was shown: `judge` ends an untrusted connection before a byte of HTTP is sent.
      rejectUnauthorized: false,
    });
    const peerCertificate = certificateReader(socket);
    this.hasShown = () => this.certificate !== undefined || peerCertificate() !== undefined;
    socket.on('connect', this.guard.over(() => {
      this.phase = 'TLS handshake';
    }));
    socket.on('secureConnect', this.guard.over(() => {
      this.judge(socket, peerCertificate());
    }));
    socket.on('error', this.guard.over((error: Error) => {
      this.failed(error);
    }));
    return socket;
  }

  private judge(socket: TLSSocket, shown: ReturnType<ReturnType<typeof certificateReader>>): void {
    const { policyHost } = this.request;
    const certificate = describeCertificate(shown);
    this.certificate = certificate;
    this.tlsVersion = socket.getProtocol() ?? '';
    this.cipher = socket.getCipher().standardName;
    const isOfHost = checkServerIdentity(policyHost, shown) === undefined;
    // A code, whatever the types say.
    const code = !socket.authorized ? String(socket.authorizationError) : isOfHost ? undefined : WRONG_NAME;
    if (code === undefined) this.ask(socket, certificate);
    else this.fail('untrusted', certificateProblem(code, policyHost, certificate), code);
  }

  private ask(socket: TLSSocket, certificate: ServerCertificate): void {
    this.phase = 'response headers';
    const { policyHost, manner } = this.request;
    let answer: AnswerHead | undefined;
    this.isComplete = manner.ask({
      socket, policyHost, guard: this.guard,
      reader: {
        head: (head) => {
          this.phase = 'response body';
          answer = head;
          // Nobody reads the body of another answer.
          if (head.status !== 200) this.answered(head, certificate);
        },
        data: (chunk) => {
          this.pieces += 1;
          if (this.pieces > MAX_PIECES) this.fail('protocol', `sends the body in more than ${MAX_PIECES} pieces`, TOO_MANY_PIECES);
          else if (!this.body.add(chunk) && answer !== undefined) this.answered(answer, certificate);
        },
        end: () => {
          if (answer !== undefined) this.answered(answer, certificate);
        },
        failed: (error) => {
          this.failed(error);
        },
        informational: (status) => {
          this.informational += 1;
          if (this.informational > MAX_INFORMATIONAL) this.fail('protocol', endlessFault(status), NO_FINAL_RESPONSE);
        },
        liberty: (liberty) => {
          this.liberties.add(liberty);
        },
      },
    });
  }

  private answered(head: AnswerHead, certificate: ServerCertificate): void {
    if (this.settle === undefined) return;
    const botCheck = botCheckOf(head);
    this.settle({
      outcome: 'answered',
      status: head.status,
      contentType: head.field('content-type') ?? '',
      location: head.field('location'),
      lastModified: head.field('last-modified'),
      ...(head.status === 200 ? this.content(head.field('content-encoding') ?? '') : { body: Buffer.alloc(0), tooLarge: false }),
      ...(botCheck === undefined ? {} : { botCheck }),
      ...(this.request.manner.alpn === 'h2' ? { http2Only: true } : {}),
      ...(this.liberties.size === 0 ? {} : { liberties: [...this.liberties] }),
      milliseconds: this.elapsed(),
      tlsVersion: this.tlsVersion,
      cipher: this.cipher,
      certificate,
    });
  }

  private content(contentEncoding: string): Pick<PolicyAnswered, 'body' | 'tooLarge' | 'coding'> {
    const codings = codingsOf(contentEncoding);
    // Nobody reads it, and sixty-four addresses of each of many domains would fill the memory with it until the last one has answered.
    if (this.body.isOver) return { body: Buffer.alloc(0), tooLarge: true, ...(codings.length === 0 ? {} : { coding: { codings } }) };
    const sent = { body: this.body.bytes(), tooLarge: false };
    if (codings.length === 0) return sent;
    const decoded = decodeBody(sent.body, codings, MAX_POLICY_BYTES);
    return 'fault' in decoded ? { ...sent, coding: { codings, fault: decoded.fault } } : { ...decoded, coding: { codings } };
  }

  private failed(error: Error): void {
    // The framing says where a message ends (RFC 9112 §6.3): what goes wrong behind it is no part of it, and its `end` is on the way.
    if (this.settle === undefined || this.isComplete()) return;
    const code = errorCode(error);
    const isOfTls = code.startsWith('ERR_SSL_') || code === 'EPROTO';
    if (isFamilyUnusable(error, this.request.address) || isLocalFault(code)) this.fail('unusable', networkProblem(error), code);
    else if (isOfTls && wantsClientCertificate(code, this.hasShown?.() === true)) this.fail('protocol', CLIENT_CERTIFICATE_PROBLEM, CLIENT_CERTIFICATE);
    else if (code === 'HPE_INVALID_CONSTANT' && isHttp2(error)) this.fail('protocol', 'speaks HTTP/2, which it was not asked for', SPEAKS_HTTP2);
    else if (code.startsWith('HPE_')) this.fail('protocol', httpFault(error, code, this.phase), code);
    else if (this.phase === 'response body') this.fail('protocol', `broken off in the middle of the body (${networkProblem(error)})`, code);
    else if (isOfTls && this.phase === 'response headers') this.fail('protocol', `broken off before the answer (${libraryReason(error, code)})`, code);
    else if (isOfTls) this.fail('untrusted', handshakeProblem(error, code), code);
    else if (this.phase === 'connection') this.fail('unreachable', networkProblem(error), code);
    else this.fail('unreachable', `${networkProblem(error)} while waiting for the ${this.phase}`, code);
  }

  private fail(outcome: PolicyUnanswered['outcome'], reason: string, code: string): void {
    const { certificate } = this;
    this.settle?.({ outcome, reason, code, milliseconds: this.elapsed(), ...(certificate === undefined ? {} : { certificate }) });
  }

  private elapsed(): number {
    return Math.round(performance.now() - this.start);
  }
}

/** Enough for 8 KiB a byte at a time. Each piece costs a callback, and no timer runs while they follow each other. */
const MAX_PIECES = 8192;

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
    case HEADERS_TOO_LARGE:
      return `sends more than ${LENIENT_HEADER_BYTES / 1024} KiB of headers`;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'sends more than 16 KiB of chunk extensions';
    default:
      return `sends malformed HTTP (${libraryReason(error, code)})`;
  }
}

/** A SETTINGS frame, with which each side begins (RFC 9113 §3.4): a length of at most a few settings, the type 4, the stream 0. */
function isHttp2(error: Error): boolean {
  const sent: unknown = Reflect.get(error, 'rawPacket');
  return Buffer.isBuffer(sent) && sent.length >= 9 && sent.readUInt16BE(0) === 0 && sent[3] === 4 && sent.readUInt32BE(5) === 0;
}

/** The field by which a service says that it wants to see a person, where there is one. */
function botCheckOf(head: AnswerHead): string | undefined {
  const field = BOT_CHECKS.find(([name, value]) => value.test(head.field(name) ?? ''));
  return field === undefined ? undefined : `${field[0]}: ${head.field(field[0]) ?? ''}`;
}

const BOT_CHECKS: readonly (readonly [string, RegExp])[] = [['cf-mitigated', /^challenge$/i], ['x-amzn-waf-action', /^(?:challenge|captcha)$/i]];
