// Lets the verifier loose on hostile peers, and shows that its memory and its time are bounded.
//
// `node tools/hostile.mjs [domains] [at once]`, 800 and 48 if not said otherwise. The peers are drawn from a fixed seed, so each run has
// the same ones; each kind of server has a process of its own. Fails where the resident memory passes 250 MB, where the verification of a
// host with 64 addresses overruns its time by more than 10 %, where a kind of peer was never met, or where most domains were not decided.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { TLSSocket, createSecureContext, createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const MOST_MEGABYTES = 250;
const OVERRUN = 1.1;
const ADDRESSES_TIMEOUT_MS = 4000;
/** The default of `verify`. The peers use the same processor, and what is cut off is not met. */
const MANY_TIMEOUT_MS = 20_000;
const COLUMNS = ['run', 'domains', 'at once', 'timeout, ms', 'longest, ms', 'median, ms', 'event loop late, 99 % / most, ms', 'peak RSS, MB', 's', 'verdicts'];
/** Of all domains: the silent ones stay undecided by right. */
const LEAST_DECIDED = 0.5;

/** The product's own modules, as JavaScript. */
async function modules() {
  const folder = mkdtempSync(join(tmpdir(), 'mta-sts-hostile-'));
  const outfile = join(folder, 'modules.cjs');
  const names = ['verifier/verify', 'verifier/dns/resolver', 'verifier/https/policy-fetch', 'verifier/smtp/mx-probe', 'preview/dns-server/server', 'preview/tls/certificate-authority'];
  await build({
    stdin: { contents: names.map((name) => `export * from './lib/${name}';`).join('\n'), resolveDir: root, loader: 'ts' },
    bundle: true, platform: 'node', format: 'cjs', outfile,
  });
  const loaded = createRequire(import.meta.url)(outfile);
  rmSync(folder, { recursive: true });
  return loaded;
}

async function main(count, atOnce) {
  // A flood of one kind must not keep the others from answering.
  const children = ROLES.map((role) => fork(fileURLToPath(import.meta.url), [role]));
  try {
    const said = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0]));
    const ports = { ...Object.fromEntries(said.map(({ role, port }) => [role, port])), ca: said.flatMap(({ ca }) => ca) };
    const api = await modules();
    const one = await measure(api, ports, { numbers: [DRIPPING], atOnce: 1, timeoutMs: ADDRESSES_TIMEOUT_MS });
    const before = await metBy(children);
    const numbers = Array.from({ length: count }, (_, number) => number);
    const many = await measure(api, ports, { numbers, atOnce, timeoutMs: MANY_TIMEOUT_MS });
    const met = (await metBy(children)).map(([kind, number]) => [kind, number - (before.find(([same]) => same === kind)?.[1] ?? 0)]);
    console.log(`| ${COLUMNS.join(' | ')} |`);
    console.log('|---|--:|--:|--:|--:|--:|--:|--:|--:|---|');
    row('64 addresses, a byte at a time', 1, 1, one);
    row('random hostile peers', count, atOnce, many);
    console.log('\n| kind of peer | connections, or questions of DNS |\n|---|--:|');
    for (const [kind, number] of met) console.log(`| ${kind} | ${number} |`);
    if (Math.max(one.megabytes, many.megabytes) > MOST_MEGABYTES) throw new Error(`more than ${MOST_MEGABYTES} MB of resident memory`);
    // Of many at once the processor decides, which the peers use as well: the lateness of the event loop shows by how much.
    if (one.longestMs > ADDRESSES_TIMEOUT_MS * OVERRUN) throw new Error('a verification overran its time by more than 10 %');
    const missed = met.filter(([, number]) => number === 0);
    if (count >= 800 && missed.length > 0) throw new Error(`never met: ${missed.map(([kind]) => kind).join(', ')}`);
    if ((many.verdicts.get('unknown') ?? 0) > count * (1 - LEAST_DECIDED)) throw new Error('most domains were not decided');
  } finally {
    children.forEach((child) => child.kill());
  }
}

