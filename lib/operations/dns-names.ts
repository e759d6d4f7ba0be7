// Domain names as Route 53 and DNS write them, in one form: lower case, no dot at the end.
import { parentNames } from '../protocol/domain-name';

/**
 * One form for names of the Route 53 API, which ends them in a dot and writes odd characters as octal escapes
 * (`\052.example.com.` is `*.example.com`), and for names of DNS.
 */
export function plainName(name: string): string {
  return octalDecoded(name).replace(/\.$/, '').toLowerCase();
}

/** Characters that Route 53 writes as `\NNN`. */
export function octalDecoded(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Whether a name is the zone's own or below it. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/** The name and its parents below the zone's own name. */
export function parentNamesWithin(name: string, zone: string): readonly string[] {
  return parentNames(name).filter((parent) => parent !== zone && isWithin(parent, zone));
}
