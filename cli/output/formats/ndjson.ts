// Writes one JSON object a line as soon as each result is available: for many domains, and for programs that read while it runs.
import { jsonLine, resultShape } from '../json';
import type { Reporter } from '../reporter';

/** Writes `--format ndjson`. Each line has the shape of `resultShape`. */
export function ndjsonFormat(): Reporter {
  return {
    head: () => '',
    body: (result) => `${jsonLine(resultShape(result))}\n`,
    tail: () => '',
  };
}
