// One JSON document, written report by report: `{ "domains": [ ... ] }`.
import { json, reportShape } from '../json';
import type { Format } from '../reporter';

/** What `--format json` prints; each element of `domains` has the shape that `reportShape` tells. */
export function jsonFormat(): Format {
  let first = true;
  return {
    head: () => '{\n  "domains": [',
    report: (report) => {
      const text = `${first ? '' : ','}\n    ${json(reportShape(report)).replaceAll('\n', '\n    ')}`;
      first = false;
      return text;
    },
    tail: () => `${first ? '' : '\n  '}]\n}\n`,
  };
}
