// One JSON object in a line for each report, each as soon as it is there: for many domains, and for programs that read along.
import { jsonLine, reportShape } from '../json';
import type { Format } from '../reporter';

/** What `--format ndjson` prints; each line has the shape that `reportShape` tells. */
export function ndjsonFormat(): Format {
  return {
    head: () => '',
    report: (report) => `${jsonLine(reportShape(report))}\n`,
    tail: () => '',
  };
}
