// One conversation with an MX host, up to the certificate (RFC 5321 §3.1, RFC 3207 §4), bounded in time and size.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { safeText } from '../../util/safe-text';
import { WRONG_NAME, certificateProblem, certificateReader, checkServerIdentity, describeCertificate } from '../tls/certificate';
import type { CertificateDescription } from '../tls/certificate';
import { Guard, INTERNAL_ERROR, readable } from '../guard';
import type { MxInsecure, MxRequest, MxResponse } from './mx-probe';
import { REFUSED, duration, errorCode, isFamilyUnusable, isLocalFault, networkProblem } from '../network-errors';
import { MOST_REPLY_BYTES, ReplyReader } from './reply';
import type { Reply } from './reply';
import { CLIENT_CERTIFICATE_PROBLEM, handshakeProblem, wantsClientCertificate } from '../tls/handshake-errors';

export interface SmtpSessionRequest extends MxRequest {
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly signals: readonly AbortSignal[];
  /** TLS 1.2 or later, and the authorities to trust. */
  readonly context: SecureContext;
}

/** What is being waited for, to say so when it does not come. */
type Phase = 'connection' | 'greeting' | 'answer to EHLO' | 'answer to STARTTLS' | 'TLS handshake';

/** As a firewall answers that lets nobody through to the port, which is not to be told from one that says nothing. */
const FORBIDDEN = ['EACCES', 'EPERM'];

/** Lives for one look. */
export class SmtpSession {
  private readonly start = performance.now();
  private phase: Phase = 'connection';
  private readonly replies = new ReplyReader();
  private socket: Socket | undefined;
  /** Whether the server has shown a certificate. */
  private hasShown: (() => boolean) | undefined;
  private settle: ((response: MxResponse) => void) | undefined;
  private readonly guard = new Guard((reason) => {
    this.done({ outcome: 'unusable', reason, code: INTERNAL_ERROR, milliseconds: this.elapsed() });
  });

  public constructor(private readonly request: SmtpSessionRequest) {}

  /** Never rejects. Nothing stays open when it is done. */
  public run(): Promise<MxResponse> {
    const { connectTimeoutMs, timeoutMs, signals } = this.request;
    return new Promise((resolve) => {
      const connecting = setTimeout(this.guard.over(() => {
        this.fail('silent', `no connection within ${duration(connectTimeoutMs)}`, 'ETIMEDOUT');
      }), connectTimeoutMs);
      const whole = setTimeout(this.guard.over(() => {
        this.lost(`${this.phase} not there within ${duration(timeoutMs)}`, 'ETIMEDOUT');
      }), timeoutMs);
      const abort = this.guard.over((): void => {
        this.fail('unusable', `called off while waiting for the ${this.phase}`, 'ABORT_ERR');
      });
      this.settle = (response) => {
        this.settle = undefined;
        resolve(response);
        clearTimeout(connecting);
        clearTimeout(whole);
        for (const signal of signals) signal.removeEventListener('abort', abort);
        this.socket?.destroy();
      };
      for (const signal of signals) signal.addEventListener('abort', abort);
      if (signals.some(({ aborted }) => aborted)) abort();
      else this.guard.over(() => {
        this.connect(connecting);
      })();
    });
  }

  private connect(connecting: NodeJS.Timeout): void {
    const socket = connect({ host: this.request.address, port: this.request.port });
    this.socket = socket;
    socket.on('connect', this.guard.over(() => {
      clearTimeout(connecting);
      this.phase = 'greeting';
    }));
    socket.on('data', this.onData);
    socket.on('error', this.guard.over((error: Error) => {
      this.failed(error);
    }));
    socket.on('close', this.guard.over(() => {
      this.lost(`connection closed by the server while waiting for the ${this.phase}`, 'ECONNRESET');
    }));
  }

  private readonly onData = this.guard.over((chunk: Buffer): void => {
    this.read(chunk.toString('latin1'));
  });

  private read(text: string): void {
    const read = this.replies.read(text);
    if (read === undefined) return;
    if ('reply' in read) {
      this.hear(read.reply, read.rest);
    } else if (read.fault === 'too-long') {
      this.fail('turned-away', `the ${this.phase} is longer than ${MOST_REPLY_BYTES / 1024} KiB`, 'TOO_LONG');
    } else {
      this.fail('turned-away', `does not speak SMTP: the ${this.phase} begins with \`${safeText(read.begin, 60)}\``, 'NOT_SMTP');
    }
  }

  private hear(reply: Reply, rest: string): void {
    if (this.phase === 'answer to STARTTLS') {
      this.hearStartTls(reply, rest);
      return;
    }
    if (this.phase === 'answer to EHLO') this.hearExtensions(reply);
    else if (reply.code === '220') this.say('EHLO', this.ownName(), 'answer to EHLO');
    else this.turnedAway(reply);
    // Who answers before it is asked is taken at its word, as senders do.
    if (rest !== '' && this.settle !== undefined) this.read(rest);
  }

  /** RFC 5321 §4.1.1.1: the first line greets, each other one names an extension. */
  private hearExtensions(reply: Reply): void {
    // A server from before RFC 1869 knows no EHLO, and so no STARTTLS; any other refusal is of us (RFC 5321 §4.2.4).
    const offers = reply.code === '250' && reply.lines.slice(1).some((line) => /^STARTTLS(?:[ \t]|$)/i.test(line));
    if (offers) this.say('STARTTLS', '', 'answer to STARTTLS');
    else if (['250', '500', '502'].includes(reply.code)) this.fail('plain', 'does not offer STARTTLS', reply.code);
    else this.turnedAway(reply);
  }

