// Detects names to which a DNS panel appended the zone because the trailing dot was missing: `mx1.example.com.example.com` (RFC 1035 §5.1).
import { parentNames } from '../../protocol/domain-name';
import { safeText } from '../../util/safe-text';

/** The probable cause of a wrong name. */
export interface AppendedZone {
  /** The name without the appended zone. */
  readonly meant: string;
  /** Whether the name ends in the zone name twice, which leaves no doubt. */
  readonly twice: boolean;
}

/**
 * Returns the intended name if the zone seems to be appended to a name that does not exist; undefined otherwise.
 *
 * @param name - the target of a record, in lower case without the trailing dot
 * @param domain - the domain of the record; its zone is the domain itself or a parent
 */
export function appendedZone(name: string, domain: string): AppendedZone | undefined {
  const candidates = zonesOf(domain)
    .filter((zone) => name.endsWith(`.${zone}`))
    .map((zone) => ({ zone, rest: name.slice(0, -zone.length - 1) }));
  const twice = candidates.find(({ zone, rest }) => rest === zone || rest.endsWith(`.${zone}`))?.rest ?? withoutRepetition(name);
  if (twice !== undefined) return { meant: twice, twice: true };
  // A name inside the zone usually has one label more. A complete name of another zone has several labels.
  const other = candidates.find(({ rest }) => rest.includes('.'));
  return other && { meant: other.rest, twice: false };
}

/** Returns a clause to append to a message; empty if no zone seems to be appended. */
export function appendedZoneText(name: string, domain: string): string {
  const found = appendedZone(name, domain);
  if (found === undefined) return '';
  return found.twice
    ? '. The zone name is appended twice: the dot at its end is missing'
    : `. If \`${safeText(found.meant)}\` is meant, the dot at its end is missing`;
}

/** Returns the names that a DNS panel may append: the possible zones of a domain. */
export function zonesOf(domain: string): readonly string[] {
  return parentNames(domain).filter((name) => name.includes('.')).slice(0, MAX_ZONES);
}

/** A mail domain is usually at most two labels below the apex of its zone. */
const MAX_ZONES = 3;

/** Returns a name up to the second of two equal endings of two or more labels; undefined if it has no such endings. */
function withoutRepetition(name: string): string | undefined {
  const labels = name.split('.');
  for (let length = Math.floor(labels.length / 2); length >= 2; length -= 1) {
    const [last, before] = [labels.slice(-length), labels.slice(-2 * length, -length)].map((part) => part.join('.'));
    if (last === before) return labels.slice(0, -length).join('.');
  }
  return undefined;
}
