// One SMTP session with an MX host up to its certificate (RFC 5321 §3.1, RFC 3207 §4), bounded in time and size.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { safeText } from '../../util/safe-text';
import { Guard, INTERNAL_ERROR, readable, settleOnce } from '../guard';
import { REFUSED, duration, errorCode, isFamilyUnusable, isLocalFault, networkProblem } from '../network-errors';
import { WRONG_NAME, certificateProblem, certificateReader, checkServerIdentity, describeCertificate } from '../tls/certificate';
import type { CertificateDescription } from '../tls/certificate';
import { CLIENT_CERTIFICATE_PROBLEM, handshakeProblem, wantsClientCertificate } from '../tls/handshake-errors';
import type { MxInsecure, MxRequest, MxResponse } from './mx-response';
import { MAX_REPLY_BYTES, ReplyReader } from './reply';
import type { Reply } from './reply';

interface SmtpSessionRequest extends MxRequest {
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly signals: readonly AbortSignal[];
  /** TLS 1.2 or later, and the authorities to trust. */
  readonly context: SecureContext;
}

/** The step that the session waits for, named in the reason of a timeout. */
type Phase = 'connection' | 'greeting' | 'answer to EHLO' | 'answer to STARTTLS' | 'TLS handshake';

/** Errors of a local firewall that blocks the port. Treated like silence. */
const FIREWALL_CODES = ['EACCES', 'EPERM'];

/** Lives for one probe. */
export class SmtpSession {
  private readonly startedAt = performance.now();
  private phase: Phase = 'connection';
  private readonly replies = new ReplyReader();
  private socket: Socket | undefined;
  /** Tells whether the server has sent a certificate. */
  private hasServerCertificate: (() => boolean) | undefined;
  /** Undefined after the first result: later events of the socket are ignored. */
  private resolve: ((response: MxResponse) => void) | undefined;
  private readonly guard = new Guard((reason) => {
    this.resolve?.(this.unusable(reason));
  });

  /** Returns the result after an error of the verifier itself. */
  private readonly unusable = (reason: string): MxResponse => this.failure('unusable', reason, INTERNAL_ERROR);

  public constructor(private readonly request: SmtpSessionRequest) {}

  /** Runs the session. Never rejects. Closes the connection before it resolves. */
  public run(): Promise<MxResponse> {
    const { timeoutMs, signals } = this.request;
    return settleOnce<MxResponse>({
      timeoutMs,
      signals,
      failed: this.unusable,
      timedOut: () => this.failure(this.lostOutcome(), `${this.phase} not there within ${duration(timeoutMs)}`, 'ETIMEDOUT'),
      cancelled: () => this.failure('unusable', `cancelled while waiting for the ${this.phase}`, 'ABORT_ERR'),
    }, (settle) => {
      this.resolve = settle;
      const stopConnecting = this.connect();
      return () => {
        this.resolve = undefined;
        stopConnecting();
        this.socket?.destroy();
      };
    });
  }

  /** Connects, for as long as a connection may take. Returns a function that stops its timer. */
  private connect(): () => void {
    const { address, port, connectTimeoutMs } = this.request;
    const timer = setTimeout(this.guard.over(() => {
      this.fail('timeout', `no connection within ${duration(connectTimeoutMs)}`, 'ETIMEDOUT');
    }), connectTimeoutMs);
    const stopTimer = (): void => {
      clearTimeout(timer);
    };
    const socket = connect({ host: address, port });
    this.socket = socket;
    socket.on('connect', this.guard.over(() => {
      stopTimer();
      this.phase = 'greeting';
    }));
    socket.on('data', this.onData);
    socket.on('error', this.guard.over((error: Error) => {
      this.failWith(error);
    }));
    socket.on('close', this.guard.over(() => {
      this.fail(this.lostOutcome(), `connection closed by the server while waiting for the ${this.phase}`, 'ECONNRESET');
    }));
    return stopTimer;
  }

  private readonly onData = this.guard.over((chunk: Buffer): void => {
    this.read(chunk.toString('latin1'));
  });

