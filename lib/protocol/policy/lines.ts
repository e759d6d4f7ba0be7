// A policy file as a list of its lines: a template that holds it so shows each change of a line as one (RFC 8461 §3.2).

const LINE_END = '\r\n';

/** The lines of a file in canonical form, each without its end. */
export function policyLines(text: string): string[] {
  return text.split(LINE_END).slice(0, -1);
}

/** The file again: `policyText(policyLines(text))` is `text` where that is canonical. */
export function policyText(lines: readonly string[]): string {
  return lines.map((line) => line + LINE_END).join('');
}
