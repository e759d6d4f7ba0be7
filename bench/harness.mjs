// What the measurements share: processes pinned to cores, bundles as the command's, rounds in turn, medians, and Markdown.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The servers' core and the clients' are two, so that neither takes from the other. */
const CORES = { server: '0', client: '1' };

/** A folder for the run, gone with it. */
export const work = mkdtempSync(join(tmpdir(), 'mta-sts-bench-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/** Bundles a source, or a few words of TypeScript, as the command is bundled. */
export async function bundle(name, contents) {
  const outfile = join(work, `${name}.cjs`);
  await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' }, outfile,
    bundle: true, platform: 'node', format: 'cjs', target: 'node20.16', minify: true, logLevel: 'warning',
  });
  return outfile;
}

/** Starts a server process; `ask` gives it an order and takes its answer. */
export async function startServer(file, ...args) {
  const child = pinned('server', [join(ROOT, 'bench', file), ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${file} has ended; ports 53 and 443 of 127.7.0.0/24 must be free and allowed to us (Linux, as root)`);
  });
  // A server that is stopped when all is measured has ended as well.
  ended.catch(() => undefined);
  const answer = () => Promise.race([once(child, 'message').then(([message]) => message), ended]);
  return {
    ready: await answer(),
    ask: (order) => {
      const answered = answer();
      child.send(order);
      return answered;
    },
    stop: () => child.kill(),
  };
}

/** Runs a client process to its end and gives what it has written, unless that is not `wanted`. */
export function runClient(args, env = {}, wanted = true) {
  const child = pinned('client', args, { stdio: ['ignore', wanted ? 'pipe' : 'ignore', 'inherit'], env: { ...process.env, ...env } });
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

function pinned(role, args, options) {
  const alone = availableParallelism() < 2;
  return alone ? spawn(process.execPath, args, options) : spawn('taskset', ['-c', CORES[role], process.execPath, ...args], options);
}

/** Measures each in turn, so many rounds, after one round that does not count: `{ name: [result, ...] }`. */
export async function inTurn(rounds, measurements) {
  const results = new Map(Object.keys(measurements).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, measure] of Object.entries(measurements)) {
      const result = await measure();
      if (round > 0) results.get(name).push(result);
    }
  }
  return Object.fromEntries(results);
}

/** The median of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `310 (295–322)`: the median, the smallest and the largest. */
export function spread(numbers, digits = 0) {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return `${median(numbers).toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

/** The median of the ratios round by round: what slows a round down slows both. */
export function ratio(ours, theirs) {
  return median(ours.map((value, at) => value / theirs[at])).toFixed(2);
}

/** A table in Markdown. */
export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
