// A mail exchanger on port 25 that takes mail, over STARTTLS where it offers that, and can be what a sender must not trust.
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { createCertificateAuthority } from '../../../../lib/preview/tls/certificate-authority';
import type { CertificateAuthority, IssuedCertificate } from '../../../../lib/preview/tls/certificate-authority';

/**
 * - `ok`: a certificate of an authority that the senders trust, for its own name
 * - `untrusted`: of one that nobody trusts; `wrong-name`: for another name; `expired`: since 2020
 * - `two-names`: as `ok`, and for mx1.example.test too
 * - `no-starttls`: does not offer it
 * - `of-mx2`: a certificate for mx2.example.test alone
 * - `hangs-up`: as soon as somebody greets
 */
export type ExchangerBehaviour = 'ok' | 'untrusted' | 'wrong-name' | 'expired' | 'two-names' | 'no-starttls' | 'of-mx2' | 'hangs-up';

/** A connection, as the mail host saw it. */
export interface Connection {
  readonly host: string;
  /** Who the other says it is, by its EHLO or HELO. */
  client?: string;
  /** Whether it asked for TLS. */
  startTls: boolean;
  /** `TLSv1.3`, or what ended the handshake. */
  handshake?: string;
  /** Whether it came to the message's sender and recipient. */
  hasMail: boolean;
  /** Whether it is over, and with it all of the above said. */
  isClosed: boolean;
}

/** A message that was taken. */
export interface Delivered {
  readonly host: string;
  /** `TLSv1.3`; none in plain text. */
  readonly tls?: string;
  readonly text: string;
}

export class MailExchanger {
  public behaviour: ExchangerBehaviour = 'ok';
  public readonly delivered: Delivered[] = [];
  public readonly connections: Connection[] = [];
  private readonly contexts = new Map<ExchangerBehaviour, SecureContext>();
  private server: Server | undefined;

  /** @param name - its host name, which its certificate is for */
  public constructor(public readonly name: string, private readonly address: string, private readonly authority: CertificateAuthority) {}

  public async start(): Promise<void> {
    const { name, authority } = this;
    const issue: Readonly<Record<Exclude<ExchangerBehaviour, 'no-starttls' | 'hangs-up'>, Promise<IssuedCertificate>>> = {
      'ok': authority.issue({ names: [name] }),
      'untrusted': createCertificateAuthority('Nobody trusts this').then((stranger) => stranger.issue({ names: [name] })),
      'wrong-name': authority.issue({ names: ['mail.elsewhere.test'] }),
      'two-names': authority.issue({ names: [name, 'mx1.example.test'] }),
      'of-mx2': authority.issue({ names: ['mx2.example.test'] }),
      'expired': authority.issue({ names: [name], notBefore: new Date('2020-01-01'), notAfter: new Date('2020-01-02') }),
    };
    for (const behaviour of ['ok', 'untrusted', 'wrong-name', 'two-names', 'of-mx2', 'expired'] as const) {
      const { keyPem, certificatePem } = await issue[behaviour];
      this.contexts.set(behaviour, createSecureContext({ key: keyPem, cert: certificatePem }));
    }
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.write(`220 ${name} ESMTP\r\n`);
      const connection: Connection = { host: name, startTls: false, hasMail: false, isClosed: false };
      this.connections.push(connection);
      socket.once('close', () => {
        connection.isClosed = true;
      });
      this.converse(socket, connection);
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host: this.address, port: 25 }, resolve);
    });
  }

  public async stop(): Promise<void> {
    const { server } = this;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** Line by line, with pipelining, until STARTTLS or the end. */
  private converse(socket: Socket | TLSSocket, connection: Connection): void {
    let received = '';
    let message: string[] | undefined;
    const hear = (line: string): void => {
      if (message !== undefined) {
        if (line !== '.') {
          message.push(line);
          return;
        }
        const tls = socket instanceof TLSSocket ? socket.getProtocol() ?? undefined : undefined;
        this.delivered.push({ host: this.name, tls, text: message.join('\n') });
        message = undefined;
        socket.write('250 2.0.0 taken\r\n');
        return;
      }
      const [verb, word] = line.split(/[ :]/);
      switch (verb.toUpperCase()) {
        case 'EHLO': {
          connection.client = word;
          if (this.behaviour === 'hangs-up') {
            socket.destroy();
            break;
          }
          const startTls = this.behaviour === 'no-starttls' || socket instanceof TLSSocket ? '' : '250-STARTTLS\r\n';
          socket.write(`250-${this.name}\r\n${startTls}250 8BITMIME\r\n`);
          break;
        }
        case 'STARTTLS':
          socket.off('data', onData);
          socket.write('220 2.0.0 go ahead\r\n');
          connection.startTls = true;
          this.secure(socket, connection);
          break;
        case 'DATA':
          message = [];
          socket.write('354 go on\r\n');
          break;
        case 'QUIT':
          socket.end('221 2.0.0 bye\r\n');
          break;
        case 'HELO':
          connection.client = word;
          socket.write('250 2.0.0 ok\r\n');
          break;
        case 'MAIL':
          connection.hasMail = true;
          socket.write('250 2.0.0 ok\r\n');
          break;
        case 'RCPT':
        case 'RSET':
        case 'NOOP':
          socket.write('250 2.0.0 ok\r\n');
          break;
        default:
          socket.write('500 5.5.1 what is that\r\n');
      }
    };
    const onData = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      for (let end = received.indexOf('\r\n'); end !== -1; end = received.indexOf('\r\n')) {
        const line = received.slice(0, end);
        received = received.slice(end + 2);
        hear(line);
      }
    };
    socket.on('data', onData);
  }

  private secure(plain: Socket, connection: Connection): void {
    const secure = new TLSSocket(plain, { isServer: true, secureContext: this.contexts.get(this.behaviour) });
    secure.on('error', ({ message }: Error) => {
      connection.handshake ??= message;
    });
    secure.once('secure', () => {
      connection.handshake ??= secure.getProtocol() ?? 'none';
    });
    this.converse(secure, connection);
  }
}
