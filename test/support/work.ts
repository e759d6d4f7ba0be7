// How the work of a piece of code grows with its input: in processor time of this process, never by the clock on the wall, for a
// machine that is busy, or stops for some seconds, would decide the test.

/**
 * Whether the work for a whole input is far more than for four quarters of it, one after the other. Linear work is about the same,
 * quadratic work four times as much. Both make about as much garbage and are instrumented alike, so that neither decides.
 *
 * @param work - does it for a whole input (1) or a quarter of one (0.25)
 */
export function growsTooFast(work: (share: 1 | 0.25) => void): boolean {
  return Array.from({ length: ATTEMPTS }).every(() => {
    const whole = processorMs(() => {
      work(1);
    });
    // Too little to tell one from the other; what is quadratic takes seconds of an input of this size.
    if (whole < FLOOR_MS) return false;
    const quarters = processorMs(() => {
      for (let quarter = 0; quarter < 4; quarter += 1) work(0.25);
    });
    return whole > 2 * quarters;
  });
}

/** Compiling and collecting garbage happen in between as they like, and not every time. */
const ATTEMPTS = 3;

const FLOOR_MS = 100;

function processorMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