function row(name, domains, atOnce, { megabytes, times, timeoutMs, late, seconds, verdicts }) {
  const told = [...verdicts].map(([verdict, number]) => `${verdict} ${number}`).sort().join(', ');
  const sorted = times.toSorted((one, other) => one - other);
  const [longest, median] = [sorted.at(-1), sorted[Math.floor(sorted.length / 2)]].map((ms) => ms.toFixed(0));
  console.log(`| ${name} | ${domains} | ${atOnce} | ${timeoutMs} | ${longest} | ${median} | ${late} | ${megabytes.toFixed(0)} | ${seconds.toFixed(1)} | ${told} |`);
}

/** How often each kind of peer was met so far, in the order of the names. */
async function metBy(children) {
  const answers = await Promise.all(children.map(async (child) => {
    const answer = once(child, 'message');
    child.send('met');
    return (await answer)[0].met;
  }));
  const sums = new Map();
  for (const [kind, number] of answers.flat()) sums.set(kind, (sums.get(kind) ?? 0) + number);
  return [...sums].sort(([one], [other]) => one.localeCompare(other));
}

async function measure(api, { dns, web, mail, ca }, { numbers, atOnce, timeoutMs }) {
  const { verify, createResolver, createFetchPolicy, createMxProbe } = api;
  const world = {
    resolver: createResolver({ servers: [`127.0.0.1:${dns}`] }),
    fetchPolicy: createFetchPolicy({ port: web, ca }),
    mxProbe: createMxProbe({ port: mail, ca }),
  };
  const verdicts = new Map();
  const times = [];
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  let megabytes = 0;
  const sample = () => {
    megabytes = Math.max(megabytes, process.memoryUsage.rss() / 1e6);
  };
  const timer = setInterval(sample, 20);
  const begin = performance.now();
  const left = [...numbers];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let number = left.shift(); number !== undefined; number = left.shift()) {
      const start = performance.now();
      const options = { timeoutMs, smtp: true, allowPrivate: true, nameServerPort: dns };
      const { verdict } = await verify(domainOf(number), options, world);
      times.push(performance.now() - start);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      sample();
    }
  }));
  clearInterval(timer);
  delay.disable();
  const late = [delay.percentile(99), delay.max].map((ns) => (ns / 1e6).toFixed(0)).join(' / ');
  return { megabytes, times, longestMs: Math.max(...times), timeoutMs, late, seconds: (performance.now() - begin) / 1000, verdicts };
}

function domainOf(number) {
  return `d${number}.example.test`;
}

/** A number beyond all others: sixty-four addresses, each of which sends a body a byte at a time. */
const DRIPPING = 65_000;

/** Always the same for a number: 32 bits (mulberry32). */
function random(number) {
  let state = number * 0x9e3779b9 >>> 0;
  return (below) => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) % below;
  };
}

/** Each has a process of its own. */
const ROLES = ['dns', 'web', 'mail'];

