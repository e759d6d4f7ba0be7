// Makes text from the network or a user safe to show: no character is invisible, moves the cursor or changes the reading direction.

/** Matches characters that are invisible or change other text: controls, formats, unusual spaces, lone surrogates, unassigned. */
const UNSAFE = /^[\p{C}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}]$/u;

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Escapes text for a message: control characters (C0, DEL, C1), bidi controls, zero-width and other invisible characters and
 * every space but U+0020 become `\xNN` or `\u{NNNN}`.
 *
 * @param text - any text
 * @param max - maximum length of the result in characters; a longer text is cut and ends in an ellipsis
 */
export function safeText(text: string, max = 120): string {
  // Fast path for nearly all text.
  if (text.length <= max && /^[\x20-\x7e]*$/.test(text)) return text;
  return cut(escaped(text), max);
}

/** Escapes text as `safeText` does, without cutting it. For text made of parts that are cut already. */
export function safeWholeText(text: string): string {
  return safeText(text, Infinity);
}

/** Escapes bytes that should be UTF-8. A byte that is not UTF-8 becomes `\xNN`. */
export function safeBytes(bytes: Uint8Array, max = 120): string {
  return cut(escapedBytes(bytes), max);
}

/**
 * Decodes bytes that should be UTF-8 without losing a byte. A byte that is not UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF, which no
 * UTF-8 text contains. `safeText` shows it as that byte.
 */
export function decodeText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? String.fromCharCode(LONE_BYTE + byteAt(bytes, at)) : UTF8.decode(bytes.subarray(at, at + length));
    at += Math.max(length, 1);
  }
  return text;
}

const LONE_BYTE = 0xdc00;

/** Joins the first items with commas: `a, b, c and 2 more`. */
export function joinList(items: readonly string[], most = 6): string {
  return items.length > most ? `${items.slice(0, most).join(', ')} and ${items.length - most} more` : items.join(', ');
}

/** Removes spaces and tabs from both ends. `trim()` would also remove line ends, no-break spaces and byte order marks. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charAt(start))) start += 1;
  while (end > start && isBlank(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t';
}

/** Joins pieces up to `max` characters and reads no further, so the cost depends on `max` and not on the text. */
function cut(pieces: Iterable<string>, max: number): string {
  let shown = '';
  /** Length of the part of `shown` that leaves room for the ellipsis. */
  let keep = 0;
  for (const piece of pieces) {
    if (shown.length + piece.length > max) return `${shown.slice(0, keep)}…`;
    shown += piece;
    if (shown.length < max) keep = shown.length;
  }
  return shown;
}

function* escaped(text: string): Generator<string> {
  for (const character of text) {
    yield character === ' ' || !UNSAFE.test(character) ? character : escape(character.codePointAt(0) ?? 0);
  }
}

/** Walks the bytes, because the decoder's output uses U+FFFD for a bad byte and for a U+FFFD of the input. */
function* escapedBytes(bytes: Uint8Array): Generator<string> {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      yield escape(byteAt(bytes, at));
      at += 1;
    } else {
      yield* escaped(UTF8.decode(bytes.subarray(at, at + length)));
      at += length;
    }
  }
}

function escape(codePoint: number): string {
  const isByte = codePoint >= LONE_BYTE + 0x80 && codePoint <= LONE_BYTE + 0xff;
  const hex = (isByte ? codePoint - LONE_BYTE : codePoint).toString(16);
  return isByte || codePoint <= 0xff ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex.padStart(4, '0')}}`;
}

/**
 * Returns the length in bytes of the UTF-8 sequence at `at`, by the table of RFC 3629 §4. Returns 0 where no valid sequence begins: an
 * overlong form, a surrogate, or a value above U+10FFFF.
 */
export function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = byteAt(bytes, at);
  if (first <= 0x7f) return 1;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = byteAt(bytes, at + 1);
  if (second < (LOWEST_SECOND.get(first) ?? 0x80) || second > (HIGHEST_SECOND.get(first) ?? 0xbf)) return 0;
  for (let next = at + 2; next < at + length; next += 1) {
    if ((byteAt(bytes, next) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** Lowest second byte after E0 and F0. Below it, the sequence is overlong. */
const LOWEST_SECOND: ReadonlyMap<number, number> = new Map([[0xe0, 0xa0], [0xf0, 0x90]]);

/** Highest second byte after ED and F4. Above it, the value is a surrogate or above U+10FFFF. */
const HIGHEST_SECOND: ReadonlyMap<number, number> = new Map([[0xed, 0x9f], [0xf4, 0x8f]]);

/** Returns a byte; 0 behind the end. */
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}
