// Domain names in the form of RFC 5321 §4.1.2: letters, digits and hyphens, in A-labels, without a dot at the end.
import { domainToASCII, domainToUnicode } from 'node:url';
import { isDigit, isDigits, isLetter } from '../util/ascii';
import { letterLookAlike, lookAlike } from './look-alikes';
import type { LookAlike } from './look-alikes';
import { safeText } from '../util/safe-text';

/** Maximum length of a name in characters, without the dot of the root (RFC 1035 §2.3.4). */
export const MAX_NAME_LENGTH = 253;

/** Maximum length of a label in characters (RFC 1035 §2.3.4). */
const MAX_LABEL_LENGTH = 63;

/**
 * Returns whether a text is a host name (RFC 5321 §4.1.2 `Domain`). It is the fast form of `hostNameProblem(text) === undefined`: every
 * name of a policy and of the MX records is checked here, and nearly all are good.
 *
 * @param from - index at which the name begins: 2 after a wildcard
 */
export function isHostName(text: string, from = 0): boolean {
  if (text.length - from > MAX_NAME_LENGTH) return false;
  let label = from;
  let digits = true;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isLetter(code) || code === HYPHEN) {
      digits = false;
    } else if (code === DOT) {
      if (!isLabel(text, label, at)) return false;
      label = at + 1;
      digits = true;
    } else if (!isDigit(code)) {
      return false;
    }
  }
  return !digits && isLabel(text, label, text.length);
}

const HYPHEN = 0x2d;
const DOT = 0x2e;

/** Returns whether a part of a text, which consists of letters, digits and hyphens, is a label. */
function isLabel(text: string, start: number, end: number): boolean {
  return end > start && end - start <= MAX_LABEL_LENGTH && text.charCodeAt(start) !== HYPHEN && text.charCodeAt(end - 1) !== HYPHEN;
}

/**
 * Returns the problem of a host name (RFC 5321 §4.1.2 `Domain`) as a phrase to put after the name, for example `ends with a dot; write
 * ...`. Returns undefined for a good name.
 *
 * A dot at the end, an underscore and an IP address are problems. A single label is not.
 */
export function hostNameProblem(name: string): string | undefined {
  return isHostName(name) ? undefined : domainProblem(name) ?? topLevelProblem(name);
}

/**
 * Returns the problem of a `Domain` by the grammar alone (RFC 5321 §4.1.2). Returns undefined for a good name.
 *
 * The grammar allows a last label of digits, which no host name has. An IPv4 address is still a problem: a name is expected.
 */
export function domainProblem(name: string): string | undefined {
  if (isHostName(name)) return undefined;
  if (name === '') return 'is empty; a host name is expected';
  const character = characterProblem(name);
  if (character !== undefined) return character;
  if (name.startsWith('.')) return 'begins with a dot';
  if (name.endsWith('.')) return trailingDotsProblem(name);
  if (name.length > MAX_NAME_LENGTH) return `has ${name.length} characters; a name has at most ${MAX_NAME_LENGTH}`;
  const problem = name.split('.').map(labelProblem).find((found) => found !== undefined);
  return problem ?? (isIPv4(name) ? 'is an IPv4 address; a host name is expected' : undefined);
}

/** Returns the problem of a text that ends in one dot or more, and the fix. */
export function trailingDotsProblem(text: string): string {
  const bare = withoutDots(text);
  const dots = text.length - bare.length;
  return `ends with ${dots === 1 ? 'a dot' : `${dots} dots`}; write \`${safeText(bare)}\``;
}

/** Removes the dots at the end of a name. */
export function withoutDots(name: string): string {
  let end = name.length;
  while (name.charAt(end - 1) === '.') end -= 1;
  return name.slice(0, end);
}

/** Returns whether a text is an IPv4 address: four numbers of up to three digits, each at most 255. */
export function isIPv4(text: string): boolean {
  return /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(text) && text.split('.').every((number) => Number(number) <= 255);
}

/**
 * Converts a name to A-labels and lower case: `Møx.Example` becomes `xn--mx-lka.example`.
 *
 * An ASCII name is only converted to lower case. A name with an invisible character, or with one that looks like an ASCII character, is not
 * converted: the result would be a different name that nobody owns. Never throws.
 *
 * @returns the name, or '' if it cannot be converted
 */
