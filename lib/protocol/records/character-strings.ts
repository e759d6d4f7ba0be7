// Writes a text as the character-strings of a TXT record, in the form of zone files and Route 53.

/** Maximum bytes of a character-string (RFC 1035 §3.3). */
const MAX_STRING_BYTES = 255;

/** Returns a text as quoted character-strings: `"v=STSv1; id=1;"`. */
export function characterStrings(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const count = Math.max(1, Math.ceil(bytes.length / MAX_STRING_BYTES));
  return Array.from({ length: count }, (_, index) => quote(bytes.subarray(index * MAX_STRING_BYTES, (index + 1) * MAX_STRING_BYTES))).join(' ');
}

/**
 * Quotes bytes. `\DDD` is a byte in decimal (RFC 1035 §5.1). Route 53 writes octal numbers, but the texts of RFC 8461 and 8460 need
 * neither.
 */
function quote(bytes: Uint8Array): string {
  const characters = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === '\\') return `\\${character}`;
    return byte >= 0x20 && byte <= 0x7e ? character : `\\${String(byte).padStart(3, '0')}`;
  });
  return `"${characters.join('')}"`;
}
