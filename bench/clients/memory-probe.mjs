// Loaded before the command: writes its memory and time to the file MEMORY_RESULT when it ends.
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

process.on('exit', () => {
  globalThis.gc?.();
  const { maxRSS: maxRss } = process.resourceUsage();
  const { heapUsed } = process.memoryUsage();
  writeFileSync(process.env.MEMORY_RESULT ?? '', JSON.stringify({ maxRss, heapUsed, milliseconds: performance.now() }));
});