  private read(text: string): void {
    const reading = this.replies.read(text);
    if (reading === undefined) return;
    if ('reply' in reading) {
      this.handleReply(reading.reply, reading.rest);
    } else if (reading.problem === 'too-long') {
      this.fail('rejected', `the ${this.phase} is longer than ${MAX_REPLY_BYTES / 1024} KiB`, 'TOO_LONG');
    } else {
      this.fail('rejected', `does not speak SMTP: the ${this.phase} begins with \`${safeText(reading.begin, 60)}\``, 'NOT_SMTP');
    }
  }

  private handleReply(reply: Reply, rest: string): void {
    if (this.phase === 'answer to STARTTLS') {
      this.handleStartTlsReply(reply, rest);
      return;
    }
    if (this.phase === 'answer to EHLO') this.handleEhloReply(reply);
    else if (reply.code === '220') this.command('EHLO', this.ownName(), 'answer to EHLO');
    else this.reject(reply);
    // The server may pipeline its replies. Accept them, as senders do.
    if (rest !== '' && this.resolve !== undefined) this.read(rest);
  }

  /** Looks for STARTTLS. The first line of the reply is a greeting, and every other line names an extension (RFC 5321 §4.1.1.1). */
  private handleEhloReply(reply: Reply): void {
    const offersStartTls = reply.code === '250' && reply.lines.slice(1).some((line) => /^STARTTLS(?:[ \t]|$)/i.test(line));
    if (offersStartTls) this.command('STARTTLS', '', 'answer to STARTTLS');
    // A server from before RFC 1869 does not know EHLO or STARTTLS (500, 502). Other codes reject this client (RFC 5321 §4.2.4).
    else if (['250', '500', '502'].includes(reply.code)) this.fail('no-starttls', 'does not offer STARTTLS', reply.code);
    else this.reject(reply);
  }

  private handleStartTlsReply(reply: Reply, rest: string): void {
    if (reply.code === '421') {
      // 421 closes the connection after any command (RFC 5321 §3.8).
      this.reject(reply);
    } else if (reply.code !== '220') {
      this.fail('no-starttls', `offers STARTTLS and answers \`${quote(reply)}\` to it`, reply.code);
    } else if (rest !== '') {
      // An attacker on the path could have added the text. A careless client would treat it as part of TLS (RFC 3207 §6).
      this.fail('tls-failed', 'sends more in plain text after its answer to STARTTLS', 'PLAINTEXT_AFTER_STARTTLS');
    } else {
      this.phase = 'TLS handshake';
      this.socket?.off('data', this.onData);
      this.startTls();
    }
  }

  private startTls(): void {
    const { host, context } = this.request;
    const socket = connectTls({
      socket: this.socket,
      servername: host,
      secureContext: context,
      // `checkCertificate` compares the names. Errors that it throws are caught.
      checkServerIdentity: () => undefined,
      // Read untrusted certificates as well. Only QUIT is sent over the connection.
      rejectUnauthorized: false,
    });
    const readCertificate = certificateReader(socket);
    this.hasServerCertificate = () => readCertificate() !== undefined;
    socket.on('secureConnect', this.guard.over(() => {
      this.checkCertificate(socket, readCertificate());
    }));
    socket.on('error', this.guard.over((error: Error) => {
      this.failWith(error);
    }));
  }

  private checkCertificate(socket: TLSSocket, read: CertificateDescription | undefined): void {
    const { host } = this.request;
    const certificate = describeCertificate(read);
    const tlsVersion = socket.getProtocol() ?? '';
    // The session does not wait for the reply to QUIT.
    socket.write('QUIT\r\n');
    const faults = certificateCodes(socket, read, host).map((code) => ({ code, reason: certificateProblem(code, host, certificate) }));
    const first = faults.at(0);
    this.resolve?.(first === undefined
      ? { outcome: 'secure', tlsVersion, cipher: socket.getCipher().standardName, certificate, milliseconds: this.elapsedMs() }
      : { outcome: 'untrusted', reason: faults.map(({ reason }) => reason).join('; '), code: first.code, faults, tlsVersion, certificate, milliseconds: this.elapsedMs() });
  }