async function peers(role) {
  for (const kind of kindsOf(role)) MET.set(kind, 0);
  const { createCertificateAuthority, createSelfSigned, startDnsServer } = await modules();
  // A name of its own: OpenSSL finds an authority by its name, and would take the one of the other process.
  const authority = await createCertificateAuthority(`Hostile ${role}`);
  const contexts = new Map();
  const contextOf = async (name) => {
    const draw = random(numberOf(name));
    const kind = draw(8);
    meet(`certificate: ${['of 4000 names', 'for others', 'self-signed'][kind] ?? 'good'}`);
    const names = kind === 0 ? Array.from({ length: 4000 }, (_, at) => `n${at}.example.test`) : kind === 1 ? ['other.example', 'a, DNS:b'] : [name];
    const { keyPem: key, certificatePem: cert } = kind === 2 ? await createSelfSigned({ names }) : await authority.issue({ names });
    return createSecureContext({ key, cert });
  };
  const SNICallback = (name, done) => {
    if (!contexts.has(name)) contexts.set(name, contextOf(name));
    contexts.get(name).then((context) => done(null, context), done);
  };
  const tls = { SNICallback, ALPNProtocols: ['http/1.1'] };
  const web = createServer((socket) => {
    socket.on('error', () => undefined);
    // Some say something before, or in place of, the handshake.
    const [, , third, fourth] = socket.localAddress.split('.').map(Number);
    const early = third === (DRIPPING & 255) ? 99 : random(third * 256 + fourth + 5)(100);
    if (early < 7) return EARLY[early](socket);
    secure.emit('connection', socket);
  });
  const secure = createTlsServer(tls, (socket) => {
    socket.on('error', () => undefined);
    const number = numberOf(socket.servername || 'd0');
    const draw = random(number + 7);
    socket.once('data', () => {
      const kind = number === DRIPPING ? 'drip' : Object.keys(WEB)[draw(Object.keys(WEB).length)];
      meet(`web: ${kind}`);
      WEB[kind](socket);
    });
  });
  const mail = createServer((socket) => {
    socket.on('error', () => undefined);
    const [, , high, low] = socket.localAddress.split('.').map(Number);
    const draw = random(high * 256 + low + 13);
    const kind = Object.keys(MAIL)[draw(Object.keys(MAIL).length)];
    meet(`mail: ${kind}`);
    MAIL[kind](socket, SNICallback);
  });
  const port = role === 'dns' ? (await startDnsServer({ address: '127.0.0.1', answer })).port : await listen(role === 'web' ? web : mail);
  process.send({ role, port, ca: role === 'dns' ? [] : [authority.certificatePem] });
  process.on('message', () => process.send({ met: [...MET] }));
  process.on('disconnect', () => process.exit());
}

function numberOf(name) {
  return Number(/d(\d+)(?:\.|$)/.exec(name)?.[1] ?? 0);
}

async function listen(server) {
  await new Promise((done) => server.listen(0, '0.0.0.0', 2048, done));
  return server.address().port;
}

function answer({ name, type }) {
  const number = numberOf(name);
  const draw = random(number + 3);
  const records = (data) => ({ rcode: 'NOERROR', answers: data.map((one) => ({ name, type, ttl: 1, data: one })), authorities: [], authoritative: true });
  const strange = number === DRIPPING ? 99 : draw(40);
  const kind = strange === 2 || strange === 3 ? (type === 'TXT' ? strange : 4) : Math.min(strange, 4);
  meet(`DNS: ${['silent', 'SERVFAIL', 'four hundred TXT records', 'noise as TXT', 'good'][kind]}`);
  if (strange === 0) return 'drop';
  if (strange === 1) return { rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false };
  if (strange === 2 && type === 'TXT') return records(Array.from({ length: 400 }, (_, at) => [`v=STSv1; id=${at};`]));
  if (strange === 3 && type === 'TXT') return records([[noise(200).toString('latin1')]]);
  if (type === 'TXT' && name.startsWith('_mta-sts.')) return records([['v=STSv1; id=1;']]);
  if (type === 'TXT') return records([['v=TLSRPTv1; rua=mailto:a@example.test']]);
  if (type === 'NS') return records(['ns.example.test']);
  if (type === 'MX') return records(Array.from({ length: 1 + draw(20) }, (_, at) => ({ preference: at, exchange: `mx${at}.d${number}.example.test` })));
  if (type === 'A' && name.startsWith('ns.')) return records(['127.0.0.1']);
  if (type === 'A' && name.startsWith('mx')) return records([`127.1.${number >> 8 & 255}.${number & 255}`]);
  const many = number === DRIPPING ? 64 : [1, 2, 8, 64][draw(4)];
  if (type === 'A') return records(Array.from({ length: many }, (_, at) => `127.2.${number & 255}.${at + 1}`));
  return { rcode: 'NOERROR', answers: [], authorities: [], authoritative: true };
}

/** The next bytes that look random, always the same from the start of the process. */
function noise(length) {
  noiseAt = noiseAt + length > NOISE.length ? 0 : noiseAt;
  noiseAt += length;
  return NOISE.subarray(noiseAt - length, noiseAt);
}

const DRAW_NOISE = random(1);
const NOISE = Buffer.from(Array.from({ length: 1 << 20 }, () => DRAW_NOISE(256)));
let noiseAt = 0;

const POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: *.example.test\r\nmax_age: 604800\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';

/** As much as the client takes. */
function flood(socket, next) {
  const more = () => {
    while (!socket.destroyed && socket.write(next()));
  };
  socket.on('drain', more);
  more();
}

function whole(...parts) {
  return (socket) => socket.end(Buffer.concat(parts.map((part) => Buffer.from(part))));
}

/** Each is one way to say something in place of the handshake, by a draw. */
const EARLY = Array.from({ length: 7 }, (_, drawn) => (socket) => {
  const kind = drawn < 3 ? 'noise' : drawn < 5 ? 'reset' : 'silent';
  meet(`web, in place of TLS: ${kind}`);
  if (kind === 'noise') flood(socket, () => noise(16_384));
  if (kind === 'reset') socket.resetAndDestroy();
});

/** Each is one way to answer a request for the policy. */
const WEB = {
  good: whole(`${OK}Content-Length: ${POLICY.length}\r\n\r\n${POLICY}`),
  drip: (socket) => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
    // A chunk of one byte in a TLS record of its own.
    flood(socket, () => Buffer.from('1\r\nv\r\n'));
  },
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
  bomb: whole(`${OK}Content-Encoding: gzip\r\n\r\n`, gzipSync(Buffer.alloc(20_000_000))),
  bombs: whole(`${OK}Content-Encoding: gzip, gzip\r\n\r\n`, gzipSync(gzipSync(Buffer.alloc(60_000_000)))),
  random: (socket) => flood(socket, () => noise(8192)),
  randomBody: (socket) => {
    socket.write(`${OK}\r\n`);
    flood(socket, () => noise(100));
  },
  folds: (socket) => {
    socket.write(`${OK}X: a\r\n`);
    flood(socket, () => ' b\r\n'.repeat(50));
  },
  lengths: whole(`${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n${POLICY}`),
  http2: whole(Buffer.from('000000040000000000', 'hex'), noise(1000)),
  page: whole('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html>', '<p>'.repeat(20_000)),
  silent: () => undefined,
  reset: (socket) => socket.destroy(),
};

/** Each is one way to receive mail. */
const MAIL = {
  good: (socket, SNICallback) => talk(socket, (line) => line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : '220 go\r\n', () => {
    const secure = new TLSSocket(socket, { isServer: true, SNICallback });
    secure.on('error', () => undefined).resume();
  }),
  garbage: (socket) => talk(socket, (line) => line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS\r\n' : '220 go\r\n', () => flood(socket, () => noise(4096))),
  endless: (socket) => flood(socket, () => '220-and so on\r\n'),
  line: (socket) => flood(socket, () => '220 and so on '),
  drip: (socket) => flood(socket, () => '2'),
  random: (socket) => flood(socket, () => noise(4096)),
  silent: () => undefined,
  reset: (socket) => socket.resetAndDestroy(),
};

function talk(socket, answerTo, secure) {
  socket.write('220 x\r\n');
  const hear = (chunk) => {
    const line = chunk.toString('latin1');
    socket.write(answerTo(line));
    if (!line.startsWith('STARTTLS')) return;
    socket.off('data', hear);
    secure();
  };
  socket.on('data', hear);
}

/** How often this process was met as each kind of peer. */
const MET = new Map();

function meet(kind) {
  MET.set(kind, (MET.get(kind) ?? 0) + 1);
}

function kindsOf(role) {
  switch (role) {
    case 'dns': return ['silent', 'SERVFAIL', 'four hundred TXT records', 'noise as TXT', 'good'].map((kind) => `DNS: ${kind}`);
    case 'web': return [...Object.keys(WEB).map((kind) => `web: ${kind}`), ...['noise', 'reset', 'silent'].map((kind) => `web, in place of TLS: ${kind}`)];
    default: return Object.keys(MAIL).map((kind) => `mail: ${kind}`);
  }
}

if (ROLES.includes(process.argv[2])) await peers(process.argv[2]);
else await main(Number(process.argv[2] ?? 800), Number(process.argv[3] ?? 48));
