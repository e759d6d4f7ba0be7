// Names to which a DNS panel appended the zone, because the dot at their end was missing: `mx1.example.com.example.com` (RFC 1035 §5.1).
import { parentNames } from '../../protocol/domain-name';
import { safeText } from '../../util/safe-text';

/** What was meant in place of a name. */
export interface AppendedZone {
  /** The name without the zone that was appended. */
  readonly meant: string;
  /** Whether the zone name stands there twice, which leaves no doubt. */
  readonly twice: boolean;
}

/**
 * Says whether a name that leads nowhere looks as if the zone was appended to it.
 *
 * @param name - the target of a record, in lower case without a dot at the end
 * @param domain - the domain whose record it is; its zone is the domain itself or a parent of it
 */
export function appendedZone(name: string, domain: string): AppendedZone | undefined {
  const zones = zonesOf(domain).filter((zone) => name.endsWith(`.${zone}`));
  const meant = zones.map((zone) => ({ zone, name: name.slice(0, -zone.length - 1) }));
  const twice = meant.find((one) => one.name === one.zone || one.name.endsWith(`.${one.zone}`))?.name ?? withoutRepetition(name);
  if (twice !== undefined) return { meant: twice, twice: true };
  // A name within the zone has one label more, as a rule; a whole name of another zone has several.
  const other = meant.find((one) => one.name.includes('.'));
  return other === undefined ? undefined : { meant: other.name, twice: false };
}

/** The same as a clause to put after a message; empty where nothing looks like it. */
export function appendedZoneText(name: string, domain: string): string {
  const found = appendedZone(name, domain);
  if (found === undefined) return '';
  return found.twice
    ? '. The zone name is appended twice: the dot at its end is missing'
    : `. If \`${safeText(found.meant)}\` is meant, the dot at its end is missing`;
}

/** The names that a DNS panel may append: those of the zones that a domain can lie in. */
export function zonesOf(domain: string): readonly string[] {
  return parentNames(domain).filter((name) => name.includes('.')).slice(0, MOST_ZONES);
}

/** A mail domain lies one or two labels below the apex of its zone, hardly ever more. */
const MOST_ZONES = 3;

/** What is before the second of two equal endings of several labels, with the first of them. */
function withoutRepetition(name: string): string | undefined {
  const labels = name.split('.');
  for (let length = Math.floor(labels.length / 2); length >= 2; length -= 1) {
    const [last, before] = [labels.slice(-length), labels.slice(-2 * length, -length)].map((some) => some.join('.'));
    if (last === before) return labels.slice(0, -length).join('.');
  }
  return undefined;
}
