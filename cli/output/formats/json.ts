// Writes one JSON document, result by result: `{ "domains": [ ... ] }`.
import { json, resultShape } from '../json';
import type { Reporter } from '../reporter';

/** Writes `--format json`. Each element of `domains` has the shape of `resultShape`. */
export function jsonFormat(): Reporter {
  let isFirst = true;
  return {
    head: () => '{\n  "domains": [',
    body: (result) => {
      const text = `${isFirst ? '' : ','}\n    ${json(resultShape(result)).replaceAll('\n', '\n    ')}`;
      isFirst = false;
      return text;
    },
    tail: () => `${isFirst ? '' : '\n  '}]\n}\n`,
  };
}
