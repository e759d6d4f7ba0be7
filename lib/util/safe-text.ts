// Text from the network or a user: safe to show, so that nothing in it can move a cursor, turn the reading direction or hide.

/** Cannot be seen, or changes how its neighbours are shown: controls, format characters, odd blanks, half surrogates, unassigned. */
const UNSAFE = /^[\p{C}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}]$/u;

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Escapes text for a message: control characters (C0, DEL, C1), bidi controls, zero-width and other invisible characters and
 * every blank but the plain space become `\xNN` or `\u{NNNN}`.
 *
 * @param text - anything
 * @param max - longest result in characters; a longer text is cut and ends in an ellipsis
 */
export function safeText(text: string, max = 120): string {
  // Nearly all text, and told at once.
  if (text.length <= max && /^[\x20-\x7e]*$/.test(text)) return text;
  return cut(escaped(text), max);
}

/** The same in full: for what has been put together of text that is cut already. */
export function safeWholeText(text: string): string {
  return safeText(text, Infinity);
}

/** The same for bytes that should be UTF-8; a byte that is not shows as `\xNN`. */
export function safeBytes(bytes: Uint8Array, max = 120): string {
  return cut(escapedBytes(bytes), max);
}

/**
 * Decodes bytes that should be UTF-8 and may be anything, without losing one: a byte that is none becomes half a surrogate pair, U+DC80
 * to U+DCFF, which no UTF-8 text holds, and `printable` shows it as the byte that it is.
 */
export function decodeText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? String.fromCharCode(LONE_BYTE + bytes[at]) : UTF8.decode(bytes.subarray(at, at + length));
    at += Math.max(length, 1);
  }
  return text;
}

const LONE_BYTE = 0xdc00;

/** `a, b, c and 2 more`. */
export function joinList(items: readonly string[], most = 6): string {
  return items.length > most ? `${items.slice(0, most).join(', ')} and ${items.length - most} more` : items.join(', ');
}

/** Blanks and tabs off both ends: `trim()` would take line ends, no-break spaces and byte order marks as well. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t';
}

/** Joins what fits, and reads no more of it than that: the cost is bound by `max`, not by the text. */
function cut(pieces: Iterable<string>, max: number): string {
  let shown = '';
  /** How much of `shown` leaves room for the ellipsis. */
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

/** U+FFFD stands for a bad byte in the decoder's output and for itself in the input; only a walk can tell them apart. */
function* escapedBytes(bytes: Uint8Array): Generator<string> {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      yield escape(bytes[at]);
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
 * Length of the UTF-8 sequence that starts at `at` by the table of RFC 3629 §4, or 0 where there is none: overlong forms,
 * surrogates and anything above U+10FFFF are none.
 */
export function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first <= 0x7f) return 1;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1];
  if (second < (LOWEST_SECOND.get(first) ?? 0x80) || second > (HIGHEST_SECOND.get(first) ?? 0xbf)) return 0;
  for (let next = at + 2; next < at + length; next += 1) {
    if ((bytes[next] & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** E0 and F0 below these would be overlong. */
const LOWEST_SECOND: ReadonlyMap<number, number> = new Map([[0xe0, 0xa0], [0xf0, 0x90]]);

/** ED above this would be a surrogate, F4 above this past U+10FFFF. */
const HIGHEST_SECOND: ReadonlyMap<number, number> = new Map([[0xed, 0x9f], [0xf4, 0x8f]]);
