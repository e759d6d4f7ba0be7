// Letters and digits of ASCII, by character code.

/** Returns whether a character code is an ASCII letter. */
export function isLetter(code: number): boolean {
  // This bit is the only difference between a small letter and a capital.
  const small = code | 0x20;
  return small >= 0x61 && small <= 0x7a;
}

/** Returns whether a character code is an ASCII digit. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Returns whether a text consists of ASCII digits and has at least one. */
export function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (!isDigit(text.charCodeAt(at))) return false;
  }
  return text !== '';
}
