// One HTTPS exchange with a policy host: connects, checks the certificate, and only then sends the request.
import { performance } from 'node:perf_hooks';
import { connect } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { MAX_POLICY_BYTES } from '../../protocol/policy/policy';
import { BoundedBytes } from '../../util/bounded-bytes';
import { Guard, INTERNAL_ERROR, settleOnce } from '../guard';
import { duration, errorCode, isFamilyUnusable, isLocalFault, networkProblem } from '../network-errors';
import { WRONG_NAME, certificateProblem, certificateReader, checkServerIdentity, describeCertificate } from '../tls/certificate';
import type { CertificateDescription, ServerCertificate } from '../tls/certificate';
import { CLIENT_CERTIFICATE_PROBLEM, handshakeProblem, libraryReason, wantsClientCertificate } from '../tls/handshake-errors';
import { decodeBody, parseCodings } from './content-coding';
import type { HttpViolation, ResponseHead, SendRequest } from './http-response';
import { HEADERS_TOO_LARGE, LENIENT_HEADER_BYTES } from './http1-lenient';
import { CLIENT_CERTIFICATE, NO_FINAL_RESPONSE, SPEAKS_HTTP2, TOO_MANY_PIECES } from './policy-response';
import type { PolicyAnswered, PolicyRequest, PolicyResponse, PolicyUnanswered } from './policy-response';

/** The HTTP version and the client to use. */
export interface HttpVariant {
  /** The protocol to offer (RFC 7301). */
  readonly alpn: 'http/1.1' | 'h2';
  readonly request: SendRequest;
}

interface PolicyExchangeRequest extends PolicyRequest {
  readonly port: number;
  readonly timeoutMs: number;
  readonly signals: readonly AbortSignal[];
  /** TLS 1.2 or later, and the authorities to trust. */
  readonly context: SecureContext;
  readonly variant: HttpVariant;
}

/** The step that the exchange waits for, named in the reason of a timeout. */
type Phase = 'connection' | 'TLS handshake' | 'response headers' | 'response body';

/** Lives for one fetch. */
export class PolicyExchange {
  private readonly startedAt = performance.now();
  private phase: Phase = 'connection';
  /** Saved at the handshake, as are the next two: a closed socket no longer returns them. */
  private certificate: ServerCertificate | undefined;
  private tlsVersion = '';
  private cipher = '';
  /** Tells whether the server has sent a certificate, trusted or not. */
  private hasServerCertificate: (() => boolean) | undefined;
  private isComplete: () => boolean = () => false;
  private informational = 0;
  private pieces = 0;
  private readonly violations = new Set<HttpViolation>();
  private readonly body = new BoundedBytes(MAX_POLICY_BYTES);
  /** Undefined after the first result: later events of the socket are ignored. */
  private resolve: ((response: PolicyResponse) => void) | undefined;
  private readonly guard = new Guard((reason) => {
    this.resolve?.(this.unusable(reason));
  });

  /** Returns the result after an error of the verifier itself. */
  private readonly unusable = (reason: string): PolicyResponse => this.failure('unusable', reason, INTERNAL_ERROR);

  public constructor(private readonly request: PolicyExchangeRequest) {}

  /** Runs the exchange. Never rejects. Closes the connection before it resolves. */
  public run(): Promise<PolicyResponse> {
    const { timeoutMs, signals } = this.request;
    return settleOnce<PolicyResponse>({
      timeoutMs,
      signals,
      failed: this.unusable,
      timedOut: () => this.failure('unreachable', `${this.phase} not ${this.phase === 'response body' ? 'complete' : 'there'} within ${duration(timeoutMs)}`, 'ETIMEDOUT'),
      cancelled: () => this.failure('unreachable', `cancelled while waiting for the ${this.phase}`, 'ABORT_ERR'),
    }, (settle) => {
      this.resolve = settle;
      const socket = this.connect();
      return () => {
        this.resolve = undefined;
        socket.destroy();
      };
    });
  }

