// Measures look-ups of 1,000 domains: ours, mailauth's, and the floor, without latency and with some before every answer.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, bundle, inTurn, ratio, runClient, spread, table, work } from './harness.mjs';
import { startServers } from './servers.mjs';
import { domainName } from './world.mjs';

const DOMAINS = 1000;
const LATENCY_MS = 40;
const CONCURRENCIES = [16, 64];

/** So long that a step is not mistaken for two when the machine is busy. */
const RECORDED_LATENCY_MS = 500;

/** Gives Markdown, a piece as soon as it is measured. */
export async function* lookUps(rounds) {
  const servers = await startServers(DOMAINS);
  const verifier = await bundle('verifier', [
    'verifier/verify', 'verifier/default-network', 'protocol/policy/policy', 'protocol/records/sts-record',
  ].map((file) => `export * from './lib/${file}';`).join('\n'));
  const world = { ...servers, verifier };
  try {
    const plan = await questionsOfOne(world);
    yield `One domain costs ours ${plan.flat().length - 1} DNS questions and one fetch, ${plan.length} round trips deep.`;
    for (const [latency, more] of [[0, rounds], [LATENCY_MS, Math.ceil(rounds / 2)]]) {
      for (const concurrency of CONCURRENCIES) yield compare(world, { latency, concurrency, rounds: more });
    }
  } finally {
    servers.stop();
  }
}

/** Runs one client over some domains. */
async function run({ ca }, name, domains, concurrency, ...more) {
  const list = join(work, 'domains.txt');
  writeFileSync(list, domains.join('\n'));
  const args = [join(ROOT, 'bench', 'clients', `${name}.mjs`), list, String(concurrency), ...more];
  const result = JSON.parse(await runClient(args, { NODE_EXTRA_CA_CERTS: ca }));
  if (result.found !== result.domains) throw new Error(`${name} found ${result.found} policies of ${result.domains}`);
  return result;
}

/** What `verify()` asks for one domain of a provider that it has met before, in steps: the floor has to ask the same. */
async function questionsOfOne(world) {
  const [known, domain] = [domainName(0), domainName(20)];
  await world.ask({ latency: RECORDED_LATENCY_MS, log: true });
  await run(world, 'ours', [known, domain], 1, world.verifier);
  const logs = await world.ask({ latency: 0 });
  const entries = logs.flatMap(({ log }) => log).sort((a, b) => a.at - b.at);
  const second = entries.slice(entries.findIndex(({ name }) => name.endsWith(domain)));
  const steps = [];
  for (const [at, { at: time, name, type }] of second.entries()) {
    if (at === 0 || time - second[at - 1].at > RECORDED_LATENCY_MS / 2) steps.push([]);
    steps.at(-1).push({ name: name.replace(domain, '{domain}'), type });
  }
  writeFileSync(join(work, 'plan.json'), JSON.stringify(steps));
  return steps;
}

async function compare(world, { latency, concurrency, rounds }) {
  const domains = Array.from({ length: DOMAINS }, (_, number) => domainName(number));
  await world.ask({ latency });
  const serverCpu = async () => (await world.ask({})).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const measure = (name, ...more) => async () => {
    const before = await serverCpu();
    const { milliseconds, cpuMs } = await run(world, name, domains, concurrency, ...more);
    return { rate: DOMAINS / milliseconds * 1000, cpu: cpuMs / DOMAINS, servers: (await serverCpu() - before) / milliseconds * 100 };
  };
  const results = await inTurn(rounds, {
    ours: measure('ours', world.verifier),
    sender: measure('sender', world.verifier),
    mailauth: measure('mailauth'),
    floor: measure('floor', join(work, 'plan.json')),
  });
  const of = (name, what) => results[name].map((result) => result[what]);
  const rows = Object.keys(results).map((name) => [
    name, spread(of(name, 'rate')), spread(of(name, 'cpu'), 2), ratio(of(name, 'rate'), of('mailauth', 'rate')), ratio(of(name, 'cpu'), of('mailauth', 'cpu')),
    ratio(of(name, 'rate'), of('floor', 'rate')), `${spread(of(name, 'servers'))} %`,
  ]);
  const head = ['', 'domains/s', 'CPU ms/domain', 'rate ÷ mailauth', 'CPU ÷ mailauth', 'rate ÷ floor', 'servers\' core busy'];
  return `${latency === 0 ? 'No latency' : `${latency} ms before every answer`}, concurrency ${concurrency}:\n\n${table(head, rows)}`;
}
