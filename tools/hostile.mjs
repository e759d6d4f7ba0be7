// Verifies domains whose servers are hostile, and asserts that memory and time are bounded.
//
// `node tools/hostile.mjs [domains] [concurrency]`; default: 800 and 48. The peers are drawn from a fixed seed, so each run meets the same
// ones. Each kind of server has a process of its own (hostile-peers.mjs). The run fails if resident memory exceeds 250 MB, if the
// verification of a host with 64 addresses exceeds its timeout by more than 10 %, if a kind of peer is never met, or if most domains stay
// undecided.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { DRIPPING, ROLES } from './hostile-peers.mjs';
import { load } from './load.mjs';

/**
 * @import { ChildProcess } from 'node:child_process'
 * @import { Ready } from './hostile-peers.mjs'
 *
 * @typedef {typeof import('../lib/verifier/verify.js') & typeof import('../lib/verifier/dns/resolver.js')
 *   & typeof import('../lib/verifier/https/policy-fetch.js') & typeof import('../lib/verifier/smtp/mx-probe.js')} Verifier
 * @typedef {Awaited<ReturnType<typeof measure>>} Measurement
 * @typedef {{ ports: ReadonlyMap<string, number>, ca: readonly string[] }} Peers
 */

const MAX_MEGABYTES = 250;
const MAX_OVERRUN = 1.1;
const ADDRESSES_TIMEOUT_MS = 4000;
/** The default of `verify`. The peers use the same processor, and a shorter timeout would cut off too many of them. */
const MANY_TIMEOUT_MS = 20_000;
/** Share of all domains. Those with silent servers stay undecided. */
const MIN_DECIDED = 0.5;
const COLUMNS = ['run', 'domains', 'at once', 'timeout, ms', 'longest, ms', 'median, ms', 'event loop late, 99 % / most, ms', 'peak RSS, MB', 's', 'verdicts'];

await main(Number(process.argv[2] ?? 800), Number(process.argv[3] ?? 48));

/**
 * @param {number} count
 * @param {number} concurrency
 */
async function main(count, concurrency) {
  // A process for each role: a flood of one must not keep the others from answering.
  const children = ROLES.map((role) => fork(fileURLToPath(new URL('hostile-peers.mjs', import.meta.url)), [role]));
  try {
    /** @type {Ready[]} */
    const ready = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0]));
    const peers = { ports: new Map(ready.map(({ role, port }) => [role, port])), ca: ready.flatMap(({ ca }) => ca) };
    /** @type {Verifier} */
    const verifier = await load(['verifier/verify', 'verifier/dns/resolver', 'verifier/https/policy-fetch', 'verifier/smtp/mx-probe'].map((file) => `lib/${file}`));
    const one = await measure(verifier, peers, { numbers: [DRIPPING], concurrency: 1, timeoutMs: ADDRESSES_TIMEOUT_MS });
    const before = await metPeers(children);
    const numbers = Array.from({ length: count }, (_, number) => number);
    const many = await measure(verifier, peers, { numbers, concurrency, timeoutMs: MANY_TIMEOUT_MS });
    const met = [...await metPeers(children)].map(([kind, number]) => ({ kind, number: number - (before.get(kind) ?? 0) }));
    console.log(`| ${COLUMNS.join(' | ')} |`);
    console.log('|---|--:|--:|--:|--:|--:|--:|--:|--:|---|');
    printRow('64 addresses, a byte at a time', 1, 1, one);
    printRow('random hostile peers', count, concurrency, many);
    console.log('\n| kind of peer | connections, or DNS questions |\n|---|--:|');
    for (const { kind, number } of met) console.log(`| ${kind} | ${number} |`);
    if (Math.max(one.megabytes, many.megabytes) > MAX_MEGABYTES) throw new Error(`more than ${MAX_MEGABYTES} MB of resident memory`);
    // The time of many at once depends on the processor, which the peers use too. The lateness of the event loop shows by how much.
    if (one.longestMs > ADDRESSES_TIMEOUT_MS * MAX_OVERRUN) throw new Error('a verification exceeded its timeout by more than 10 %');
    const missed = met.filter(({ number }) => number === 0);
    if (count >= 800 && missed.length > 0) throw new Error(`never met: ${missed.map(({ kind }) => kind).join(', ')}`);
    if ((many.verdicts.get('unknown') ?? 0) > count * (1 - MIN_DECIDED)) throw new Error('most domains were not decided');
  } finally {
    children.forEach((child) => child.kill());
  }
}

/**
 * @param {string} name
 * @param {number} domains
 * @param {number} concurrency
 * @param {Measurement} measurement
 */
function printRow(name, domains, concurrency, { megabytes, times, longestMs, timeoutMs, late, seconds, verdicts }) {
  const counts = [...verdicts].map(([verdict, number]) => `${verdict} ${number}`).sort().join(', ');
  const median = times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? NaN;
  console.log(`| ${name} | ${domains} | ${concurrency} | ${timeoutMs} | ${longestMs.toFixed(0)} | ${median.toFixed(0)} | ${late} | ${megabytes.toFixed(0)} | ${seconds.toFixed(1)} | ${counts} |`);
}

/**
 * Returns how often each kind of peer was met so far, in the order of their names.
 *
 * @param {readonly ChildProcess[]} children
 */
async function metPeers(children) {
  const answers = await Promise.all(children.map(async (child) => {
    const answer = once(child, 'message');
    child.send('met');
    /** @type {{ met: [kind: string, number: number][] }[]} */
    const [message] = await answer;
    return message?.met ?? [];
  }));
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const [kind, number] of answers.flat()) sums.set(kind, (sums.get(kind) ?? 0) + number);
  return new Map([...sums].sort(([one], [other]) => one.localeCompare(other)));
}

/**
 * Verifies domains, and measures time and memory.
 *
 * @param {Verifier} verifier
 * @param {Peers} peers
 * @param {{ numbers: readonly number[], concurrency: number, timeoutMs: number }} options - `numbers` are the domains
 */
async function measure({ verify, createResolver, createFetchPolicy, createMxProbe }, { ports, ca }, { numbers, concurrency, timeoutMs }) {
  const nameServerPort = ports.get('dns');
  const network = {
    resolver: createResolver({ servers: [`127.0.0.1:${nameServerPort}`] }),
    fetchPolicy: createFetchPolicy({ port: ports.get('web'), ca }),
    mxProbe: createMxProbe({ port: ports.get('mail'), ca }),
  };
  /** @type {Map<string, number>} */
  const verdicts = new Map();
  /** @type {number[]} */
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
  await Promise.all(Array.from({ length: concurrency }, async () => {
    for (let number = left.shift(); number !== undefined; number = left.shift()) {
      const start = performance.now();
      const { verdict } = await verify(`d${number}.example.test`, { timeoutMs, smtp: true, allowPrivate: true, nameServerPort }, network);
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
