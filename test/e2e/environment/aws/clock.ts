// The clock of the Lambda functions, which can be wrong.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param seconds - by how much it goes before the right time */
export function setClockSkew(folder: string, seconds: number): void {
  writeFileSync(join(folder, 'clock'), String(seconds));
}

/**
 * Makes what Node.js must load before the function.
 *
 * @returns the file
 */
export function writeClockScript(folder: string): string {
  setClockSkew(folder, 0);
  const file = join(folder, 'clock.cjs');
  writeFileSync(file, `'use strict';
const { readFileSync } = require('node:fs');
const Right = Date;
const offset = () => Number(readFileSync(${JSON.stringify(join(folder, 'clock'))}, 'utf8')) * 1000;
globalThis.Date = class Date extends Right {
  constructor(...args) {
    if (args.length === 0) super(Right.now() + offset());
    else super(...args);
  }
  static now() {
    return Right.now() + offset();
  }
};
`);
  return file;
}
