// Measures the time of a synthesis: many domains on one host, against a plain stack of the same resources.
import { join } from 'node:path';
import { ROOT, inTurn, median, ratio, runClient, spread, table, work } from './harness.mjs';

const CLIENT = join(ROOT, 'bench', 'clients', 'synthesis.mjs');

/** Numbers of domains. A linear cost grows by a little less than ten from row to row. */
const DOMAINS = [1, 10, 100];

/** Since aws-cdk-lib 2.262 a validator of 2 to 4 seconds runs with the first synthesis of a process, the same for every stack. */
const ENVIRONMENT = { CDK_VALIDATION: 'false' };

/**
 * Yields Markdown.
 *
 * @param {number} rounds
 */
export async function* synthesis(rounds) {
  const rows = [];
  for (const count of DOMAINS) {
    const assembly = join(work, `synthesis-${count}`);
    /** @type {(...args: string[]) => () => Promise<import('./clients/synthesis.mjs').SynthesisResult>} */
    const run = (...args) => async () => JSON.parse(await runClient([CLIENT, ...args], ENVIRONMENT));
    const results = await inTurn(rounds, {
      ours: run('ours', assembly, String(count)),
      plain: run('plain', `${assembly}-plain`, assembly),
    });
    const { resources = NaN, bytes = NaN } = results('ours')[0] ?? {};
    const [seconds, floor] = [results('ours').map((one) => one.seconds), results('plain').map((one) => one.seconds)];
    rows.push([count, resources, bytes.toLocaleString('en'), spread(seconds, 2), spread(floor, 2), ratio(seconds, floor),
      (median(seconds) * 1000 / resources).toFixed(1)]);
  }
  yield table(['domains', 'resources', 'template, bytes', 'seconds', 'plain stack, seconds', 'ratio', 'ms for a resource'], rows);
}
