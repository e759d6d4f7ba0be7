// Prints records as a table, to copy into the form of a DNS provider, and as JSON.
import { listRecords, valueSource } from './record';
import type { PublishedDomain } from './record';
import type { Style } from '../../output/terminal';

const HEAD = ['name', 'type', 'ttl', 'value'] as const;

/** Returns one line for each record. Lines are never wrapped, so that values can be copied. */
export function tableText(domains: readonly PublishedDomain[], style: Style): string {
  const rows = domains.flatMap((domain) => listRecords(domain).map((record) => {
    const { name, type, ttl, value } = record;
    return [name, type, String(ttl), value ?? `<${valueSource(record, domain)}>`];
  }));
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  // Do not pad the last column.
  const line = (cells: readonly string[]): string => cells.map((cell, column) => (column === 3 ? cell : cell.padEnd((widths[column] ?? 0) + 2))).join('');
  return [style.faint(line(HEAD)), ...rows.map((row) => style.plain(line(row)))].map((text) => `${text}\n`).join('');
}

/** Returns the records as JSON. */
export function recordsJson(domains: readonly PublishedDomain[]): object {
  return { records: domains.flatMap(listRecords) };
}
