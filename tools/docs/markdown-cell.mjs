// Escapes text for a cell of a table in Markdown.

/**
 * Escapes the marks of Markdown outside of code.
 *
 * @param {string} text
 */
export function markdownCell(text) {
  return text.replaceAll('|', '\\|').replace(/(?<code>`[^`]*`)|[<>*_]/g, (match, code) => code ?? `\\${match}`);
}