  private connect(): TLSSocket {
    const { address, port, policyHost, context, variant } = this.request;
    const socket = connect({
      host: address,
      port,
      servername: policyHost,
      secureContext: context,
      ALPNProtocols: [variant.alpn],
      // `checkCertificate` compares the names. Errors that it throws are caught.
      checkServerIdentity: () => undefined,
      // Read untrusted certificates as well. `checkCertificate` closes an untrusted connection before it sends a byte of HTTP.
      rejectUnauthorized: false,
    });
    const readCertificate = certificateReader(socket);
    this.hasServerCertificate = () => this.certificate !== undefined || readCertificate() !== undefined;
    socket.on('connect', this.guard.over(() => {
      this.phase = 'TLS handshake';
    }));
    socket.on('secureConnect', this.guard.over(() => {
      this.checkCertificate(socket, readCertificate());
    }));
    socket.on('error', this.guard.over((error: Error) => {
      this.failWith(error);
    }));
    return socket;
  }

  private checkCertificate(socket: TLSSocket, read: CertificateDescription | undefined): void {
    const { policyHost } = this.request;
    const certificate = describeCertificate(read);
    this.certificate = certificate;
    this.tlsVersion = socket.getProtocol() ?? '';
    this.cipher = socket.getCipher().standardName;
    const isForHost = checkServerIdentity(policyHost, read) === undefined;
    // Node's types say Error, but `authorizationError` is a code.
    const code = !socket.authorized ? String(socket.authorizationError) : isForHost ? undefined : WRONG_NAME;
    if (code === undefined) this.startRequest(socket, certificate);
    else this.fail('untrusted', certificateProblem(code, policyHost, certificate), code);
  }

  private startRequest(socket: TLSSocket, certificate: ServerCertificate): void {
    this.phase = 'response headers';
    const { policyHost, variant } = this.request;
    let response: ResponseHead | undefined;
    this.isComplete = variant.request({
      socket, policyHost, guard: this.guard,
      handler: {
        head: (head) => {
          this.phase = 'response body';
          response = head;
          // The body of any other status is not used.
          if (head.status !== 200) this.succeed(head, certificate);
        },
        data: (chunk) => {
          this.pieces += 1;
          if (this.pieces > MAX_PIECES) this.fail('protocol', `sends the body in more than ${MAX_PIECES} pieces`, TOO_MANY_PIECES);
          else if (!this.body.add(chunk) && response !== undefined) this.succeed(response, certificate);
        },
        end: () => {
          if (response !== undefined) this.succeed(response, certificate);
        },
        failed: (error) => {
          this.failWith(error);
        },
        informational: (status) => {
          this.informational += 1;
          if (this.informational > MAX_INFORMATIONAL) this.fail('protocol', noFinalResponseProblem(status), NO_FINAL_RESPONSE);
        },
        violation: (violation) => {
          this.violations.add(violation);
        },
      },
    });
  }

  private succeed(head: ResponseHead, certificate: ServerCertificate): void {
    this.resolve?.({
      outcome: 'answered',
      status: head.status,
      contentType: head.field('content-type') ?? '',
      location: head.field('location'),
      lastModified: head.field('last-modified'),
      ...(head.status === 200 ? this.content(head.field('content-encoding') ?? '') : { body: Buffer.alloc(0), tooLarge: false }),
      botCheck: botCheckField(head),
      http2Only: this.request.variant.alpn === 'h2' ? true : undefined,
      violations: this.violations.size === 0 ? undefined : [...this.violations],
      milliseconds: this.elapsedMs(),
      tlsVersion: this.tlsVersion,
      cipher: this.cipher,
      certificate,
    });
  }

