// Options that several commands share.
import { Option } from 'commander';
import { parseDuration } from './durations';
import { argument } from './arguments';
import { RESULT_FORMATS } from '../output/reporter';

export type TextOrJson = 'text' | 'json';

/** `--format text|json` */
export function formatOption(): Option {
  return new Option('--format <format>', 'how to print the result').choices(['text', 'json']).default('text');
}

/** `--format html`, of the commands that print reports */
export function resultFormatOption(): Option {
  return new Option('--format <format>', 'how to print the report; github makes annotations, and a job summary where GITHUB_STEP_SUMMARY is set')
    .choices(RESULT_FORMATS).default('text');
}

/** `--output report.html` */
export function outputOption(): Option {
  return new Option('--output <file>', 'write the report to this file, and only a short text to standard output');
}

/** `--timeout 20s` */
export function timeoutOption(): Option {
  return new Option('--timeout <duration>', 'longest time for one domain, such as 500ms, 20s or 1m')
    .default(20_000, '20s').argParser(argument(parseDuration));
}
