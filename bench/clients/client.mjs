// What the client processes share: every domain of a file, so many at a time, and what that took from the start of the process on.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** @param lookUp - resolves to whether the domain's policy was found */
export async function run(lookUp) {
  const [file, concurrency] = process.argv.slice(2);
  const domains = readFileSync(file, 'utf8').trim().split('\n');
  let next = 0;
  let found = 0;
  const work = async () => {
    while (next < domains.length) {
      next += 1;
      if (await lookUp(domains[next - 1])) found += 1;
    }
  };
  await Promise.all(Array.from({ length: Number(concurrency) }, work));
  const { user, system } = process.cpuUsage();
  const result = { domains: domains.length, found, milliseconds: performance.now(), cpuMs: (user + system) / 1000 };
  // Nothing that is kept open for a next time is waited for.
  process.stdout.write(JSON.stringify(result), () => process.exit());
}
