// Shared by the client processes: looks up all domains of a file, a number of them at once, and measures from the start of the process.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';

/**
 * @typedef {object} ClientResult - the output of a client process
 * @property {number} domains
 * @property {number} found - number of domains whose policy was found
 * @property {number} milliseconds - since the start of the process
 * @property {number} cpuMs - processor time of the process
 *
 * @typedef {{ name: string, type: string }[]} Step - questions of one moment; `{domain}` stands for the domain, type `policy` for a fetch
 *
 * @typedef {typeof import('../../lib/verifier/verify.js') & typeof import('../../lib/verifier/default-network.js')
 *   & typeof import('../../lib/protocol/policy/policy.js') & typeof import('../../lib/protocol/records/sts-record.js')} Verifier
 */

/** The arguments of a client process: the file of domains, the number of domains at once, and an argument of the client. */
const [file = '', concurrency, argument = ''] = process.argv.slice(2);

/** Path of a file that only some clients need. */
export const ARGUMENT = argument;

/**
 * Loads our bundle, whose path is the argument.
 *
 * @returns {Verifier}
 */
export function loadVerifier() {
  return createRequire(import.meta.url)(ARGUMENT);
}

/**
 * Looks up all domains, and writes the result.
 *
 * @param {(domain: string) => Promise<boolean>} lookUp - returns whether the policy of a domain was found
 */
export async function run(lookUp) {
  const domains = readFileSync(file, 'utf8').trim().split('\n');
  const left = domains.values();
  let found = 0;
  const work = async () => {
    for (const domain of left) if (await lookUp(domain)) found += 1;
  };
  await Promise.all(Array.from({ length: Number(concurrency) }, work));
  const { user, system } = process.cpuUsage();
  const result = { domains: domains.length, found, milliseconds: performance.now(), cpuMs: (user + system) / 1000 };
  // Do not wait for connections that a client keeps open.
  process.stdout.write(JSON.stringify(result), () => process.exit());
}
