// Characters that cannot be seen, or that look like an ASCII character: named by code point, with what to write in their place.
import { safeText } from '../util/safe-text';

/** A character that was hardly meant. */
export interface LookAlike {
  /** `U+2011 (non-breaking hyphen)` */
  readonly name: string;
  /** What to do about it, a phrase: `write a hyphen`, `remove it`. */
  readonly advice: string;
  /** The ASCII character that it looks like; empty for one that cannot be seen. */
  readonly ascii: string;
}

/** Unicode's names of those that word processors, web pages and keyboards put into names. */
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

/** What looks like an ASCII mark and has no such compatibility mapping: the mark, and its likenesses. */
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

/** Small and capital letters of Cyrillic and Greek that look like Latin ones (Unicode Technical Standard 39). */
const LETTERS: readonly (readonly [script: string, letters: string, latin: string])[] = [
  ['Cyrillic', 'аеорсухіјѕһԁԛԝӏкмптвгьАВЕКМНОРСТУХІЈЅЗ', 'aeopcyxijshdqwlkmntbrbABEKMHOPCTYXIJS3'],
  ['Greek', 'αορνικυτωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'aopvikutwABEZHIKMNOPTYX'],
  ['Armenian', 'օոսհց', 'onuhg'],
];

const LIKENESSES: ReadonlyMap<string, string> = new Map(
  MARKS.flatMap(([ascii, likenesses]) => Array.from(likenesses, (likeness) => [likeness, ascii] as const)),
);

const LETTER_LIKENESSES: ReadonlyMap<string, { readonly script: string; readonly ascii: string }> = new Map(
  LETTERS.flatMap(([script, letters, latin]) => Array.from(letters, (letter, at) => [letter, { script, ascii: latin[at] }] as const)),
);

/** What each mark is called in an instruction. */
const WORDS: ReadonlyMap<string, string> = new Map([
  [' ', 'a plain space or none'], ['-', 'a hyphen'], ['.', 'a dot'], [':', 'a colon'], [';', 'a semicolon'], ['=', 'an equals sign'], [',', 'a comma'], ['_', 'an underscore'],
  ['/', 'a slash'], ['*', 'an asterisk'], ['@', 'an at sign'],
]);

/**
 * Returns what a character looks like, where it is not ASCII and cannot be told from an ASCII character or cannot be seen at all.
 * Letters of other scripts are left out: `letterLookAlike` is for those.
 */
export function lookAlike(character: string): LookAlike | undefined {
  if (character <= '\x9f') return undefined;
  if (isInvisible(character)) return { name: named(character, 'cannot be seen'), advice: 'remove it', ascii: '' };
  const ascii = LIKENESSES.get(character) ?? compatible(character);
  if (ascii === undefined) return undefined;
  return { name: named(character, `looks like ${ascii === ' ' ? 'a space' : quoted(ascii)}`), advice: `write ${WORDS.get(ascii) ?? quoted(ascii)}`, ascii };
}

/** The same for a letter of another script: `U+0430 (Cyrillic, looks like `a`)`. It may well be meant, in a name of that script. */
export function letterLookAlike(character: string): LookAlike | undefined {
  const letter = LETTER_LIKENESSES.get(character);
  if (letter === undefined) return undefined;
  const { script, ascii } = letter;
  return { name: `${codePoint(character)} (${script}, looks like \`${ascii}\`)`, advice: `write \`${ascii}\``, ascii };
}

/** The first character of a text that is hardly meant there: one that cannot be seen, or that looks like an ASCII character. */
export function firstLookAlike(text: string): LookAlike | undefined {
  // Nearly all text.
  if (/^[\x00-\x7f]*$/.test(text)) return undefined;
  for (const character of text) {
    const found = lookAlike(character) ?? letterLookAlike(character);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What to put behind a text that holds such a character: `; it holds U+2011 (non-breaking hyphen), so write a hyphen`; else nothing. */
export function lookAlikeRemark(text: string): string {
  const found = firstLookAlike(text);
  return found === undefined ? '' : `; it holds ${found.name}, so ${found.advice}`;
}

/** Says that a text holds a character: `` holds `x` ``, or by its code point where it cannot be told from another one, with the advice. */
export function holds(character: string, consequence: string): string {
  const found = lookAlike(character) ?? letterLookAlike(character);
  return found === undefined ? `holds \`${safeText(character)}\`${consequence}` : `holds ${found.name}; ${found.advice}`;
}

/** The text as ASCII where each character that is a likeness of one is replaced by it, and what cannot be seen is left out. */
export function asciiLikeness(text: string): string {
  return Array.from(text, (character) => (lookAlike(character) ?? letterLookAlike(character))?.ascii ?? character).join('');
}

/** U+ and the code point in at least four hexadecimal digits. */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function named(character: string, look: string): string {
  return `${codePoint(character)} (${NAMES.get(character) ?? look})`;
}

function quoted(ascii: string): string {
  return WORDS.get(ascii) ?? (ascii === '`' ? 'a backtick' : `\`${ascii}\``);
}

/** What is no blank and yet shows nothing. Half surrogates are bytes that are no text. */
function isInvisible(character: string): boolean {
  return /^[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]$/u.test(character);
}

/** The ASCII character that Unicode itself has it stand for: fullwidth forms, blanks, letters of mathematics. */
function compatible(character: string): string | undefined {
  if (/^\p{Zs}$/u.test(character)) return ' ';
  const folded = character.normalize('NFKC');
  return /^[\x21-\x7e]$/.test(folded) ? folded : undefined;
}
