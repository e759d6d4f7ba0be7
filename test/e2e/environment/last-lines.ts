// The end of a log, for an error: the file goes with the folder of the stage.
import { existsSync, readFileSync } from 'node:fs';

const LINES = 30;

/** In words that can follow a comma. */
export function lastLines(file: string): string {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '';
  return text === '' ? `and ${file} is empty` : `and the end of ${file} is:\n${text.split('\n').slice(-LINES).join('\n')}`;
}
