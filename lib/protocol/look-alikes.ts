// Characters that are invisible or look like an ASCII character: their code point and name, and what to write instead.
import { safeText } from '../util/safe-text';

/** A character that was probably typed or pasted by mistake. */
export interface LookAlike {
  /** Code point and name: `U+2011 (non-breaking hyphen)`. */
  readonly name: string;
  /** Fix, as a phrase: `write a hyphen`, `remove it`. */
  readonly advice: string;
  /** ASCII character that it looks like. Empty for an invisible character. */
  readonly ascii: string;
}

/** Unicode names of characters that word processors, web pages and keyboards put into names. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['\u00a0', 'no-break space'], ['\u00ad', 'soft hyphen'], ['\u034f', 'combining grapheme joiner'], ['\u037e', 'Greek question mark'],
  ['\u061c', 'Arabic letter mark'], ['\u1680', 'ogham space mark'], ['\u180e', 'Mongolian vowel separator'], ['\u2007', 'figure space'], ['\u2009', 'thin space'], ['\u200a', 'hair space'],
  ['\u200b', 'zero-width space'], ['\u200c', 'zero-width non-joiner'], ['\u200d', 'zero-width joiner'], ['\u200e', 'left-to-right mark'],
  ['\u200f', 'right-to-left mark'], ['\u2010', 'hyphen of Unicode'], ['\u2011', 'non-breaking hyphen'], ['\u2012', 'figure dash'],
  ['\u2013', 'en dash'], ['\u2014', 'em dash'], ['\u2015', 'horizontal bar'], ['\u2018', 'left single quotation mark'],
  ['\u2019', 'right single quotation mark'], ['\u201c', 'left double quotation mark'], ['\u201d', 'right double quotation mark'],
  ['\u2024', 'one dot leader'], ['\u2028', 'line separator'], ['\u2029', 'paragraph separator'], ['\u202f', 'narrow no-break space'],
  ['\u202a', 'left-to-right embedding'], ['\u202b', 'right-to-left embedding'],
  ['\u202c', 'pop directional formatting'], ['\u202d', 'left-to-right override'], ['\u202e', 'right-to-left override'],
  ['\u2066', 'left-to-right isolate'], ['\u2067', 'right-to-left isolate'], ['\u2068', 'first strong isolate'],
  ['\u2069', 'pop directional isolate'], ['\u205f', 'medium mathematical space'], ['\u2060', 'word joiner'], ['\u2212', 'minus sign'], ['\u2800', 'braille blank'],
  ['\u3000', 'ideographic space'], ['\u3002', 'ideographic full stop'], ['\u3164', 'Hangul filler'], ['\ufe63', 'small hyphen-minus'],
  ['\ufeff', 'byte order mark'], ['\uff0d', 'fullwidth hyphen-minus'], ['\uff0e', 'fullwidth full stop'],
  ['\uff61', 'halfwidth ideographic full stop'],
]);

/** ASCII marks, each with the characters that look like it and have no compatibility mapping to it. */
const MARKS: readonly (readonly [ascii: string, likenesses: string])[] = [
  ['-', '\u02d7\u058a\u05be\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\u2500\u2e3a\u2e3b\u301c\ufe58'],
  ['.', '\u3002\uff61\u06d4\u2027'],
  ['"', '\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u2036\u3003'],
  ['\'', '\u2018\u2019\u201a\u201b\u2032\u2035\u02bc\u2039\u203a\u00b4'],
  ['/', '\u2044\u2215\u29f8'],
  [':', '\ua789\u2236\u02d0\u0589'],
  [';', '\u061b'],
  ['=', '\ua78a\u2550\u30a0'],
  [',', '\u060c\u3001\u201a'],
  ['*', '\u2217\u204e\u22c6\u066d'],
  ['_', '\u02cd'],
];