  private content(contentEncoding: string): Pick<PolicyAnswered, 'body' | 'tooLarge' | 'coding'> {
    const codings = parseCodings(contentEncoding);
    const coding = codings.length === 0 ? undefined : { codings };
    // Drop a body that is too large. Otherwise the bodies of 64 addresses of many domains fill the memory until the last response.
    if (this.body.isOver) return { body: Buffer.alloc(0), tooLarge: true, coding };
    const sent = { body: this.body.bytes(), tooLarge: false };
    if (coding === undefined) return sent;
    const decoded = decodeBody(sent.body, codings, MAX_POLICY_BYTES);
    return 'problem' in decoded ? { ...sent, coding: { codings, fault: decoded.problem } } : { ...decoded, coding };
  }

  private failWith(error: Error): void {
    // The framing marks the end of a message (RFC 9112 §6.3). Ignore errors after a complete response: its `end` event follows.
    if (this.resolve === undefined || this.isComplete()) return;
    const code = errorCode(error);
    const isTlsError = code.startsWith('ERR_SSL_') || code === 'EPROTO';
    if (isFamilyUnusable(error, this.request.address) || isLocalFault(code)) this.fail('unusable', networkProblem(error), code);
    else if (isTlsError && wantsClientCertificate(code, this.hasServerCertificate?.() === true)) this.fail('protocol', CLIENT_CERTIFICATE_PROBLEM, CLIENT_CERTIFICATE);
    else if (code === 'HPE_INVALID_CONSTANT' && isHttp2(error)) this.fail('protocol', 'speaks HTTP/2, which it was not asked for', SPEAKS_HTTP2);
    else if (code.startsWith('HPE_')) this.fail('protocol', parserProblem(error, code, this.phase), code);
    else if (this.phase === 'response body') this.fail('protocol', `broken off in the middle of the body (${networkProblem(error)})`, code);
    else if (isTlsError && this.phase === 'response headers') this.fail('protocol', `broken off before the answer (${libraryReason(error, code)})`, code);
    else if (isTlsError) this.fail('untrusted', handshakeProblem(error, code), code);
    else if (this.phase === 'connection') this.fail('unreachable', networkProblem(error), code);
    else this.fail('unreachable', `${networkProblem(error)} while waiting for the ${this.phase}`, code);
  }

  private fail(outcome: PolicyUnanswered['outcome'], reason: string, code: string): void {
    this.resolve?.(this.failure(outcome, reason, code));
  }

  private failure(outcome: PolicyUnanswered['outcome'], reason: string, code: string): PolicyUnanswered {
    return { outcome, reason, code, milliseconds: this.elapsedMs(), certificate: this.certificate };
  }

  private elapsedMs(): number {
    return Math.round(performance.now() - this.startedAt);
  }
}

/** Maximum number of pieces of a body: enough for 8 KiB byte by byte. Each piece costs a callback, and no timer fires in between. */
const MAX_PIECES = 8192;

/** Maximum number of informational responses. Real servers send one or two. */
const MAX_INFORMATIONAL = 10;

function noFinalResponseProblem(status: number): string {
  return `sends more than ${MAX_INFORMATIONAL} informational responses (the last has status ${status}) before the answer itself`;
}

/** Describes an error of the HTTP parser. Leaves out the code, which evidence shows beside the reason. */
function parserProblem(error: Error, code: string, phase: Phase): string {
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

/** Detects the SETTINGS frame at the start of HTTP/2 (RFC 9113 §3.4): a short length, type 4, stream 0. */
function isHttp2(error: Error): boolean {
  const sent: unknown = Reflect.get(error, 'rawPacket');
  return Buffer.isBuffer(sent) && sent.length >= 9 && sent.readUInt16BE(0) === 0 && sent[3] === 4 && sent.readUInt32BE(5) === 0;
}

/** Returns the header field of a service that asks for a human visitor, if the response has one. */
function botCheckField(head: ResponseHead): string | undefined {
  for (const [name, pattern] of BOT_CHECKS) {
    const value = head.field(name) ?? '';
    if (pattern.test(value)) return `${name}: ${value}`;
  }
  return undefined;
}

const BOT_CHECKS: readonly (readonly [string, RegExp])[] = [['cf-mitigated', /^challenge$/i], ['x-amzn-waf-action', /^(?:challenge|captcha)$/i]];
