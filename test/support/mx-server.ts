// A mail exchanger on loopback. It speaks SMTP up to STARTTLS correctly, or misbehaves in exactly one way.
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { createCertificateAuthority, createSelfSigned } from '../../lib/preview/tls/certificate-authority';
import type { CertificateAuthority, IssuedCertificate } from '../../lib/preview/tls/certificate-authority';
import { nearEnd, testAuthority } from './policy-server';

/**
 * The ways in which the server can behave.
 *
 * - `no-starttls`: does not offer STARTTLS; `starttls-454`, `starttls-502`, `starttls-421`: offers it, and answers with this code
 * - `no-ehlo`: answers 502 to EHLO, as servers from before RFC 1869; `ehlo-550`, `ehlo-451`: answers EHLO with this code
 * - `wrong-name`: the certificate is for `other.example`; `untrusted`: its authority is unknown
 * - `expired`: the certificate ended on 2 January 2020; `not-yet-valid`: it begins on 1 January 2100; `near-expiry`: ten of 90 days left
 * - `expired-wrong-name`, `self-signed-expired`: both problems; `common-name`: only the subject contains the name
 * - `sni`: the right certificate for a client that sends SNI, otherwise a certificate for `other.example`
 * - `injected`: sends plain text after the reply to STARTTLS; `not-tls`: answers the handshake with other bytes
 * - `hang-up`, `reset`: closes at once; `hang-up-greeting`, `hang-up-ehlo`: closes in the middle of the reply
 * - `hang-up-tls`: closes when the handshake begins
 * - `greeting-554`, `greeting-421`: rejects every client; `pieces`: sends replies of several lines, one byte at a time
 * - `bare-lf`: lines end with LF; `crcrlf`: lines end with CR CR LF; `eager`: sends all replies at once
 * - `endless-lines`, `endless-line`: a greeting without end
 * - `silent`, `silent-ehlo`, `silent-tls`: stops replying; `late`: greets after 300 ms
 * - `http`: speaks HTTP; `not-smtp`: sends a greeting of another protocol; `control`: sends escape sequences and NUL
 */
export type MxBehaviour = (typeof MX_BEHAVIOURS)[number];

export const MX_BEHAVIOURS = [
  'ok', 'no-starttls', 'starttls-454', 'starttls-502', 'starttls-421', 'no-ehlo', 'ehlo-550', 'ehlo-451', 'wrong-name', 'untrusted',
  'self-signed', 'expired', 'not-yet-valid', 'near-expiry', 'expired-wrong-name', 'self-signed-expired', 'common-name', 'sni', 'tls-1.1',
  'injected', 'not-tls', 'hang-up', 'reset', 'hang-up-greeting', 'hang-up-ehlo', 'hang-up-tls', 'greeting-554', 'greeting-421', 'pieces',
  'bare-lf', 'crcrlf', 'eager', 'endless-lines', 'endless-line', 'silent', 'silent-ehlo', 'silent-tls', 'late', 'http', 'not-smtp',
  'control',
] as const;

export interface MxServerOptions {
  /** The names in the certificate. */
  readonly names: readonly string[];
  /** @default 'ok' */
  readonly behaviour?: MxBehaviour;
  /** @default '127.0.0.1' */
  readonly address?: string;
  /** @default - any free port */
  readonly port?: number;
  /** Options of the TLS server that replace the usual options. */
  readonly tls?: SecureContextOptions;
  /** Whether the server requires a client certificate. */
  readonly requestCert?: true;
}

/** The commands and the SNI that the server received on one connection. */
export interface SeenSession {
  /** The lines before TLS. */
  readonly commands: string[];
  /** The lines over TLS. */
  readonly secure: string[];
  /** The SNI of the handshake. */
  serverName?: string;
}

export interface MxServer {
  readonly address: string;
  readonly port: number;
  /** The authority that issued every certificate, except for `untrusted` and the self-signed certificates. */
  readonly ca: string;
  readonly sessions: readonly SeenSession[];
  /** Number of open connections. */
  readonly open: number;
  close(): Promise<void>;
}

export async function startMxServer(options: MxServerOptions): Promise<MxServer> {
  const { address = '127.0.0.1', behaviour = 'ok' } = options;
  const sessions: SeenSession[] = [];
  const sockets = new Set<Socket>();
  const context = await certificates(options);
  const server = createServer({ noDelay: true }, (socket) => {
    const session: SeenSession = { commands: [], secure: [] };
    sessions.push(session);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    new Conversation(socket, { behaviour, session, context, name: options.names.at(0) ?? '', requestCert: options.requestCert === true }).begin();
  });
  const port = await listen(server, address, options.port ?? 0);
  return {
    address,
    port,
    ca: (await testAuthority()).certificatePem,
    sessions,
    get open() { return sockets.size; },
    close: () => new Promise((done) => {
      sockets.forEach((socket) => socket.destroy());
      server.close(() => {
        done();
      });
    }),
  };
}

