// Measures what a start costs: the command against an empty Node, and the Lambda function's bundle.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { ROOT, inTurn, ratio, runClient, spread, table } from './harness.mjs';

const BUNDLE = join(ROOT, 'lib', 'functions', 'deployment', 'bundle', 'index.js');

/** The AWS SDK comes with the Lambda runtime; here a stand-in for it takes no time, so that the bundle alone is measured. */
const LOAD = `
  const Module = require('node:module');
  const load = Module._load;
  Module._load = (name, ...more) => name.startsWith('@aws-sdk/') ? new Proxy({}, { get: () => class {} }) : load(name, ...more);
  const start = performance.now();
  require(${JSON.stringify(BUNDLE)});
  process.stdout.write(String(performance.now() - start));`;

/** Gives Markdown. */
export async function* start(rounds) {
  const wall = (...args) => async () => {
    const begin = performance.now();
    await runClient(args);
    return performance.now() - begin;
  };
  const { command, empty, load } = await inTurn(rounds, {
    command: wall(join(ROOT, 'bin', 'mta-sts.js'), '--version'),
    empty: wall('-e', '0'),
    load: async () => Number(await runClient(['-e', LOAD])),
  });
  const bytes = readFileSync(BUNDLE);
  yield table(['', 'value'], [
    ['`mta-sts --version`, ms', spread(command)],
    ['`node -e 0`, ms', spread(empty)],
    ['ratio', ratio(command, empty)],
    ['Lambda bundle, KiB (gzip)', `${(bytes.length / 1024).toFixed(0)} (${(gzipSync(bytes).length / 1024).toFixed(0)})`],
    ['Lambda bundle\'s load in a fresh process, ms', spread(load, 1)],
  ]);
}
