// Names of fields: one grammar for TXT records (RFC 8461 §3.1, RFC 8460 §3) and policy files (RFC 8461 §3.2).
import { isDigit, isLetter } from '../../util/ascii';
import { holds } from '../look-alikes';

const MAX_NAME = 32;

/** Whether a text is a field's name: what `fieldNameFault` finds no fault with, in one pass. */
export function isFieldName(text: string): boolean {
  const first = text.charCodeAt(0);
  if (text.length > MAX_NAME || !(isLetter(first) || isDigit(first))) return false;
  for (let at = 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isLetter(code) && !isDigit(code) && code !== UNDERSCORE && code !== HYPHEN && code !== DOT) return false;
  }
  return true;
}

const HYPHEN = 0x2d;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;

/** Says what keeps a text from being a field's name, or undefined: a phrase to put after the name. */
export function fieldNameProblem(name: string): string | undefined {
  if (isFieldName(name)) return undefined;
  if (name === '') return 'is empty';
  if (name.length > MAX_NAME) return `has ${name.length} characters; a name has at most ${MAX_NAME}`;
  if (/^[\x00-\x7f]/.test(name) && !/^[A-Za-z0-9]/.test(name)) return 'does not begin with a letter or digit';
  const strange = /[^A-Za-z0-9_.-]/u.exec(name)?.[0] ?? '';
  return holds(strange, '; only letters, digits, `_`, `-` and `.` are allowed');
}

/** The known name that a field was probably meant to have: it differs in case, or by hyphens, underscores and dots only. */
export function intendedName(name: string, known: readonly string[]): string | undefined {
  return known.find((one) => bare(one) === bare(name));
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[_.-]/g, '');
}
