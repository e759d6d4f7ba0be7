// Field names of TXT records (RFC 8461 §3.1, RFC 8460 §3) and policy files (RFC 8461 §3.2): one grammar for all.
import { isDigit, isLetter } from '../../util/ascii';
import { holds } from '../look-alikes';

/** Maximum length of a field name in characters. */
const MAX_NAME_LENGTH = 32;

/** Returns whether a text is a field name. It is the fast form of `fieldNameProblem(text) === undefined`. */
export function isFieldName(text: string): boolean {
  const first = text.charCodeAt(0);
  if (text.length > MAX_NAME_LENGTH || !(isLetter(first) || isDigit(first))) return false;
  for (let at = 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isLetter(code) && !isDigit(code) && code !== UNDERSCORE && code !== HYPHEN && code !== DOT) return false;
  }
  return true;
}

const HYPHEN = 0x2d;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;

/** Returns the problem of a field name as a phrase to put after the name. Returns undefined for a good name. */
export function fieldNameProblem(name: string): string | undefined {
  if (isFieldName(name)) return undefined;
  if (name === '') return 'is empty';
  if (name.length > MAX_NAME_LENGTH) return `has ${name.length} characters; a name has at most ${MAX_NAME_LENGTH}`;
  if (/^[\x00-\x7f]/.test(name) && !/^[A-Za-z0-9]/.test(name)) return 'does not begin with a letter or digit';
  const strange = /[^A-Za-z0-9_.-]/u.exec(name)?.at(0) ?? '';
  return holds(strange, '; only letters, digits, `_`, `-` and `.` are allowed');
}

/** Returns the known name that a field name probably means: one that differs only in case, hyphens, underscores or dots. */
export function intendedName(name: string, known: readonly string[]): string | undefined {
  return known.find((one) => lettersAndDigits(one) === lettersAndDigits(name));
}

function lettersAndDigits(name: string): string {
  return name.toLowerCase().replace(/[_.-]/g, '');
}