  private command(command: string, argument: string, next: Phase): void {
    this.phase = next;
    this.socket?.write(`${command}${argument === '' ? '' : ` ${argument}`}\r\n`);
  }

  /** Returns the argument of EHLO: the address of this machine, which may have no public name (RFC 5321 §4.1.3). */
  private ownName(): string {
    const address = this.socket?.localAddress ?? '127.0.0.1';
    return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
  }

  private reject(reply: Reply): void {
    this.fail('rejected', `the ${this.phase} is \`${quote(reply)}\``, reply.code);
  }

  private failWith(error: Error): void {
    const code = errorCode(error);
    if (this.phase === 'TLS handshake' && wantsClientCertificate(code, this.hasServerCertificate?.() === true)) {
      this.fail('tls-failed', CLIENT_CERTIFICATE_PROBLEM, 'CLIENT_CERTIFICATE');
    } else if (this.phase === 'TLS handshake' && (code.startsWith('ERR_SSL_') || code === 'EPROTO')) {
      this.fail('tls-failed', handshakeProblem(error, code), code);
    } else if (this.phase !== 'connection') {
      this.fail(this.lostOutcome(), `${networkProblem(error)} while waiting for the ${this.phase}`, code);
    } else if (isFamilyUnusable(error, this.request.address) || (isLocalFault(code) && !FIREWALL_CODES.includes(code))) {
      this.fail('unusable', networkProblem(error), code);
    } else {
      // Only a running host refuses a connection, or resets one that it has just accepted.
      this.fail(code === REFUSED || code === 'ECONNRESET' ? 'unreachable' : 'timeout', networkProblem(error), code);
    }
  }

  /** Returns the outcome of a lost connection. After STARTTLS, a sender cannot go back to plain text (RFC 3207 §4), so TLS has failed. */
  private lostOutcome(): MxInsecure['outcome'] {
    return this.phase === 'TLS handshake' ? 'tls-failed' : 'unreachable';
  }

  private fail(outcome: MxInsecure['outcome'], reason: string, code: string): void {
    if (outcome === 'no-starttls' || outcome === 'rejected') this.socket?.write('QUIT\r\n');
    this.resolve?.(this.failure(outcome, reason, code));
  }

  private failure(outcome: MxInsecure['outcome'], reason: string, code: string): MxInsecure {
    return { outcome, reason, code, milliseconds: this.elapsedMs() };
  }

  private elapsedMs(): number {
    return Math.round(performance.now() - this.startedAt);
  }
}

/** Returns every problem of a certificate. OpenSSL reports only one, but each problem needs its own fix. */
function certificateCodes(socket: TLSSocket, certificate: CertificateDescription | undefined, host: string): readonly string[] {
  // Node's types say Error, but `authorizationError` is a code.
  const codes = new Set(socket.authorized ? [] : [String(socket.authorizationError)]);
  if (!socket.authorized) {
    const { valid_to: to, valid_from: from } = certificate ?? {};
    if (to !== undefined && Date.parse(to) < Date.now()) codes.add('CERT_HAS_EXPIRED');
    if (from !== undefined && Date.parse(from) > Date.now()) codes.add('CERT_NOT_YET_VALID');
    if (readable(() => isSelfSigned(socket), false)) codes.add('DEPTH_ZERO_SELF_SIGNED_CERT');
  }
  if (checkServerIdentity(host, certificate) !== undefined) codes.add(WRONG_NAME);
  return [...codes];
}

function isSelfSigned(socket: TLSSocket): boolean {
  const x509 = socket.getPeerX509Certificate();
  return x509 !== undefined && x509.subject === x509.issuer;
}

function quote({ code, lines }: Reply): string {
  return safeText(`${code} ${lines.at(-1) ?? ''}`.trim(), 120);
}
