import { describe, expect, test } from '@jest/globals';
import { decodeText, safeText, safeBytes, trimBlanks } from '../../lib/util/safe-text';

describe('safeText', () => {
  test.each([
    ['a line end', 'a\r\nb', 'a\\x0d\\x0ab'],
    ['NUL', '\0', '\\x00'],
    ['ESC, which starts a terminal sequence', '\x1b[31m', '\\x1b[31m'],
    ['DEL', '\x7f', '\\x7f'],
    ['a C1 control', '\x9b31m', '\\x9b31m'],
    ['NEL', '\x85', '\\x85'],
    ['a no-break space', 'a\xa0b', 'a\\xa0b'],
    ['a soft hyphen', 'a\xadb', 'a\\xadb'],
    ['a bidi override', '\u202egnp', '\\u{202e}gnp'],
    ['a bidi isolate', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['a zero-width space', 'a\u200bb', 'a\\u{200b}b'],
    ['a byte order mark', '\ufeffa', '\\u{feff}a'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['an ideographic space', 'a\u3000b', 'a\\u{3000}b'],
    ['a Hangul filler, which is a letter without a shape', 'a\u3164b', 'a\\u{3164}b'],
    ['a variation selector', 'a\ufe0fb', 'a\\u{fe0f}b'],
    ['a tag character', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['half a surrogate pair', 'a\ud800b', 'a\\u{d800}b'],
    ['a private-use character', '\ue000', '\\u{e000}'],
  ])('safeText escapes %s', (_name, text, shown) => {
    expect(safeText(text)).toBe(shown);
  });

  test('safeText keeps letters of every script, emoji and plain spaces', () => {
    const text = 'Grüße  日本 \u{1f600} \\ "x" `y`';
    expect(safeText(text)).toBe(text);
  });

  test('safeText cuts a long text, and the ellipsis counts', () => {
    expect(safeText('abcdef', 6)).toBe('abcdef');
    expect(safeText('abcdefg', 6)).toBe('abcde…');
    expect(safeText('x'.repeat(1000))).toBe(`${'x'.repeat(119)}…`);
  });

  test('safeText never cuts an escape or a surrogate pair in two', () => {
    expect(safeText('abc\x1bdef', 6)).toBe('abc…');
    expect(safeText('abcd\u{1f600}x', 6)).toBe('abcd…');
  });

  test('safeText does not change text that is already safe', () => {
    const once = safeText('\x1b\u202e\xa0\ud800 ok');
    expect(safeText(once)).toBe(once);
  });
});

describe('safeBytes', () => {
  test.each([
    ['an overlong slash', [0xc0, 0xaf], '\\xc0\\xaf'],
    ['an overlong form of three bytes', [0xe0, 0x9f, 0xbf], '\\xe0\\x9f\\xbf'],
    ['an overlong form of four bytes', [0xf0, 0x8f, 0xbf, 0xbf], '\\xf0\\x8f\\xbf\\xbf'],
    ['a surrogate', [0xed, 0xa0, 0x80], '\\xed\\xa0\\x80'],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], '\\xf4\\x90\\x80\\x80'],
    ['bytes that never occur in UTF-8', [0xff, 0xf5], '\\xff\\xf5'],
    ['a lone continuation byte', [0x80, 0x41], '\\x80A'],
    ['an incomplete sequence', [0x41, 0xe2, 0x82], 'A\\xe2\\x82'],
    ['an incomplete sequence before another character', [0xe2, 0x82, 0x41], '\\xe2\\x82A'],
  ])('safeBytes shows %s byte by byte', (_name, bytes, shown) => {
    expect(safeBytes(Uint8Array.from(bytes))).toBe(shown);
  });

  test.each(['é', '€', '\u{1f600}', '\ufffd', '\ud7ff', '\u{10000}'])('safeBytes shows %j as a character', (text) => {
    const shown = safeBytes(Buffer.from(text, 'utf8'));
    expect(shown).toBe(safeText(text));
  });

  test('safeBytes cuts a long text as safeText does', () => {
    expect(safeBytes(Buffer.from('abcdefg'), 6)).toBe('abcde…');
  });
});

describe('trimBlanks', () => {
  test('trimBlanks removes spaces and tabs from both ends', () => {
    expect(trimBlanks(' \t a b\t ')).toBe('a b');
    expect(trimBlanks(' \t ')).toBe('');
  });

  test.each(['\n', '\r', '\v', '\f', '\xa0', '\ufeff', '\u2003'])('trimBlanks keeps %j, which trim() removes', (character) => {
    expect(trimBlanks(`${character}a${character}`)).toBe(`${character}a${character}`);
  });
});

describe('decodeText', () => {
  test.each([
    ['UTF-8', [0xe2, 0x80, 0x91], '\u2011', '\u2011'],
    ['a byte that is not UTF-8', [0x61, 0xff, 0x62], 'a\udcffb', 'a\\xffb'],
    ['an incomplete sequence', [0xe2, 0x80], '\udce2\udc80', '\\xe2\\x80'],
    ['an empty input', [], '', ''],
  ])('decodeText reads %s and keeps each byte', (_name, bytes, text, shown) => {
    expect(decodeText(Uint8Array.from(bytes))).toBe(text);
    expect(safeText(text)).toBe(shown);
  });
});
