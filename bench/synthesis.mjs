// Measures what a synthesis costs: many domains on one host, against a plain stack of the very same resources.
import { join } from 'node:path';
import { ROOT, inTurn, median, ratio, runClient, spread, table, work } from './harness.mjs';

const CLIENT = join(ROOT, 'bench', 'clients', 'synthesis.mjs');

/** How many domains: what is linear costs ten times as much from line to line, and a little less. */
const DOMAINS = [1, 10, 100];

/** Since aws-cdk-lib 2.262 a validator of 2 to 4 seconds runs with the first synthesis of a process, the same for every stack. */
const ENVIRONMENT = { CDK_VALIDATION: 'false' };

/** Gives Markdown. */
export async function* synthesis(rounds) {
  const rows = [];
  for (const count of DOMAINS) {
    const assembly = join(work, `synthesis-${count}`);
    const run = (...args) => async () => JSON.parse(await runClient([CLIENT, ...args], ENVIRONMENT));
    const { ours, plain } = await inTurn(rounds, {
      ours: run('ours', assembly, String(count)),
      plain: run('plain', `${assembly}-plain`, assembly),
    });
    const [[{ resources, bytes }], seconds, floor] = [ours, ours.map((one) => one.seconds), plain.map((one) => one.seconds)];
    rows.push([count, resources, bytes.toLocaleString('en'), spread(seconds, 2), spread(floor, 2), ratio(seconds, floor),
      (median(seconds) * 1000 / resources).toFixed(1)]);
  }
  yield table(['domains', 'resources', 'template, bytes', 'seconds', 'plain stack, seconds', 'ratio', 'ms for a resource'], rows);
}
