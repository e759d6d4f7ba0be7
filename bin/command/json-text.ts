// JSON with nothing in it that could upset a terminal.

/** Invisible characters that JSON would let through: C1 controls, bidi controls, line separators and their like. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** The value as JSON on lines of its own. */
export function jsonText(value: unknown): string {
  // The line ends of the layout are the only controls that JSON.stringify leaves.
  return `${JSON.stringify(value, null, 2).replace(UNSEEN, (character) => (character === '\n' ? character : escaped(character)))}\n`;
}

/** Surrogate pairs become two escapes (RFC 8259 §7). */
function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}
