// Letters and digits of ASCII, by their codes: what names are made of.

export function isLetter(code: number): boolean {
  // The one bit that tells a small letter from a capital.
  const small = code | 0x20;
  return small >= 0x61 && small <= 0x7a;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Whether a text is one digit or more, and nothing else. */
export function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (!isDigit(text.charCodeAt(at))) return false;
  }
  return text !== '';
}
