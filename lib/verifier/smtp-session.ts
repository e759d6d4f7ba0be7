// One conversation with an MX host, up to the certificate (RFC 5321 §3.1, RFC 3207 §4), bounded in time and size.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { printable } from '../protocol/text';
import { WRONG_NAME, certificateFault, checkServerIdentity, describeCertificate } from './certificate';
import type { MxInsecure, MxRequest, MxResponse } from './mx-probe';
import { duration, errorCode, isFamilyUnusable, networkFault } from './network-fault';
import { handshakeFault } from './tls-fault';

export interface SmtpSessionRequest extends MxRequest {
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** TLS 1.2 or later, and the authorities to trust. */
  readonly context: SecureContext;
}

/** What is being waited for, to say so when it does not come. */
type Phase = 'connection' | 'greeting' | 'answer to EHLO' | 'answer to STARTTLS' | 'TLS handshake';

/** A whole reply (RFC 5321 §4.2): the lines' texts without the code. */
interface Reply {
  readonly code: string;
  readonly lines: readonly string[];
}

/** More than any greeting or list of extensions that a server sends for good. */
const MOST_BYTES = 16 * 1024;

/** Lives for one look. */
export class SmtpSession {
  private readonly start = performance.now();
  private phase: Phase = 'connection';
  private received = '';
  private readonly socket: Socket;
  private settle: ((response: MxResponse) => void) | undefined;

  public constructor(private readonly request: SmtpSessionRequest) {
    this.socket = connect({ host: request.address, port: request.port });
  }

  /** Never rejects. Nothing stays open when it is done. */
  public run(): Promise<MxResponse> {
    const { connectTimeoutMs, timeoutMs, signal } = this.request;
    return new Promise((resolve) => {
      const connecting = setTimeout(() => {
        this.fail('silent', `no connection within ${duration(connectTimeoutMs)}`, 'ETIMEDOUT');
      }, connectTimeoutMs);
      const whole = setTimeout(() => {
        this.fail('unreachable', `${this.phase} not there within ${duration(timeoutMs)}`, 'ETIMEDOUT');
      }, timeoutMs);
      const abort = (): void => {
        this.fail('unusable', `called off while waiting for the ${this.phase}`, 'ABORT_ERR');
      };
      this.settle = (response) => {
        this.settle = undefined;
        clearTimeout(connecting);
        clearTimeout(whole);
        signal?.removeEventListener('abort', abort);
        this.socket.destroy();
        resolve(response);
      };
      this.socket.on('connect', () => {
        clearTimeout(connecting);
        this.phase = 'greeting';
      });
      this.socket.on('data', this.onData);
      this.socket.on('error', (error) => {
        this.failed(error);
      });
      this.socket.on('close', () => {
        this.fail('unreachable', `connection closed by the server while waiting for the ${this.phase}`, 'ECONNRESET');
      });
      signal?.addEventListener('abort', abort);
      if (signal?.aborted === true) abort();
    });
  }

  private readonly onData = (chunk: Buffer): void => {
    this.received += chunk.toString('latin1');
    if (this.received.length > MOST_BYTES) {
      this.fail('turned-away', `the ${this.phase} is longer than ${MOST_BYTES / 1024} KiB`, 'TOO_LONG');
      return;
    }
    const reply = takeReply(this.received);
    if (reply === undefined) return;
    if (reply === 'malformed') {
      this.fail('turned-away', `does not speak SMTP: the ${this.phase} begins with \`${printable(this.received, 60)}\``, 'NOT_SMTP');
      return;
    }
    this.received = this.received.slice(reply.length);
    this.hear(reply.reply);
  };

  private hear(reply: Reply): void {
    switch (this.phase) {
      case 'connection':
      case 'greeting':
        if (reply.code !== '220') this.turnedAway(reply);
        else this.say('EHLO', this.ownName(), 'answer to EHLO');
        return;
      case 'answer to EHLO':
        this.hearExtensions(reply);
        return;
      case 'answer to STARTTLS':
        this.hearStartTls(reply);
        return;
      case 'TLS handshake':
        return;
    }
  }

  /** RFC 5321 §4.1.1.1: the first line greets, each other one names an extension. */
  private hearExtensions(reply: Reply): void {
    // A server from before RFC 1869 knows no EHLO, and so no STARTTLS.
    if (reply.code !== '250' && !reply.code.startsWith('5')) this.turnedAway(reply);
    else if (reply.code === '250' && reply.lines.slice(1).some((line) => /^STARTTLS[ \t]*$/i.test(line))) this.say('STARTTLS', '', 'answer to STARTTLS');
    else this.fail('plain', 'does not offer STARTTLS', reply.code);
  }

