// Loaded before the command: writes what it has used once it ends.
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

process.on('exit', () => {
  globalThis.gc();
  const { maxRSS: maxRss } = process.resourceUsage();
  const { heapUsed } = process.memoryUsage();
  writeFileSync(process.env.MEMORY_RESULT, JSON.stringify({ maxRss, heapUsed, milliseconds: performance.now() }));
});
