// One line on the terminal that says how far a long run is; it goes away again, and never gets into what is printed.
import type { Report } from '../../lib/verifier/report';
import type { Output } from './io';

/** To the first column, and the rest of the line away. */
const CLEAR = '\r\u001b[K';

/**
 * Hands the reports on, and tells of them in between.
 *
 * @param terminal - undefined where there is none: then nothing is told
 * @param total - how many there will be, where that is known
 */
export async function* withProgress(reports: AsyncIterable<Report>, terminal: Output | undefined, total?: number): AsyncGenerator<Report> {
  if (terminal === undefined) {
    yield* reports;
    return;
  }
  const counts = { pass: 0, fail: 0, unknown: 0 };
  const draw = (): void => {
    const done = counts.pass + counts.fail + counts.unknown;
    const of = total === undefined ? '' : ` of ${total}`;
    terminal.write(`${CLEAR}${done}${of} verified: ${counts.pass} pass, ${counts.fail} fail, ${counts.unknown} could not be decided`);
  };
  draw();
  try {
    for await (const report of reports) {
      counts[report.verdict] += 1;
      terminal.write(CLEAR);
      yield report;
      draw();
    }
  } finally {
    terminal.write(CLEAR);
  }
}
