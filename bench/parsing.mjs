// Measures how long a policy takes to be parsed: ours, by the whole grammar, against mailauth's.
import { createRequire } from 'node:module';
import { parsePolicy as parseByMailauth } from 'mailauth/lib/mta-sts.js';
import { Bench } from 'tinybench';
import { bundle, table } from './harness.mjs';

const policy = (hosts) => Buffer.from(['version: STSv1', 'mode: enforce', ...hosts.map((host) => `mx: ${host}`), 'max_age: 2592000', ''].join('\r\n'));

const POLICIES = {
  'canonical, 2 mx': policy(['mx1.example.com', 'mx2.example.com']),
  '30 mx': policy(Array.from({ length: 30 }, (_, number) => `mx${number}.mail.example.com`)),
};

/** Gives Markdown. */
export async function* parsing() {
  const { parsePolicy } = createRequire(import.meta.url)(await bundle('protocol', 'export * from \'./lib/protocol/policy\';'));
  const rows = [];
  for (const [name, bytes] of Object.entries(POLICIES)) {
    const bench = new Bench({ time: 1000 });
    bench.add('ours', () => parsePolicy(bytes)).add('mailauth', () => parseByMailauth(bytes));
    await bench.run();
    const [ours, mailauth] = bench.tasks.map(({ result }) => result.latency.p50 * 1e6);
    rows.push([name, ours.toFixed(0), mailauth.toFixed(0), (ours / mailauth).toFixed(2)]);
  }
  yield table(['policy', 'ours, ns', 'mailauth, ns', 'ours ÷ mailauth'], rows);
}
