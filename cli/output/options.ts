// Options of the commands that print verification results.
import { Option } from 'commander';
import { RESULT_FORMATS } from './formats';
import type { ResultFormat } from './formats';

/** Format and destination of the results. */
export interface PrintOptions {
  readonly format: ResultFormat;
  /**
   * The file for the document, or `-` for standard output. With a file, standard output has only headlines and totals.
   *
   * @default - standard output
   */
  readonly output?: string;
}

/** `--format html` */
export function resultFormatOption(): Option {
  return new Option('--format <format>', 'how to print the result; github makes annotations, and a job summary where GITHUB_STEP_SUMMARY is set')
    .choices(RESULT_FORMATS).default('text');
}

/** `--output result.html` */
export function outputOption(): Option {
  return new Option('--output <file>', 'write the result to this file, and only a short text to standard output');
}