  private hearStartTls(reply: Reply, rest: string): void {
    if (reply.code === '421') {
      // It ends the connection, whatever it was asked (RFC 5321 §3.8).
      this.turnedAway(reply);
    } else if (reply.code !== '220') {
      this.fail('plain', `offers STARTTLS and answers \`${shown(reply)}\` to it`, reply.code);
    } else if (rest !== '') {
      // Whoever is on the path could have put it there, and a careless client would take it for what came inside of TLS (RFC 3207 §6).
      this.fail('broken', 'sends more in plain text after its answer to STARTTLS', 'PLAINTEXT_AFTER_STARTTLS');
    } else {
      this.phase = 'TLS handshake';
      this.socket?.off('data', this.onData);
      this.secure();
    }
  }

  private secure(): void {
    const { host, context } = this.request;
    const socket = connectTls({
      socket: this.socket,
      servername: host,
      secureContext: context,
      // `judge` compares the names, where what is thrown is caught.
      checkServerIdentity: () => undefined,
      // Not trust, but a look at what is shown.
      rejectUnauthorized: false,
    });
    const peerCertificate = certificateReader(socket);
    this.hasShown = () => peerCertificate() !== undefined;
    socket.on('secureConnect', this.guard.over(() => {
      this.judge(socket, peerCertificate());
    }));
    socket.on('error', this.guard.over((error: Error) => {
      this.failed(error);
    }));
  }

  private judge(socket: TLSSocket, shown: CertificateDescription | undefined): void {
    const { host } = this.request;
    const certificate = describeCertificate(shown);
    const tlsVersion = socket.getProtocol() ?? '';
    // It goes out with the end of the connection or not at all; nobody waits for the answer.
    socket.write('QUIT\r\n');
    const codes = certificateFaults(socket, shown, host);
    if (codes.length === 0) {
      this.done({ outcome: 'secure', tlsVersion, cipher: socket.getCipher().standardName, certificate, milliseconds: this.elapsed() });
      return;
    }
    const faults = codes.map((code) => ({ code, reason: certificateProblem(code, host, certificate) }));
    const reason = faults.map((fault) => fault.reason).join('; ');
    this.done({ outcome: 'untrusted', reason, code: codes[0], faults, tlsVersion, certificate, milliseconds: this.elapsed() });
  }

  private say(command: string, argument: string, next: Phase): void {
    this.phase = next;
    this.socket?.write(`${command}${argument === '' ? '' : ` ${argument}`}\r\n`);
  }

  /** RFC 5321 §4.1.3: this machine may have no name that others know, so it gives its address. */
  private ownName(): string {
    const address = this.socket?.localAddress ?? '127.0.0.1';
    return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
  }

  private turnedAway(reply: Reply): void {
    const whole = `the ${this.phase} is \`${shown(reply)}\``;
    this.fail('turned-away', whole, reply.code);
  }

  private failed(error: Error): void {
    const code = errorCode(error);
    if (this.phase === 'TLS handshake' && wantsClientCertificate(code, this.hasShown?.() === true)) {
      this.fail('broken', CLIENT_CERTIFICATE_PROBLEM, 'CLIENT_CERTIFICATE');
    } else if (this.phase === 'TLS handshake' && (code.startsWith('ERR_SSL_') || code === 'EPROTO')) {
      this.fail('broken', handshakeProblem(error, code), code);
    } else if (this.phase !== 'connection') {
      this.lost(`${networkProblem(error)} while waiting for the ${this.phase}`, code);
    } else if (isFamilyUnusable(error, this.request.address) || (isLocalFault(code) && !FORBIDDEN.includes(code))) {
      this.fail('unusable', networkProblem(error), code);
    } else {
      // Only who is there refuses, or resets what it has accepted a moment ago.
      this.fail(code === REFUSED || code === 'ECONNRESET' ? 'unreachable' : 'silent', networkProblem(error), code);
    }
  }

  /** After STARTTLS there is no way back to plain text (RFC 3207 §4), so a connection that is lost there is a fault of TLS. */
  private lost(reason: string, code: string): void {
    this.fail(this.phase === 'TLS handshake' ? 'broken' : 'unreachable', reason, code);
  }

  private fail(outcome: MxInsecure['outcome'], reason: string, code: string): void {
    if (outcome === 'plain' || outcome === 'turned-away') this.socket?.write('QUIT\r\n');
    this.done({ outcome, reason, code, milliseconds: this.elapsed() });
  }

  private done(response: MxResponse): void {
    this.settle?.(response);
  }

  private elapsed(): number {
    return Math.round(performance.now() - this.start);
  }
}

/** OpenSSL tells one fault; a certificate can be wrong in more than one way, and each needs its own cure. */
function certificateFaults(socket: TLSSocket, shown: CertificateDescription | undefined, host: string): readonly string[] {
  // A code, whatever the types say.
  const codes = new Set(socket.authorized ? [] : [String(socket.authorizationError)]);
  if (!socket.authorized) {
    const { valid_to: to, valid_from: from } = shown ?? {};
    if (to !== undefined && Date.parse(to) < Date.now()) codes.add('CERT_HAS_EXPIRED');
    if (from !== undefined && Date.parse(from) > Date.now()) codes.add('CERT_NOT_YET_VALID');
    if (readable(() => isSelfSigned(socket), false)) codes.add('DEPTH_ZERO_SELF_SIGNED_CERT');
  }
  if (checkServerIdentity(host, shown) !== undefined) codes.add(WRONG_NAME);
  return [...codes];
}

function isSelfSigned(socket: TLSSocket): boolean {
  const x509 = socket.getPeerX509Certificate();
  return x509 !== undefined && x509.subject === x509.issuer;
}

function shown({ code, lines }: Reply): string {
  return safeText(`${code} ${lines.at(-1) ?? ''}`.trim(), 120);
}
