// Shared by the measurements: processes pinned to cores, bundles like the command's, rounds in turn, medians, and Markdown.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * @import { SpawnOptions } from 'node:child_process'
 * @import { Order, Report } from './server.mjs'
 */

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Servers and clients have a core each, so that neither slows the other down. */
const CORES = { server: '0', client: '1' };

/** A folder for temporary files, which is removed at the end. */
export const work = mkdtempSync(join(tmpdir(), 'mta-sts-bench-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/**
 * Bundles sources with the options of the command's bundle.
 *
 * @param {string} name
 * @param {readonly string[]} modules - paths in the repository, without extension
 * @returns the path of the bundle
 */
export async function bundle(name, modules) {
  const outfile = join(work, `${name}.cjs`);
  await build({
    stdin: { contents: modules.map((path) => `export * from './${path}';`).join('\n'), resolveDir: ROOT, loader: 'ts' }, outfile,
    bundle: true, platform: 'node', format: 'cjs', target: 'node20.16', minify: true, logLevel: 'warning',
  });
  return outfile;
}

/**
 * Starts a server process.
 *
 * @param {string} file - in this folder
 * @param {readonly string[]} args
 * @returns its first message; `ask`, which gives an order and returns the answer; and `stop`
 */
export async function startServer(file, ...args) {
  const child = spawnPinned('server', [join(ROOT, 'bench', file), ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${file} has ended; ports 53 and 443 of 127.7.0.0/24 must be free and allowed to us (Linux, as root)`);
  });
  // A server that is stopped at the end has ended too.
  ended.catch(() => undefined);
  const answer = () => Promise.race([once(child, 'message').then(([message]) => message), ended]);
  /** @type {{ ca?: string }} */
  const ready = await answer();
  return {
    ready,
    /** @type {(order: Order) => Promise<Report>} */
    ask: (order) => {
      const answered = answer();
      child.send(order);
      return answered;
    },
    stop: () => child.kill(),
  };
}

/**
 * Runs a client process to its end.
 *
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} [env] - more variables
 * @param {boolean} [wanted] - whether its output is wanted
 * @returns {Promise<string>} the output
 */
export function runClient(args, env = {}, wanted = true) {
  const child = spawnPinned('client', args, { stdio: ['ignore', wanted ? 'pipe' : 'ignore', 'inherit'], env: { ...process.env, ...env } });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${args.join(' ')} ended with status ${status}`));
    });
  });
}

/**
 * Starts Node.js on the core of its role, if the machine has two.
 *
 * @param {keyof typeof CORES} role
 * @param {readonly string[]} args
 * @param {SpawnOptions} options
 */
function spawnPinned(role, args, options) {
  if (availableParallelism() < 2) return spawn(process.execPath, args, options);
  return spawn('taskset', ['-c', CORES[role], process.execPath, ...args], options);
}

/**
 * Runs all measurements in turn, round by round, after one round that does not count.
 *
 * @template T
 * @param {number} rounds
 * @param {Readonly<Record<string, () => Promise<T>>>} measurements
 * @returns {Promise<(name: string) => readonly T[]>} the results of a measurement, one for each round
 */
export async function inTurn(rounds, measurements) {
  /** @type {Map<string, T[]>} */
  const results = new Map(Object.keys(measurements).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, measure] of Object.entries(measurements)) {
      const result = await measure();
      if (round > 0) results.get(name)?.push(result);
    }
  }
  return (name) => results.get(name) ?? [];
}

/**
 * Returns the median. It is NaN without numbers.
 *
 * @param {readonly number[]} numbers
 */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [lower = NaN, upper = lower] = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return (lower + upper) / 2;
}

/**
 * Returns the median, the smallest and the largest number: `310 (295–322)`.
 *
 * @param {readonly number[]} numbers
 * @param {number} [digits] - after the decimal point
 */
export function spread(numbers, digits = 0) {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return `${median(numbers).toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

/**
 * Returns the median of the ratios, round by round: a slow round is slow for both.
 *
 * @param {readonly number[]} ours
 * @param {readonly number[]} theirs - of the same rounds
 */
export function ratio(ours, theirs) {
  return median(ours.map((value, round) => value / (theirs[round] ?? NaN))).toFixed(2);
}

/**
 * Returns a table in Markdown.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | number)[])[]} rows
 */
export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