  private hearStartTls(reply: Reply): void {
    if (reply.code !== '220') {
      this.fail('plain', `offers STARTTLS and answers \`${shown(reply)}\` to it`, reply.code);
    } else if (this.received !== '') {
      // Whoever is on the path could have put it there, and a careless client would take it for what came inside of TLS (RFC 3207 §6).
      this.fail('broken', 'sends more in plain text after its answer to STARTTLS', 'PLAINTEXT_AFTER_STARTTLS');
    } else {
      this.phase = 'TLS handshake';
      this.socket.off('data', this.onData);
      this.secure();
    }
  }

  private secure(): void {
    const { host, context } = this.request;
    const socket = connectTls({
      socket: this.socket,
      servername: host,
      secureContext: context,
      checkServerIdentity,
      // Not trust, but a look at what is shown.
      rejectUnauthorized: false,
    });
    socket.on('secureConnect', () => {
      this.judge(socket);
    });
    socket.on('error', (error: Error) => {
      this.failed(error);
    });
  }

  private judge(socket: TLSSocket): void {
    const { host } = this.request;
    const certificate = describeCertificate(socket.getPeerCertificate());
    const tlsVersion = socket.getProtocol() ?? '';
    // It goes out with the end of the connection or not at all; nobody waits for the answer.
    socket.write('QUIT\r\n');
    if (socket.authorized) {
      this.settle?.({ outcome: 'secure', tlsVersion, certificate, milliseconds: this.elapsed() });
      return;
    }
    const faults = certificateFaults(socket, host).map((code) => ({ code, reason: certificateFault(code, host, certificate) }));
    const reason = faults.map((fault) => fault.reason).join('; ');
    this.settle?.({ outcome: 'untrusted', reason, code: faults[0].code, faults, tlsVersion, certificate, milliseconds: this.elapsed() });
  }

  private say(command: string, argument: string, next: Phase): void {
    this.phase = next;
    this.socket.write(`${command}${argument === '' ? '' : ` ${argument}`}\r\n`);
  }

  /** RFC 5321 §4.1.3: this machine may have no name that others know, so it gives its address. */
  private ownName(): string {
    const address = this.socket.localAddress ?? '127.0.0.1';
    return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
  }

  private turnedAway(reply: Reply): void {
    const whole = `the ${this.phase} is \`${shown(reply)}\``;
    this.fail('turned-away', whole, reply.code);
  }

  private failed(error: Error): void {
    const code = errorCode(error);
    if (this.phase === 'TLS handshake') {
      this.fail('broken', code.startsWith('ERR_SSL_') || code === 'EPROTO' ? handshakeFault(error, code) : `${networkFault(error)} in the TLS handshake`, code);
    } else if (this.phase !== 'connection') {
      this.fail('unreachable', `${networkFault(error)} while waiting for the ${this.phase}`, code);
    } else if (isFamilyUnusable(error, this.request.address)) {
      this.fail('unusable', networkFault(error), code);
    } else {
      this.fail(code === 'ECONNREFUSED' ? 'unreachable' : 'silent', networkFault(error), code);
    }
  }

  private fail(outcome: MxInsecure['outcome'], reason: string, code: string): void {
    if (outcome === 'plain' || outcome === 'turned-away') this.socket.write('QUIT\r\n');
    this.settle?.({ outcome, reason, code, milliseconds: this.elapsed() });
  }

  private elapsed(): number {
    return Math.round(performance.now() - this.start);
  }
}

/** OpenSSL stops at the first fault; a certificate can be wrong in more than one way, and each needs its own cure. */
function certificateFaults(socket: TLSSocket, host: string): readonly string[] {
  const certificate = socket.getPeerCertificate();
  // A code, whatever the types say.
  const codes = new Set([String(socket.authorizationError)]);
  if (Date.parse(certificate.valid_to) < Date.now()) codes.add('CERT_HAS_EXPIRED');
  if (checkServerIdentity(host, certificate) !== undefined) codes.add(WRONG_NAME);
  return [...codes];
}

function shown({ code, lines }: Reply): string {
  return printable(`${code} ${lines.at(-1) ?? ''}`.trim(), 120);
}

/** RFC 5321 §4.2.1: `250-more` and so on, and `250 last`. */
function takeReply(received: string): { readonly reply: Reply; readonly length: number } | 'malformed' | undefined {
  const lines: string[] = [];
  let at = 0;
  for (;;) {
    const end = received.indexOf('\n', at);
    if (end === -1) return lines.length === 0 && !/^(?:\d{0,2}$|\d{3}(?:[ \r-]|$))/.test(received) ? 'malformed' : undefined;
    const parts = /^(\d{3})(?:([ -])(.*))?$/.exec(received.slice(at, end).replace(/\r$/, ''));
    if (parts === null) return 'malformed';
    lines.push(parts.at(3) ?? '');
    at = end + 1;
    if (parts[2] !== '-') return { reply: { code: parts[1], lines }, length: at };
  }
}
