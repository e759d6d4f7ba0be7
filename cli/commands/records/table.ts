// Records for people, to be copied into the form of a DNS provider, and for programs.
import { recordsOf, whereOf } from './record';
import type { PublishedDomain } from './record';
import type { Style } from '../../output/terminal';

const HEAD = ['name', 'type', 'ttl', 'value'] as const;

/** One line for each record, never broken: values are copied. */
export function tableText(domains: readonly PublishedDomain[], style: Style): string {
  const rows = domains.flatMap((one) => recordsOf(one).map((record) => {
    const { name, type, ttl, value } = record;
    return [name, type, String(ttl), value ?? `<${whereOf(record, one)}>`];
  }));
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  // The last column needs no blanks after it.
  const line = (cells: readonly string[]): string => cells.map((cell, column) => (column === 3 ? cell : cell.padEnd(widths[column] + 2))).join('');
  return [style.faint(line(HEAD)), ...rows.map((row) => style.plain(line(row)))].map((text) => `${text}\n`).join('');
}

/** The same as JSON. */
export function recordsJson(domains: readonly PublishedDomain[]): object {
  return { records: domains.flatMap(recordsOf) };
}
