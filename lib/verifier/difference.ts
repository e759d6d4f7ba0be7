// Where two files differ, in one phrase: for the message about bytes that are not the ones expected.
import { safeText } from '../util/safe-text';

/**
 * The first line that is not the same, shown with its line end, because that alone may differ.
 *
 * @param nameA - whose line stands first, `expected` for example
 */
export function firstDifference(a: Uint8Array, b: Uint8Array, nameA: string, nameB: string): string {
  const [linesA, linesB] = [lines(a), lines(b)];
  // Where nothing of the first differs, the second goes on where the first ends.
  const differs = linesA.findIndex((text, index) => text !== linesB[index]);
  const line = differs === -1 ? linesA.length : differs;
  return `line ${line + 1} is ${shown(linesA[line])} (${nameA}) and ${shown(linesB[line])} (${nameB})`;
}

/** With their ends; one character a byte, so that no two bytes look the same. */
function lines(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString('latin1').split(/(?<=\n)/);
}

function shown(line: string | undefined): string {
  return line === undefined || line === '' ? 'not there' : `"${safeText(line)}"`;
}
