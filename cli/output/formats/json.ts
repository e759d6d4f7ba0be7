// One JSON document, written report by report: `{ "domains": [ ... ] }`.
import { json, resultShape } from '../json';
import type { Reporter } from '../reporter';

/** What `--format json` prints; each element of `domains` has the shape that `reportShape` tells. */
export function jsonFormat(): Reporter {
  let first = true;
  return {
    head: () => '{\n  "domains": [',
    report: (result) => {
      const text = `${first ? '' : ','}\n    ${json(resultShape(result)).replaceAll('\n', '\n    ')}`;
      first = false;
      return text;
    },
    tail: () => `${first ? '' : '\n  '}]\n}\n`,
  };
}
