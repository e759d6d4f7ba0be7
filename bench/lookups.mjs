// Measures look-ups of 1,000 domains by our verifier, by mailauth and by the floor, without latency and with latency before every answer.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { domainName } from './domains.mjs';
import { ROOT, bundle, inTurn, ratio, runClient, spread, table, work } from './harness.mjs';
import { startServers } from './servers.mjs';

/**
 * @import { ClientResult, Step } from './clients/client.mjs'
 * @import { Servers } from './servers.mjs'
 *
 * @typedef {Servers & { verifier: string }} Setup - with the path of our bundle
 */

const DOMAINS = 1000;
const LATENCY_MS = 40;
const CONCURRENCIES = [16, 64];

/** So long that a busy machine does not split one step into two. */
const RECORDED_LATENCY_MS = 500;

/**
 * Yields Markdown, each part as soon as it is measured.
 *
 * @param {number} rounds
 */
export async function* lookUps(rounds) {
  const servers = await startServers(DOMAINS);
  const verifier = await bundle('verifier', [
    'verifier/verify', 'verifier/default-network', 'protocol/policy/policy', 'protocol/records/sts-record',
  ].map((file) => `lib/${file}`));
  const setup = { ...servers, verifier };
  try {
    const plan = await recordSteps(setup);
    yield `One domain costs ours ${plan.flat().length - 1} DNS questions and one fetch, ${plan.length} round trips deep.`;
    for (const options of [{ latency: 0, rounds }, { latency: LATENCY_MS, rounds: Math.ceil(rounds / 2) }]) {
      for (const concurrency of CONCURRENCIES) yield compare(setup, { ...options, concurrency });
    }
  } finally {
    servers.stop();
  }
}

/**
 * Runs one client over some domains.
 *
 * @param {Setup} setup
 * @param {string} name - of the client
 * @param {readonly string[]} domains
 * @param {number} concurrency
 * @param {readonly string[]} args - more arguments of the client
 * @returns {Promise<ClientResult>}
 * @throws Error if the client did not find every policy
 */
async function run({ ca }, name, domains, concurrency, ...args) {
  const list = join(work, 'domains.txt');
  writeFileSync(list, domains.join('\n'));
  /** @type {ClientResult} */
  const result = JSON.parse(await runClient([join(ROOT, 'bench', 'clients', `${name}.mjs`), list, String(concurrency), ...args], { NODE_EXTRA_CA_CERTS: ca }));
  if (result.found !== result.domains) throw new Error(`${name} found ${result.found} policies of ${result.domains}`);
  return result;
}

/**
 * Records the questions of `verify()` for a domain whose provider it has met before, step by step. The floor asks the same questions.
 *
 * @param {Setup} setup
 */
async function recordSteps(setup) {
  const [known, domain] = [domainName(0), domainName(20)];
  await setup.ask({ latency: RECORDED_LATENCY_MS, log: true });
  await run(setup, 'ours', [known, domain], 1, setup.verifier);
  const reports = await setup.ask({ latency: 0 });
  const entries = reports.flatMap(({ log }) => log).sort((a, b) => a.at - b.at);
  /** @type {Step[]} */
  const steps = [];
  let last = -Infinity;
  for (const { at, name, type } of entries.slice(entries.findIndex((entry) => entry.name.endsWith(domain)))) {
    if (at - last > RECORDED_LATENCY_MS / 2) steps.push([]);
    steps.at(-1)?.push({ name: name.replace(domain, '{domain}'), type });
    last = at;
  }
  writeFileSync(join(work, 'plan.json'), JSON.stringify(steps));
  return steps;
}

/**
 * Measures all clients, and returns their table.
 *
 * @param {Setup} setup
 * @param {{ latency: number, concurrency: number, rounds: number }} options
 */
async function compare(setup, { latency, concurrency, rounds }) {
  const domains = Array.from({ length: DOMAINS }, (_, number) => domainName(number));
  await setup.ask({ latency });
  const serverCpu = async () => (await setup.ask({})).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const measure = (/** @type {string} */ name, /** @type {string[]} */ ...args) => async () => {
    const before = await serverCpu();
    const { milliseconds, cpuMs } = await run(setup, name, domains, concurrency, ...args);
    return { rate: DOMAINS / milliseconds * 1000, cpu: cpuMs / DOMAINS, servers: (await serverCpu() - before) / milliseconds * 100 };
  };
  const clients = {
    ours: measure('ours', setup.verifier),
    sender: measure('sender', setup.verifier),
    mailauth: measure('mailauth'),
    floor: measure('floor', join(work, 'plan.json')),
  };
  const results = await inTurn(rounds, clients);
  /** @type {(name: string, value: 'rate' | 'cpu' | 'servers') => number[]} */
  const valuesOf = (name, value) => results(name).map((result) => result[value]);
  const rows = Object.keys(clients).map((name) => {
    const [rates, cpu] = [valuesOf(name, 'rate'), valuesOf(name, 'cpu')];
    return [
      name, spread(rates), spread(cpu, 2), ratio(rates, valuesOf('mailauth', 'rate')), ratio(cpu, valuesOf('mailauth', 'cpu')),
      ratio(rates, valuesOf('floor', 'rate')), `${spread(valuesOf(name, 'servers'))} %`,
    ];
  });
  const head = ['', 'domains/s', 'CPU ms/domain', 'rate ÷ mailauth', 'CPU ÷ mailauth', 'rate ÷ floor', 'servers\' core busy'];
  return `${latency === 0 ? 'No latency' : `${latency} ms before every answer`}, concurrency ${concurrency}:\n\n${table(head, rows)}`;
}
