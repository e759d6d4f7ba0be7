// Measures the memory of one process that verifies more and more domains. It must not grow with their number.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ADDRESSES, domainName } from './domains.mjs';
import { ROOT, runClient, table, work } from './harness.mjs';
import { startServers } from './servers.mjs';

/** Numbers of domains. A hundred thousand take a quarter of an hour; `BENCH_DOMAINS=1000,10000` is enough to see a slope. */
const COUNTS = (process.env.BENCH_DOMAINS ?? '1000,10000,100000').split(',').map(Number);

/** Yields Markdown. */
export async function* memory() {
  const servers = await startServers(0);
  try {
    const rows = [];
    for (const count of COUNTS) rows.push([count, ...await measure(servers.ca, count)]);
    yield table(['domains', 'peak RSS, MiB', 'heap after GC at the end, MiB', 's'], rows);
  } finally {
    servers.stop();
  }
}

/**
 * @param {string} ca - file of the certificate authority
 * @param {number} count - number of domains
 */
async function measure(ca, count) {
  const [list, result] = [join(work, 'domains.txt'), join(work, 'memory.json')];
  writeFileSync(list, Array.from({ length: count }, (_, number) => domainName(number)).join('\n'));
  const probe = ['--expose-gc', '--import', pathToFileURL(join(ROOT, 'bench', 'clients', 'memory-probe.mjs')).href];
  const command = [join(ROOT, 'bin', 'mta-sts.js'), 'verify', '--file', list, '--format', 'ndjson', '--concurrency', '64',
    '--resolver', ADDRESSES.recursive, '--no-smtp', '--allow-private'];
  await runClient([...probe, ...command], { NODE_EXTRA_CA_CERTS: ca, MEMORY_RESULT: result }, false);
  /** @type {{ maxRss: number, heapUsed: number, milliseconds: number }} */
  const { maxRss, heapUsed, milliseconds } = JSON.parse(readFileSync(result, 'utf8'));
  return [(maxRss / 1024).toFixed(0), (heapUsed / 2 ** 20).toFixed(1), (milliseconds / 1000).toFixed(0)];
}
