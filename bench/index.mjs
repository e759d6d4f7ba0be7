// `npm run bench`: measures against peers and floors in the same run, and prints Markdown. `npm run bench -- lookups` measures one part.
import { availableParallelism, cpus } from 'node:os';
import { lookUps } from './lookups.mjs';
import { memory } from './memory.mjs';
import { parsing } from './parsing.mjs';
import { start } from './start.mjs';
import { synthesis } from './synthesis.mjs';

/** Number of measurements of each kind. Their median counts. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);

/** @type {Readonly<Record<string, { title: string, measure: () => AsyncIterable<string> }>>} */
const PARTS = {
  lookups: { title: 'Look-ups of 1,000 domains', measure: () => lookUps(ROUNDS) },
  parsing: { title: 'Parsing a policy', measure: parsing },
  start: { title: 'Start', measure: () => start(ROUNDS * 4) },
  synthesis: { title: 'Synthesis', measure: () => synthesis(ROUNDS) },
  memory: { title: 'Memory of `mta-sts verify --file`', measure: memory },
};

console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node.js ${process.version}, OpenSSL ${process.versions.openssl}, ${process.platform}`);
const wanted = process.argv.slice(2);
for (const [name, { title, measure }] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n## ${title}`);
  for await (const part of measure()) console.log(`\n${part}`);
}