/** Letters of Cyrillic, Greek and Armenian that look like Latin letters (Unicode Technical Standard 39). */
const LETTERS: readonly (readonly [script: string, letters: string, latin: string])[] = [
  ['Cyrillic', 'аеорсухіјѕһԁԛԝӏкмптвгьАВЕКМНОРСТУХІЈЅЗ', 'aeopcyxijshdqwlkmntbrbABEKMHOPCTYXIJS3'],
  ['Greek', 'αορνικυτωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'aopvikutwABEZHIKMNOPTYX'],
  ['Armenian', 'օոսհց', 'onuhg'],
];

const LIKENESSES: ReadonlyMap<string, string> = new Map(
  MARKS.flatMap(([ascii, likenesses]) => Array.from(likenesses, (likeness) => [likeness, ascii] as const)),
);

const LETTER_LIKENESSES: ReadonlyMap<string, { readonly script: string; readonly ascii: string }> = new Map(
  LETTERS.flatMap(([script, letters, latin]) => {
    return Array.from(letters, (letter, at) => [letter, { script, ascii: latin.charAt(at) }] as const);
  }),
);

/** Name of each mark in an instruction. */
const WORDS: ReadonlyMap<string, string> = new Map([
  [' ', 'a plain space or none'], ['-', 'a hyphen'], ['.', 'a dot'], [':', 'a colon'], [';', 'a semicolon'], ['=', 'an equals sign'], [',', 'a comma'], ['_', 'an underscore'],
  ['/', 'a slash'], ['*', 'an asterisk'], ['@', 'an at sign'],
]);

/**
 * Returns the description of a character that is not ASCII and is invisible or looks like an ASCII character. For letters of other scripts
 * see `letterLookAlike`.
 */
export function lookAlike(character: string): LookAlike | undefined {
  if (character <= '\x9f') return undefined;
  if (isInvisible(character)) return { name: named(character, 'cannot be seen'), advice: 'remove it', ascii: '' };
  const ascii = LIKENESSES.get(character) ?? compatible(character);
  if (ascii === undefined) return undefined;
  return { name: named(character, `looks like ${ascii === ' ' ? 'a space' : quoted(ascii)}`), advice: `write ${WORDS.get(ascii) ?? quoted(ascii)}`, ascii };
}

/**
 * Returns the description of a letter of another script: `U+0430 (Cyrillic, looks like `a`)`. The letter is right in a name of that
 * script.
 */
export function letterLookAlike(character: string): LookAlike | undefined {
  const letter = LETTER_LIKENESSES.get(character);
  if (letter === undefined) return undefined;
  const { script, ascii } = letter;
  return { name: `${codePoint(character)} (${script}, looks like \`${ascii}\`)`, advice: `write \`${ascii}\``, ascii };
}

/** Returns the first character of a text that is invisible or looks like an ASCII character. */
export function firstLookAlike(text: string): LookAlike | undefined {
  // Fast path for nearly all text.
  if (/^[\x00-\x7f]*$/.test(text)) return undefined;
  for (const character of text) {
    const found = lookAlike(character) ?? letterLookAlike(character);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Returns a remark on the first such character of a text, `; it contains U+2011 (non-breaking hyphen), so write a hyphen`, or an empty
 * text.
 */
export function lookAlikeRemark(text: string): string {
  const found = firstLookAlike(text);
  return found === undefined ? '' : `; it contains ${found.name}, so ${found.advice}`;
}

/**
 * Returns the problem of a character in a text: `` contains `x` `` and its consequence. A look-alike is named by its code point, with
 * the fix.
 */
export function holds(character: string, consequence: string): string {
  const found = lookAlike(character) ?? letterLookAlike(character);
  return found === undefined ? `contains \`${safeText(character)}\`${consequence}` : `contains ${found.name}; ${found.advice}`;
}

/** Replaces each look-alike by the ASCII character that it looks like, and removes invisible characters. */
export function asciiLikeness(text: string): string {
  return Array.from(text, (character) => (lookAlike(character) ?? letterLookAlike(character))?.ascii ?? character).join('');
}

/** Formats a code point as `U+` and at least four hexadecimal digits. */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function named(character: string, look: string): string {
  return `${codePoint(character)} (${NAMES.get(character) ?? look})`;
}

function quoted(ascii: string): string {
  return WORDS.get(ascii) ?? (ascii === '`' ? 'a backtick' : `\`${ascii}\``);
}

/** Returns whether a character is invisible and no space. Lone surrogates are not: they stand for bytes that are no text. */
function isInvisible(character: string): boolean {
  return /^[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]$/u.test(character);
}

/** Returns the ASCII character that Unicode maps a character to: fullwidth forms, spaces, mathematical letters. */
function compatible(character: string): string | undefined {
  if (/^\p{Zs}$/u.test(character)) return ' ';
  const folded = character.normalize('NFKC');
  return /^[\x21-\x7e]$/.test(folded) ? folded : undefined;
}
