// The version of the command. The build writes it into the bundle; from source, it is read from package.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the version, such as `0.1.0`. */
export function version(): string {
  return process.env.MTA_STS_VERSION ?? readPackageVersion();
}

function readPackageVersion(): string {
  const text = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}
