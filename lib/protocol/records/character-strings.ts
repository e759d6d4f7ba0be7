// A text as DNS holds it in a TXT record, and as a zone file and Route 53 write that.

/** A character-string has at most so many bytes (RFC 1035 §3.3). */
const LONGEST_STRING = 255;

/** A text as character-strings, `"v=STSv1; id=1;"`. */
export function characterStrings(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const count = Math.max(1, Math.ceil(bytes.length / LONGEST_STRING));
  return Array.from({ length: count }, (_, index) => quoted(bytes.subarray(index * LONGEST_STRING, (index + 1) * LONGEST_STRING))).join(' ');
}

/** `\DDD` is a byte by its decimal number (RFC 1035 §5.1); Route 53 has octal ones, but the texts of RFC 8461 and 8460 need neither. */
function quoted(bytes: Uint8Array): string {
  const characters = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === '\\') return `\\${character}`;
    return byte >= 0x20 && byte <= 0x7e ? character : `\\${String(byte).padStart(3, '0')}`;
  });
  return `"${characters.join('')}"`;
}
