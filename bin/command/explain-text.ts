// The catalogue of codes for people and for programs.
import { sectionsOf } from './catalogue';
import type { Area, CodeEntry } from './catalogue';
import { COMMAND_LINE } from './command-line';
import type { Io } from './io';
import { json } from './json';
import { Style } from './style';

/** Each code with everything. */
export function explainText(entries: readonly CodeEntry[], io: Io): string {
  const style = new Style(io);
  return entries.map((entry) => `${explanation(entry, style).join('\n')}\n`).join('\n');
}

/** All codes, each with its severity and its meaning. */
export function listText(areas: readonly Area[], io: Io): string {
  const style = new Style(io);
  const blocks = areas.map(({ title, codes }) => [
    style.bold(title),
    ...codes.flatMap(({ code, severity, meaning }) => [
      `  ${style.mark(severity)} ${style.plain(code)} ${style.faint(`${style.dot} ${severity}`)}`,
      ...style.row('', meaning, { indent: 4, column: 4 }),
    ]),
  ]);
  return `${blocks.map((lines) => `${lines.join('\n')}\n`).join('\n')}\n${style.faint(`\`${COMMAND_LINE} explain <code>\` tells the harm and how to mend it.`)}\n`;
}

/** The same as JSON: an array, in the order of the text. */
export function explainJson(entries: readonly CodeEntry[]): string {
  const shapes = entries.map(({ code, severity, meaning, harm, fix, reference, dissent }) => ({
    code, severity, meaning, harm, fix, reference, sections: sectionsOf(reference), dissent,
  }));
  return `${json(shapes)}\n`;
}

function explanation(entry: CodeEntry, style: Style): string[] {
  const { code, severity, meaning, harm, fix, reference, dissent } = entry;
  const detail = (label: string, text: string): string[] => style.row(label, text, { indent: 2, column: 11, faint: label === 'see' });
  return [
    `${style.mark(severity)} ${style.bold(code)} ${style.faint(`${style.dot} ${severity}`)}`,
    ...style.row('', meaning, { indent: 2, column: 2 }),
    ...detail('harm', harm),
    ...detail('fix', fix),
    ...dissent.flatMap(({ senders, effect }, index) => detail(index === 0 ? 'senders' : '', `${senders.join(', ')}: ${effect}`)),
    ...detail('see', reference),
    ...sectionsOf(reference).flatMap(({ url }) => style.row('', url, { indent: 2, column: 11, faint: true })),
  ];
}
