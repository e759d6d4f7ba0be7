// Options that several commands share.
import { Option } from 'commander';
import { parseDuration } from './durations';
import { argumentParser } from './arguments';

export type TextOrJson = 'text' | 'json';

/** `--format text|json` */
export function formatOption(): Option {
  return new Option('--format <format>', 'how to print the result').choices(['text', 'json']).default('text');
}

/** `--timeout 20s` */
export function timeoutOption(): Option {
  return new Option('--timeout <duration>', 'maximum time for one domain, such as 500ms, 20s or 1m')
    .default(20_000, '20s').argParser(argumentParser(parseDuration));
}
