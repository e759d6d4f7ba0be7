// A policy file as a list of lines, so that `cdk diff` shows a change line by line (RFC 8461 §3.2).

const LINE_END = '\r\n';

/** Returns the lines of a file in canonical form, without their line ends. */
export function policyLines(text: string): string[] {
  return text.split(LINE_END).slice(0, -1);
}

/** Returns the file for its lines: `policyText(policyLines(text))` is `text` if `text` is in canonical form. */
export function policyText(lines: readonly string[]): string {
  return lines.map((line) => line + LINE_END).join('');
}
