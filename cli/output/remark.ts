// What is said beside a result: one line on standard error, so that standard output holds the result alone.
import { safeText } from '../../lib/util/safe-text';
import type { Context } from '../context';

/** Longer than any of ours. */
const LONGEST = 1500;

/** Says something to the person. */
export function remark(text: string, { io }: Pick<Context, 'io'>): void {
  io.stderr.write(`mta-sts: ${safeText(text, LONGEST)}\n`);
}
