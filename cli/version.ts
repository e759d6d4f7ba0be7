// The version of the command: put into the bundle, read from package.json when run from source.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `0.1.0` */
export function version(): string {
  return process.env.MTA_STS_VERSION ?? fromPackage();
}

function fromPackage(): string {
  const text = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}
