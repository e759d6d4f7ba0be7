// Domain names of Route 53 and DNS in one form: in lower case, without a dot at the end.
import { parentNames } from '../protocol/domain-name';

/**
 * Returns the one form of a name from DNS or from the Route 53 API. The API ends names in a dot and writes unusual characters as octal
 * escapes: `\052.example.com.` is `*.example.com`.
 */
export function plainName(name: string): string {
  return octalDecoded(name).replace(/\.$/, '').toLowerCase();
}

/** Decodes the characters that Route 53 writes as `\NNN`. */
export function octalDecoded(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Returns whether a name is the name of the zone or below it. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/** Returns the name and its parents below the name of the zone. */
export function parentNamesWithin(name: string, zone: string): readonly string[] {
  return parentNames(name).filter((parent) => parent !== zone && isWithin(parent, zone));
}
