// One JSON object in a line for each report, each as soon as it is there: for many domains, and for programs that read along.
import { jsonLine, resultShape } from '../json';
import type { Reporter } from '../reporter';

/** What `--format ndjson` prints; each line has the shape that `reportShape` tells. */
export function ndjsonFormat(): Reporter {
  return {
    head: () => '',
    report: (result) => `${jsonLine(resultShape(result))}\n`,
    tail: () => '',
  };
}
