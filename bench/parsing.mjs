// Measures the time to parse a policy: our parser, with the whole grammar, and mailauth's.
import { createRequire } from 'node:module';
import { parsePolicy as parseByMailauth } from 'mailauth/lib/mta-sts.js';
import { Bench } from 'tinybench';
import { bundle, table } from './harness.mjs';

const POLICIES = new Map([
  ['canonical, 2 mx', policy(['mx1.example.com', 'mx2.example.com'])],
  ['30 mx', policy(Array.from({ length: 30 }, (_, number) => `mx${number}.mail.example.com`))],
]);

/** @param {readonly string[]} hosts */
function policy(hosts) {
  return Buffer.from(['version: STSv1', 'mode: enforce', ...hosts.map((host) => `mx: ${host}`), 'max_age: 2592000', ''].join('\r\n'));
}

/** Yields Markdown. */
export async function* parsing() {
  /** @type {typeof import('../lib/protocol/policy/policy.js')} */
  const { parsePolicy } = createRequire(import.meta.url)(await bundle('protocol', ['lib/protocol/policy/policy']));
  const rows = [];
  for (const [name, bytes] of POLICIES) {
    const bench = new Bench({ time: 1000 });
    bench.add('ours', () => parsePolicy(bytes)).add('mailauth', () => parseByMailauth(bytes));
    await bench.run();
    const [ours = NaN, mailauth = NaN] = bench.tasks.map(({ result }) => 'latency' in result ? result.latency.p50 * 1e6 : NaN);
    rows.push([name, ours.toFixed(0), mailauth.toFixed(0), (ours / mailauth).toFixed(2)]);
  }
  yield table(['policy', 'ours, ns', 'mailauth, ns', 'ours ÷ mailauth'], rows);
}
