// Reads the end of a log for an error message, because the log file is deleted with the folder of the test environment.
import { existsSync, readFileSync } from 'node:fs';

const MAX_LINES = 30;

/** Returns the last 30 lines of a log as a clause that can follow a comma. */
export function lastLines(file: string): string {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '';
  return text === '' ? `and ${file} is empty` : `and the end of ${file} is:\n${text.split('\n').slice(-MAX_LINES).join('\n')}`;
}
