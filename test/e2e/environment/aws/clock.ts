// Sets the clock skew of the Lambda functions.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param seconds - how far the clock is ahead of the machine's, 0 for no skew */
export function setClockSkew(folder: string, seconds: number): void {
  writeFileSync(join(folder, 'clock'), String(seconds));
}

/**
 * Writes a module that applies the skew. Node.js must load it before a function.
 *
 * @returns path of the module
 */
export function writeClockScript(folder: string): string {
  setClockSkew(folder, 0);
  const file = join(folder, 'clock.cjs');
  writeFileSync(file, `'use strict';
const { readFileSync } = require('node:fs');
const MachineDate = Date;
const skew = () => Number(readFileSync(${JSON.stringify(join(folder, 'clock'))}, 'utf8')) * 1000;
globalThis.Date = class Date extends MachineDate {
  constructor(...args) {
    if (args.length === 0) super(MachineDate.now() + skew());
    else super(...args);
  }
  static now() {
    return MachineDate.now() + skew();
  }
};
`);
  return file;
}
