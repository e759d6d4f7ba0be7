// Process: the hostile servers of one role, for tools/hostile.mjs, which forks `hostile-peers.mjs dns`, `web` and `mail`.
import { createServer } from 'node:net';
import { TLSSocket, createSecureContext, createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { load } from './load.mjs';

/**
 * @import { Server, Socket } from 'node:net'
 * @import { SecureContext, TlsOptions } from 'node:tls'
 * @import { DnsAnswerer, DnsRecord } from '../lib/preview/dns-server/server.js'
 *
 * @typedef {NonNullable<TlsOptions['SNICallback']>} SniCallback
 * @typedef {(below: number) => number} Draw - returns the next number from 0 to `below` - 1
 *
 * @typedef {object} Ready - the first message of the process
 * @property {string} role
 * @property {number} port
 * @property {readonly string[]} ca - certificates to trust
 */

/** The kinds of servers. Each has a process of its own. */
export const ROLES = /** @type {const} */ (['dns', 'web', 'mail']);

/** The number of a domain with sixty-four addresses, each of which sends a body a byte at a time. It is larger than all others. */
export const DRIPPING = 65_000;

const POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: *.example.test\r\nmax_age: 604800\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';

/** Kinds of DNS answers, in the order of the draw. */
const DNS = ['silent', 'SERVFAIL', 'four hundred TXT records', 'noise as TXT', 'good'];

/** Kinds of certificates, in the order of the draw. */
const CERTIFICATES = ['of 4000 names', 'for others', 'self-signed'];

/** Behaviours before the handshake, in the order of the draw. */
const EARLY = ['noise', 'noise', 'noise', 'reset', 'reset', 'silent', 'silent'];

const drawNoise = random(1);
const NOISE = Buffer.from(Array.from({ length: 1 << 20 }, () => drawNoise(256)));
let noiseAt = 0;

/**
 * Ways to answer a request for the policy.
 *
 * @type {Readonly<Record<string, (socket: Socket) => void>>}
 */
const WEB = {
  good: respond(`${OK}Content-Length: ${POLICY.length}\r\n\r\n${POLICY}`),
  drip,
  endless: (socket) => {
    socket.write(`${OK}\r\n`);
    flood(socket, () => Buffer.alloc(16_384, 'a'));
  },
  headers: (socket) => {
    socket.write(OK);
    flood(socket, () => `X: ${'y'.repeat(1000)}\r\n`);
  },
  fields: (socket) => {
    socket.write(OK);
    flood(socket, () => 'X:\n'.repeat(100));
  },
  hints: (socket) => flood(socket, () => 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'),
  extensions: (socket) => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
    flood(socket, () => `1;${'x'.repeat(100)}\r\nv\r\n`);
  },
  bomb: respond(`${OK}Content-Encoding: gzip\r\n\r\n`, gzipSync(Buffer.alloc(20_000_000))),
  bombs: respond(`${OK}Content-Encoding: gzip, gzip\r\n\r\n`, gzipSync(gzipSync(Buffer.alloc(60_000_000)))),
  random: (socket) => flood(socket, () => noise(8192)),
  randomBody: (socket) => {
    socket.write(`${OK}\r\n`);
    flood(socket, () => noise(100));
  },
  folds: (socket) => {
    socket.write(`${OK}X: a\r\n`);
    flood(socket, () => ' b\r\n'.repeat(50));
  },
  lengths: respond(`${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n${POLICY}`),
  http2: respond(Buffer.from('000000040000000000', 'hex'), noise(1000)),
  page: respond('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html>', '<p>'.repeat(20_000)),
  silent: () => undefined,
  reset: (socket) => socket.destroy(),
};

/**
 * Ways to receive mail.
 *
 * @type {Readonly<Record<string, (socket: Socket, SNICallback: SniCallback) => void>>}
 */
const MAIL = {
  good: (socket, SNICallback) => offerStartTls(socket, () => {
    const secure = new TLSSocket(socket, { isServer: true, SNICallback });
    secure.on('error', () => undefined).resume();
  }),
  garbage: (socket) => offerStartTls(socket, () => flood(socket, () => noise(4096))),
  endless: (socket) => flood(socket, () => '220-and so on\r\n'),
  line: (socket) => flood(socket, () => '220 and so on '),
  drip: (socket) => flood(socket, () => '2'),
  random: (socket) => flood(socket, () => noise(4096)),
  silent: () => undefined,
  reset: (socket) => socket.resetAndDestroy(),
};

/**
 * How often this process was met as each kind of peer.
 *
 * @type {Map<string, number>}
 */
const MET = new Map();

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(process.argv[2] ?? '');

/**
 * Starts the servers of a role. Answers each message of the parent process with the kinds that were met.
 *
 * @param {string} role
 */
async function serve(role) {
  for (const kind of kindsOf(role)) MET.set(kind, 0);
  /** @type {typeof import('../lib/preview/tls/certificate-authority.js') & typeof import('../lib/preview/dns-server/server.js')} */
  const { createCertificateAuthority, createSelfSigned, startDnsServer } = await load(['lib/preview/dns-server/server', 'lib/preview/tls/certificate-authority']);
  // A name for each role: OpenSSL finds an authority by its name, and would take the authority of the other process.
  const authority = await createCertificateAuthority(`Hostile ${role}`);
  const SNICallback = sniCallback(async (name) => {
    const draw = random(numberOf(name));
    const kind = draw(8);
    meet(`certificate: ${CERTIFICATES[kind] ?? 'good'}`);
    const names = kind === 0 ? Array.from({ length: 4000 }, (_, at) => `n${at}.example.test`) : kind === 1 ? ['other.example', 'a, DNS:b'] : [name];
    const { keyPem: key, certificatePem: cert } = kind === 2 ? await createSelfSigned({ names }) : await authority.issue({ names });
    return createSecureContext({ key, cert });
  });
  const { port } = role === 'dns'
    ? await startDnsServer({ address: '127.0.0.1', answer })
    : await listen(role === 'web' ? webServer(SNICallback) : mailServer(SNICallback));
  process.send?.({ role, port, ca: role === 'dns' ? [] : [authority.certificatePem] });
  process.on('message', () => process.send?.({ met: [...MET] }));
  process.on('disconnect', () => process.exit());
}

/**
 * Returns a callback that creates the certificate of each name once.
 *
 * @param {(name: string) => Promise<SecureContext>} create
 * @returns {SniCallback}
 */
function sniCallback(create) {
  /** @type {Map<string, Promise<SecureContext>>} */
  const contexts = new Map();
  return (name, done) => {
    const context = contexts.get(name) ?? create(name);
    contexts.set(name, context);
    context.then((made) => done(null, made), done);
  };
}

/** @param {SniCallback} SNICallback */
function webServer(SNICallback) {
  const secure = createTlsServer({ SNICallback, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('error', () => undefined);
    const number = numberOf(socket.servername || 'd0');
    const draw = random(number + 7);
    socket.once('data', () => {
      const [kind, behave] = number === DRIPPING ? /** @type {const} */ (['drip', drip]) : choose(WEB, draw);
      meet(`web: ${kind}`);
      behave(socket);
    });
  });
  return createServer((socket) => {
    socket.on('error', () => undefined);
    const [, , third, fourth] = octets(socket);
    // Some servers do not start the handshake.
    const early = third === (DRIPPING & 255) ? undefined : EARLY[random(third * 256 + fourth + 5)(100)];
    if (early === undefined) {
      secure.emit('connection', socket);
      return;
    }
    meet(`web, in place of TLS: ${early}`);
    if (early === 'noise') flood(socket, () => noise(16_384));
    if (early === 'reset') socket.resetAndDestroy();
  });
}

/** @param {SniCallback} SNICallback */
function mailServer(SNICallback) {
  return createServer((socket) => {
    socket.on('error', () => undefined);
    const [, , high, low] = octets(socket);
    const [kind, behave] = choose(MAIL, random(high * 256 + low + 13));
    meet(`mail: ${kind}`);
    behave(socket, SNICallback);
  });
}

/**
 * Returns the four numbers of the local address.
 *
 * @param {Socket} socket
 */
function octets({ localAddress = '' }) {
  const [first = 0, second = 0, third = 0, fourth = 0] = localAddress.split('.').map(Number);
  return /** @type {const} */ ([first, second, third, fourth]);
}

/** @param {Server} server */
async function listen(server) {
  await new Promise((done) => server.listen(0, '0.0.0.0', 2048, () => done(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address;
}

/** @type {DnsAnswerer} */
function answer({ name, type }) {
  const number = numberOf(name);
  const draw = random(number + 3);
  const common = { name, ttl: 1 };
  /** @param {readonly DnsRecord[]} answers */
  const reply = (answers) => /** @type {const} */ ({ rcode: 'NOERROR', answers, authorities: [], authoritative: true });
  /** @param {readonly string[]} texts */
  const txt = (texts) => reply(texts.map((text) => ({ ...common, type: 'TXT', data: [text] })));
  const strange = number === DRIPPING ? 99 : draw(40);
  const kind = strange === 2 || strange === 3 ? (type === 'TXT' ? strange : 4) : Math.min(strange, 4);
  meet(`DNS: ${DNS[kind]}`);
  if (strange === 0) return 'drop';
  if (strange === 1) return { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false };
  if (strange === 2 && type === 'TXT') return txt(Array.from({ length: 400 }, (_, at) => `v=STSv1; id=${at};`));
  if (strange === 3 && type === 'TXT') return txt([noise(200).toString('latin1')]);
  if (type === 'TXT') return txt([name.startsWith('_mta-sts.') ? 'v=STSv1; id=1;' : 'v=TLSRPTv1; rua=mailto:a@example.test']);
  if (type === 'NS') return reply([{ ...common, type, data: 'ns.example.test' }]);
  if (type === 'MX') return reply(Array.from({ length: 1 + draw(20) }, (_, at) => ({ ...common, type, data: { preference: at, exchange: `mx${at}.d${number}.example.test` } })));
  if (type !== 'A') return reply([]);
  if (name.startsWith('ns.')) return reply([{ ...common, type, data: '127.0.0.1' }]);
  if (name.startsWith('mx')) return reply([{ ...common, type, data: `127.1.${number >> 8 & 255}.${number & 255}` }]);
  const addresses = number === DRIPPING ? 64 : [1, 2, 8, 64][draw(4)];
  return reply(Array.from({ length: addresses ?? 1 }, (_, at) => ({ ...common, type, data: `127.2.${number & 255}.${at + 1}` })));
}

/**
 * Returns the number of a domain, from any name below it.
 *
 * @param {string} name
 */
function numberOf(name) {
  return Number(/d(\d+)(?:\.|$)/.exec(name)?.[1] ?? 0);
}

/**
 * Creates a generator of numbers (mulberry32). The same seed always gives the same numbers.
 *
 * @param {number} seed
 * @returns {Draw}
 */
function random(seed) {
  let state = seed * 0x9e3779b9 >>> 0;
  return (below) => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) % below;
  };
}

/**
 * Returns an entry with its name.
 *
 * @template T
 * @param {Readonly<Record<string, T>>} entries
 * @param {Draw} draw
 * @returns {[name: string, value: T]}
 */
function choose(entries, draw) {
  const all = Object.entries(entries);
  const chosen = all[draw(all.length)];
  if (chosen === undefined) throw new Error('there is no entry to choose');
  return chosen;
}

/**
 * Returns the next bytes that look random. They are the same in each process.
 *
 * @param {number} length
 */
function noise(length) {
  noiseAt = noiseAt + length > NOISE.length ? 0 : noiseAt;
  noiseAt += length;
  return NOISE.subarray(noiseAt - length, noiseAt);
}

/**
 * Sends as much as the client takes.
 *
 * @param {Socket} socket
 * @param {() => string | Uint8Array} next
 */
function flood(socket, next) {
  const more = () => {
    while (!socket.destroyed && socket.write(next()));
  };
  socket.on('drain', more);
  more();
}

/** @param {Socket} socket */
function drip(socket) {
  socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
  // Each chunk has one byte and a TLS record of its own.
  flood(socket, () => Buffer.from('1\r\nv\r\n'));
}

/**
 * Creates a behaviour that sends a whole response.
 *
 * @param {readonly (string | Uint8Array)[]} parts
 * @returns {(socket: Socket) => void}
 */
function respond(...parts) {
  return (socket) => socket.end(Buffer.concat(parts.map((part) => typeof part === 'string' ? Buffer.from(part) : part)));
}

/**
 * Speaks SMTP up to STARTTLS.
 *
 * @param {Socket} socket
 * @param {() => void} startTls
 */
function offerStartTls(socket, startTls) {
  socket.write('220 x\r\n');
  const hear = (/** @type {Buffer} */ chunk) => {
    const line = chunk.toString('latin1');
    socket.write(line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : '220 go\r\n');
    if (!line.startsWith('STARTTLS')) return;
    socket.off('data', hear);
    startTls();
  };
  socket.on('data', hear);
}

/** @param {string} kind */
function meet(kind) {
  MET.set(kind, (MET.get(kind) ?? 0) + 1);
}

/** @param {string} role */
function kindsOf(role) {
  switch (role) {
    case 'dns': return DNS.map((kind) => `DNS: ${kind}`);
    case 'web': return [...Object.keys(WEB).map((kind) => `web: ${kind}`), ...EARLY.map((kind) => `web, in place of TLS: ${kind}`)];
    default: return Object.keys(MAIL).map((kind) => `mail: ${kind}`);
  }
}
