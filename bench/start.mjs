// Measures the time of a start: of the command, against an empty Node.js, and of the Lambda function's bundle.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { ROOT, inTurn, ratio, runClient, spread, table } from './harness.mjs';

const BUNDLE = join(ROOT, 'lib', 'functions', 'deployment', 'bundle', 'index.js');

/** Loads the bundle alone: an empty stand-in replaces the AWS SDK, which comes with the Lambda runtime. */
const LOAD = `
  const Module = require('node:module');
  const load = Module._load;
  Module._load = (name, ...more) => name.startsWith('@aws-sdk/') ? new Proxy({}, { get: () => class {} }) : load(name, ...more);
  const start = performance.now();
  require(${JSON.stringify(BUNDLE)});
  process.stdout.write(String(performance.now() - start));`;

/**
 * Yields Markdown.
 *
 * @param {number} rounds
 */
export async function* start(rounds) {
  /** @type {(...args: string[]) => () => Promise<number>} */
  const wallTime = (...args) => async () => {
    const begin = performance.now();
    await runClient(args);
    return performance.now() - begin;
  };
  const results = await inTurn(rounds, {
    command: wallTime(join(ROOT, 'bin', 'mta-sts.js'), '--version'),
    empty: wallTime('-e', '0'),
    load: async () => Number(await runClient(['-e', LOAD])),
  });
  const [command, empty] = [results('command'), results('empty')];
  const bytes = readFileSync(BUNDLE);
  yield table(['', 'value'], [
    ['`mta-sts --version`, ms', spread(command)],
    ['`node -e 0`, ms', spread(empty)],
    ['ratio', ratio(command, empty)],
    ['Lambda bundle, KiB (gzip)', `${(bytes.length / 1024).toFixed(0)} (${(gzipSync(bytes).length / 1024).toFixed(0)})`],
    ['Lambda bundle\'s load in a fresh process, ms', spread(results('load'), 1)],
  ]);
}