export function toALabels(name: string): string {
  // Punycode takes quadratic time, and a longer name is invalid anyway.
  if (name.length > MAX_NAME_LENGTH) return '';
  if (isAscii(name)) return name.toLowerCase();
  if (misleadingCharacter(name) !== undefined) return '';
  const ascii = domainToASCII(name);
  // The conversion is that of URLs: it would cut `name/path`, drop soft hyphens and read `0x7f。1` as an address.
  return unexpectedAscii(name) || hostNameProblem(ascii) !== undefined ? '' : ascii;
}

/** Returns the name and its parents, up to the top-level domain. */
export function parentNames(name: string): readonly string[] {
  const labels = name.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

function labelProblem(label: string): string | undefined {
  if (label === '') return 'has an empty label (two dots in a row)';
  if (label.length > MAX_LABEL_LENGTH) return `has a label of ${label.length} characters; a label has at most ${MAX_LABEL_LENGTH}`;
  if (label.startsWith('-')) return `has a label that begins with a hyphen (\`${label}\`)`;
  if (label.endsWith('-')) return `has a label that ends with a hyphen (\`${label}\`)`;
  return undefined;
}

/** Returns the problem of a top-level label of digits (RFC 1123 §2.1): such a name looks like an address. Checks nothing else. */
export function topLevelProblem(name: string): string | undefined {
  if (!isDigit(name.charCodeAt(name.length - 1))) return undefined;
  const last = name.slice(name.lastIndexOf('.') + 1);
  return isDigits(last) ? `ends in the label \`${last}\`; a top-level domain is never all digits` : undefined;
}

/**
 * Returns the first label that has hyphens in its third and fourth place and is no A-label: `mx--1`, or `xn--` with invalid Punycode
 * (RFC 5890 §2.3.1).
 */
export function reservedLabel(name: string): string | undefined {
  // Fast path for nearly all names.
  if (!name.includes('--')) return undefined;
  return name.split('.').find((label) => label.startsWith('--', 2) && !isALabel(label));
}

function isALabel(label: string): boolean {
  const unicode = label.startsWith('xn--') ? domainToUnicode(label) : '';
  return unicode !== '' && unicode !== label && domainToASCII(unicode) === label;
}

/** Returns the problem of the first character that no host name may contain. */
function characterProblem(name: string): string | undefined {
  const misleading = misleadingCharacter(name);
  if (misleading !== undefined) return `contains ${misleading.name}; ${/^[A-Za-z0-9.*-]$/.test(misleading.ascii) ? misleading.advice : 'remove it'}`;
  for (const character of name) {
    if (character > '\x7f') {
      const ascii = toALabels(withoutDots(name));
      return ascii === '' ? `contains \`${safeText(character)}\`, which is not ASCII` : `is not in A-labels; write \`${ascii}\``;
    }
    if (character === '_') return 'contains an underscore, which no host name may contain';
    if (!isNameCharacter(character)) return `contains \`${safeText(character)}\`; only letters, digits, hyphens and dots are allowed`;
  }
  return undefined;
}

/**
 * Returns the first character that is probably a mistake. A letter of another script is one only in a label with Latin letters (RFC
 * 5890 §4.2).
 */
function misleadingCharacter(name: string): LookAlike | undefined {
  if (isAscii(name)) return undefined;
  for (const character of name) {
    const found = lookAlike(character);
    if (found !== undefined) return found;
  }
  return name.split('.').filter((label) => /[A-Za-z]/.test(label)).flatMap((label) => Array.from(label))
    .map(letterLookAlike).find((found) => found !== undefined);
}

function unexpectedAscii(name: string): boolean {
  for (const character of name) {
    if (character <= '\x7f' && !isNameCharacter(character)) return true;
  }
  return false;
}

function isNameCharacter(character: string): boolean {
  return /^[A-Za-z0-9.-]$/.test(character);
}

function isAscii(text: string): boolean {
  for (const character of text) {
    if (character > '\x7f') return false;
  }
  return true;
}
