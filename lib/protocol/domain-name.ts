// Domain names as RFC 5321 §4.1.2 writes them: letters, digits and hyphens, in A-labels, without a dot at the end.
import { domainToASCII, domainToUnicode } from 'node:url';
import { isDigit, isDigits, isLetter } from '../util/ascii';
import { letterLookAlike, lookAlike } from './look-alikes';
import type { LookAlike } from './look-alikes';
import { safeText } from '../util/safe-text';

/** RFC 1035 §2.3.4, without the root's dot. */
export const MAX_NAME_LENGTH = 253;
const MAX_LABEL = 63;

/**
 * Whether a text is a host name (RFC 5321 §4.1.2 `Domain`): what `hostNameFault` finds no fault with, in one pass. Every name that a
 * policy or an MX record has goes through here, and hardly any is at fault.
 *
 * @param from - where the name begins: 2 behind a wildcard
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

/** Of letters, digits and hyphens. */
function isLabel(text: string, start: number, end: number): boolean {
  return end > start && end - start <= MAX_LABEL && text.charCodeAt(start) !== HYPHEN && text.charCodeAt(end - 1) !== HYPHEN;
}

/**
 * Says what keeps a text from being a host name (RFC 5321 §4.1.2 `Domain`), or undefined when nothing does: a phrase to put
 * after the name, `ends with a dot; write ...` for example.
 *
 * A dot at the end, an underscore and an IP address are faults; a name of one label is none.
 */
export function hostNameProblem(name: string): string | undefined {
  return isHostName(name) ? undefined : domainProblem(name) ?? topLevelProblem(name);
}

/**
 * Says what keeps a text from being a `Domain` by the grammar alone (RFC 5321 §4.1.2), or undefined when nothing does.
 *
 * The grammar allows a last label of digits, which no host name has. An IPv4 address is a fault all the same: it is an address
 * where a name is expected.
 */
export function domainProblem(name: string): string | undefined {
  if (isHostName(name)) return undefined;
  if (name === '') return 'is empty; a host name is expected';
  const character = strangeCharacter(name);
  if (character !== undefined) return character;
  if (name.startsWith('.')) return 'begins with a dot';
  if (name.endsWith('.')) return trailingDotsProblem(name);
  if (name.length > MAX_NAME_LENGTH) return `has ${name.length} characters; a name has at most ${MAX_NAME_LENGTH}`;
  const fault = name.split('.').map(labelFault).find((found) => found !== undefined);
  return fault ?? (isIPv4(name) ? 'is an IPv4 address; a host name is expected' : undefined);
}

/** Says that a text ends in dots, how many, and what to write; it must end in one. */
export function trailingDotsProblem(text: string): string {
  const bare = withoutDots(text);
  const dots = text.length - bare.length;
  return `ends with ${dots === 1 ? 'a dot' : `${dots} dots`}; write \`${safeText(bare)}\``;
}

/** A name without any dot at its end. */
export function withoutDots(name: string): string {
  let end = name.length;
  while (name.charAt(end - 1) === '.') end -= 1;
  return name.slice(0, end);
}

/** Four numbers of up to three digits, none over 255. */
export function isIPv4(text: string): boolean {
  return /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(text) && text.split('.').every((number) => Number(number) <= 255);
}

/**
 * Writes a name in A-labels and lower case: `Møx.Example` becomes `xn--mx-lka.example`.
 *
 * A name that is ASCII already is only lower-cased. Never throws. A name with a character that cannot be seen, or that looks like an
 * ASCII one, is not converted: the conversion would make another name of it, which nobody has.
 *
 * @returns the name, or '' when it cannot be converted
 */
export function toALabels(name: string): string {
  // Punycode takes quadratic time, and no longer name could be right.
  if (name.length > MAX_NAME_LENGTH) return '';
  if (isAscii(name)) return name.toLowerCase();
  if (misleadingCharacter(name) !== undefined) return '';
  const ascii = domainToASCII(name);
  // The conversion is a URL's: it would cut `name/path`, drop soft hyphens to nothing and read `0x7f。1` as an address.
  return unexpectedAscii(name) || hostNameProblem(ascii) !== undefined ? '' : ascii;
}

/** The name and its parents, up to the top-level domain. */
export function parentNames(name: string): readonly string[] {
  const labels = name.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

function labelFault(label: string): string | undefined {
  if (label === '') return 'has an empty label (two dots in a row)';
  if (label.length > MAX_LABEL) return `has a label of ${label.length} characters; a label has at most ${MAX_LABEL}`;
  if (label.startsWith('-')) return `has a label that begins with a hyphen (\`${label}\`)`;
  if (label.endsWith('-')) return `has a label that ends with a hyphen (\`${label}\`)`;
  return undefined;
}

/** RFC 1123 §2.1: it is the highest label, never all digits, that tells a name from an address. What else is wrong is not asked. */
export function topLevelProblem(name: string): string | undefined {
  if (!isDigit(name.charCodeAt(name.length - 1))) return undefined;
  const last = name.slice(name.lastIndexOf('.') + 1);
  return isDigits(last) ? `ends in the label \`${last}\`; a top-level domain is never all digits` : undefined;
}

/** The first label with hyphens in its third and fourth place that is no A-label: `mx--1`, or `xn--` and nonsense (RFC 5890 §2.3.1). */
export function reservedLabel(name: string): string | undefined {
  // Nearly all names.
  if (!name.includes('--')) return undefined;
  return name.split('.').find((label) => label.startsWith('--', 2) && !isALabel(label));
}

function isALabel(label: string): boolean {
  const unicode = label.startsWith('xn--') ? domainToUnicode(label) : '';
  return unicode !== '' && unicode !== label && domainToASCII(unicode) === label;
}

/** The first character that no host name holds. */
function strangeCharacter(name: string): string | undefined {
  const misleading = misleadingCharacter(name);
  if (misleading !== undefined) return `holds ${misleading.name}; ${/^[A-Za-z0-9.*-]$/.test(misleading.ascii) ? misleading.advice : 'remove it'}`;
  for (const character of name) {
    if (character > '\x7f') {
      const ascii = toALabels(withoutDots(name));
      return ascii === '' ? `holds \`${safeText(character)}\`, which is not ASCII` : `is not in A-labels; write \`${ascii}\``;
    }
    if (character === '_') return 'holds an underscore, which no host name may';
    if (!isNameCharacter(character)) return `holds \`${safeText(character)}\`; only letters, digits, hyphens and dots are allowed`;
  }
  return undefined;
}

/** A character that was hardly meant in a name: a letter of another script is so only among Latin ones (RFC 5890 §4.2 warns of such). */
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
