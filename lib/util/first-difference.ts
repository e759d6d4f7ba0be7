// Describes the first difference between two files, for messages.
import { safeText } from './safe-text';

/**
 * Returns the first line that differs, with its line end, because only the line end may differ.
 *
 * @param nameA - the name of the first file, `expected` for example
 */
export function firstDifference(a: Uint8Array, b: Uint8Array, nameA: string, nameB: string): string {
  const [linesA, linesB] = [lines(a), lines(b)];
  // Without a different line in the first file, the second file is longer.
  const differs = linesA.findIndex((text, index) => text !== linesB[index]);
  const line = differs === -1 ? linesA.length : differs;
  return `line ${line + 1} is ${lineText(linesA[line])} (${nameA}) and ${lineText(linesB[line])} (${nameB})`;
}

/** Splits into lines with their line ends. Latin-1 maps each byte to one character, so different bytes stay different. */
function lines(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString('latin1').split(/(?<=\n)/);
}

function lineText(line: string | undefined): string {
  return line === undefined || line === '' ? 'not there' : `"${safeText(line)}"`;
}
