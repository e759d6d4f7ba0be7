// A mail host on port 25 that accepts mail. It can offer STARTTLS or not, and show certificates that a sender must not trust.
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { createCertificateAuthority } from '../../../../lib/preview/tls/certificate-authority';
import type { CertificateAuthority, IssuedCertificate } from '../../../../lib/preview/tls/certificate-authority';

/**
 * What a mail host does:
 *
 * - `ok`: shows a trusted certificate for its own name
 * - `untrusted`: shows a certificate of an authority that no sender trusts
 * - `wrong-name`: shows a trusted certificate for another name
 * - `expired`: shows a certificate that expired in 2020
 * - `two-names`: shows a trusted certificate for its own name and for mx1.example.test
 * - `no-starttls`: does not offer STARTTLS
 * - `of-mx2`: shows a trusted certificate for mx2.example.test only
 * - `hangs-up`: closes the connection after EHLO
 */
export type ExchangerBehaviour = 'ok' | 'untrusted' | 'wrong-name' | 'expired' | 'two-names' | 'no-starttls' | 'of-mx2' | 'hangs-up';

/** A connection as the mail host saw it. */
export interface Connection {
  readonly host: string;
  /** Name in the EHLO or HELO of the sender. */
  client?: string;
  /** Whether the sender sent STARTTLS. */
  startTls: boolean;
  /** `TLSv1.3`, or the error that ended the handshake. */
  handshake?: string;
  /** Whether the sender sent MAIL, the first command of a message. */
  hasMail: boolean;
  /** Whether the connection is closed, so that the properties above are final. */
  isClosed: boolean;
}

/** An accepted message. */
export interface Delivered {
  readonly host: string;
  /** `TLSv1.3`. Undefined for plain text. */
  readonly tls?: string;
  readonly text: string;
}

export class MailExchanger {
  public behaviour: ExchangerBehaviour = 'ok';
  public readonly delivered: Delivered[] = [];
  public readonly connections: Connection[] = [];
  private readonly contexts = new Map<ExchangerBehaviour, SecureContext>();
  private server: Server | undefined;

  /** @param name - host name, which a right certificate contains */
  public constructor(public readonly name: string, private readonly address: string, private readonly authority: CertificateAuthority) {}

  /** Starts to listen. */
  public async start(): Promise<void> {
    const { name, authority } = this;
    const issue: Readonly<Record<Exclude<ExchangerBehaviour, 'no-starttls' | 'hangs-up'>, Promise<IssuedCertificate>>> = {
      'ok': authority.issue({ names: [name] }),
      'untrusted': createCertificateAuthority('Untrusted authority').then((untrusted) => untrusted.issue({ names: [name] })),
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

  /** Answers line by line, with pipelining, until STARTTLS or the end. */
  private converse(socket: Socket | TLSSocket, connection: Connection): void {
    let received = '';
    let message: string[] | undefined;
    const answerLine = (line: string): void => {
      if (message !== undefined) {
        if (line !== '.') {
          message.push(line);
          return;
        }
        const tls = socket instanceof TLSSocket ? socket.getProtocol() ?? undefined : undefined;
        this.delivered.push({ host: this.name, tls, text: message.join('\n') });
        message = undefined;
        socket.write('250 2.0.0 accepted\r\n');
        return;
      }
      const [verb = '', argument] = line.split(/[ :]/);
      switch (verb.toUpperCase()) {
        case 'EHLO': {
          connection.client = argument;
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
          connection.client = argument;
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
          socket.write('500 5.5.1 unknown command\r\n');
      }
    };
    const onData = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      for (let end = received.indexOf('\r\n'); end !== -1; end = received.indexOf('\r\n')) {
        const line = received.slice(0, end);
        received = received.slice(end + 2);
        answerLine(line);
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
