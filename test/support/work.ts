// Measures how the work of code grows with its input. It measures processor time of this process: wall-clock time would make the result
// depend on how busy the machine is.

/**
 * Returns whether the work for a whole input is far more than the work for four quarters of it, one after the other. For linear work, both
 * are about the same. For quadratic work, the whole takes four times as long. Both create about as much garbage and have the same
 * instrumentation, so neither changes the result.
 *
 * @param work - processes a whole input (1) or a quarter of an input (0.25)
 */
export function growsTooFast(work: (share: 1 | 0.25) => void): boolean {
  return Array.from({ length: ATTEMPTS }).every(() => {
    const whole = processorMs(() => {
      work(1);
    });
    // Too short to measure. Quadratic work takes seconds for an input of this size.
    if (whole < FLOOR_MS) return false;
    const quarters = processorMs(() => {
      for (let quarter = 0; quarter < 4; quarter += 1) work(0.25);
    });
    return whole > 2 * quarters;
  });
}

/** Compilation and garbage collection can slow down one attempt, but rarely all of them. */
const ATTEMPTS = 3;

const FLOOR_MS = 100;

function processorMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