interface Certificates {
  readonly usual: SecureContext;
  /** For a client that sends SNI. */
  readonly named: SecureContext;
}

async function certificates({ behaviour = 'ok', names, tls }: MxServerOptions): Promise<Certificates> {
  if (tls !== undefined) return { usual: createSecureContext(tls), named: createSecureContext(tls) };
  const authority = await testAuthority();
  const issue = CERTIFICATES.get(behaviour);
  const usual = contextOf(await (issue === undefined ? authority.issue({ names }) : issue(authority, names)), behaviour);
  return { usual, named: behaviour === 'sni' ? contextOf(await authority.issue({ names }), behaviour) : usual };
}

function contextOf({ keyPem, certificatePem }: IssuedCertificate, behaviour: MxBehaviour): SecureContext {
  // OpenSSL 3 has TLS 1.1 only at security level 0.
  const versions = behaviour === 'tls-1.1' ? { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const : {};
  return createSecureContext({ key: keyPem, cert: certificatePem, ...versions });
}

type Issue = (authority: CertificateAuthority, names: readonly string[]) => Promise<IssuedCertificate>;

const OTHER = ['other.example', '*.other.example'];
const PAST = { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-01-02') };

const CERTIFICATES: ReadonlyMap<MxBehaviour, Issue> = new Map<MxBehaviour, Issue>([
  ['wrong-name', (authority) => authority.issue({ names: OTHER })],
  ['sni', (authority) => authority.issue({ names: OTHER })],
  ['untrusted', async (_, names) => (await createCertificateAuthority('Unknown authority')).issue({ names })],
  ['self-signed', (_, names) => createSelfSigned({ names })],
  ['self-signed-expired', (_, names) => createSelfSigned({ names, ...PAST })],
  ['expired', (authority, names) => authority.issue({ names, ...PAST })],
  ['expired-wrong-name', (authority) => authority.issue({ names: OTHER, ...PAST })],
  ['not-yet-valid', (authority, names) => authority.issue({ names, notBefore: new Date('2100-01-01'), notAfter: new Date('2100-02-01') })],
  ['near-expiry', (authority, names) => authority.issue({ names, ...nearEnd() })],
  ['common-name', (authority, names) => authority.issue({ names: [], commonName: names[0] })],
]);

interface ConversationOptions {
  readonly behaviour: MxBehaviour;
  readonly session: SeenSession;
  readonly context: Certificates;
  readonly requestCert: boolean;
  readonly name: string;
}

/** The SMTP conversation of one connection. */
class Conversation {
  private received = '';

  public constructor(private readonly socket: Socket, private readonly options: ConversationOptions) {}

  public begin(): void {
    this.socket.on('data', this.onData);
    const greet = GREETINGS.get(this.options.behaviour);
    if (greet === undefined) this.say(`220 ${this.options.name} ESMTP ready`);
    else greet(this.socket, (line) => {
      this.say(line);
    });
  }

  private readonly onData = (chunk: Buffer): void => {
    this.received += chunk.toString('latin1');
    for (let end = this.received.indexOf('\n'); end !== -1; end = this.received.indexOf('\n')) {
      const line = this.received.slice(0, end).replace(/\r$/, '');
      this.received = this.received.slice(end + 1);
      this.options.session.commands.push(line);
      this.handle(line);
    }
  };

  private handle(line: string): void {
    const { behaviour, name } = this.options;
    const command = line.split(' ', 1).join('').toUpperCase();
    const replacement = ANSWERS.get(behaviour)?.[command];
    if (replacement !== undefined) {
      replacement(this.socket, (text) => {
        this.say(text);
      });
    } else if (command === 'EHLO') {
      this.say(`250-${name}`, '250-PIPELINING', ...behaviour === 'no-starttls' ? [] : ['250-STARTTLS'], '250 SIZE 1000');
    } else if (command === 'STARTTLS') {
      this.say('220 go ahead');
      this.secure();
    } else if (command === 'QUIT') {
      this.say('221 bye');
      this.socket.end();
    } else {
      this.say(behaviour === 'http' ? 'HTTP/1.1 400 Bad Request' : '500 what is that');
    }
  }

  private secure(): void {
    const { session, context, requestCert } = this.options;
    this.socket.off('data', this.onData);
    const socket = new TLSSocket(this.socket, {
      isServer: true,
      requestCert,
      rejectUnauthorized: requestCert,
      secureContext: context.usual,
      SNICallback: (_, done) => {
        done(null, context.named);
      },
    });
    socket.on('secure', () => {
      const named = 'servername' in socket ? socket.servername : undefined;
      if (typeof named === 'string') session.serverName = named;
    });
    socket.on('data', (chunk: Buffer) => session.secure.push(...chunk.toString('latin1').split('\r\n').slice(0, -1)));
    socket.on('error', () => undefined);
  }

  private say(...lines: readonly string[]): void {
    const end = LINE_ENDS.get(this.options.behaviour) ?? '\r\n';
    const text = Buffer.from(lines.map((line) => `${line}${end}`).join(''), 'latin1');
    if (this.options.behaviour === 'pieces') drip(this.socket, text);
    else this.socket.write(text);
  }
}

const LINE_ENDS: ReadonlyMap<MxBehaviour, string> = new Map<MxBehaviour, string>([['bare-lf', '\n'], ['crcrlf', '\r\r\n']]);

type Say = (line: string) => void;
type Act = (socket: Socket, say: Say) => void;

const GREETINGS: ReadonlyMap<MxBehaviour, Act> = new Map<MxBehaviour, Act>([
  ['hang-up', (socket) => socket.end()],
  ['reset', (socket) => socket.resetAndDestroy()],
  ['hang-up-greeting', (socket) => socket.end('220-wait a')],
  ['greeting-554', (_, say) => {
    say('554-mx.example does not talk to 127.0.0.1');
    say('554 go away');
  }],
  ['greeting-421', (_, say) => {
    say('421 too many connections, try later');
  }],
  ['pieces', (_, say) => {
    say('220-welcome\r\n220-to this\r\n220 host');
  }],
  ['eager', (socket) => socket.write('220 mx.example\r\n250-mx.example\r\n250 STARTTLS\r\n')],
  ['endless-lines', (socket) => {
    flood(socket, '220-and so on\r\n');
  }],
  ['endless-line', (socket) => {
    flood(socket, '220 and so on ');
  }],
  ['silent', () => undefined],
  ['http', () => undefined],
  ['not-smtp', (socket) => socket.write('SSH-2.0-nothing to see here\r\n')],
  ['late', (socket, say) => {
    const timer = setTimeout(() => {
      say('220 good things take time');
    }, 300);
    socket.on('close', () => {
      clearTimeout(timer);
    });
  }],
  ['control', (_, say) => {
    say('554 \u001b[2J\u0000\u0007\u009bgone');
  }],
]);

const ANSWERS: ReadonlyMap<MxBehaviour, Readonly<Record<string, Act | undefined>>> = new Map<MxBehaviour, Record<string, Act>>([
  ['no-ehlo', { EHLO: reply('502 command not implemented') }],
  ['ehlo-550', { EHLO: reply('550 5.7.1 127.0.0.1 is on a list') }],
  ['ehlo-451', { EHLO: reply('451 try again later') }],
  ['hang-up-ehlo', { EHLO: (socket) => socket.end('250-mx.example\r\n250-STA') }],
  ['silent-ehlo', { EHLO: () => undefined }],
  ['eager', { EHLO: () => undefined }],
  ['starttls-454', { STARTTLS: reply('454 TLS not available due to temporary reason') }],
  ['starttls-502', { STARTTLS: reply('502 not today') }],
  ['starttls-421', { STARTTLS: reply('421 closing') }],
  ['injected', { STARTTLS: (socket) => socket.write('220 go ahead\r\n250 I was never encrypted\r\n') }],
  ['not-tls', { STARTTLS: (socket, say) => {
    say('220 go ahead');
    socket.removeAllListeners('data').on('data', () => socket.write('this is not TLS, whatever you may think\r\n'));
  } }],
  ['hang-up-tls', { STARTTLS: (socket, say) => {
    say('220 go ahead');
    socket.removeAllListeners('data').on('data', () => socket.end());
  } }],
  ['silent-tls', { STARTTLS: (socket, say) => {
    say('220 go ahead');
    socket.removeAllListeners('data').resume();
  } }],
]);

function reply(line: string): Act {
  return (_, say) => {
    say(line);
  };
}

/** Sends a text without end, as fast as the client reads. */
function flood(socket: Socket, text: string): void {
  const chunk = text.repeat(100);
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

/** Sends bytes one at a time. */
function drip(socket: Socket, bytes: Buffer, at = 0): void {
  if (at < bytes.length && !socket.destroyed) {
    socket.write(bytes.subarray(at, at + 1), () => {
      setImmediate(drip, socket, bytes, at + 1);
    });
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: true }, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}
