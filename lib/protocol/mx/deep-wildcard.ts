// Wildcards that some senders let stand for several labels, where RFC 8461 §4.1 has them stand for one.
import { parentNames } from '../domain-name';
import type { SenderQuirk } from '../findings/finding';
import { mxName } from './pattern';

/** Who finds a host covered that only a wildcard over several labels would cover. */
export const DEEP_WILDCARD_QUIRK: readonly SenderQuirk[] = [
  { senders: ['postfix-mta-sts-resolver', 'mailauth', 'courier'], effect: 'lets the wildcard stand for several labels, so that it covers the host' },
];

/**
 * The first wildcard pattern that would cover a host if it stood for several labels, `*.example.com` for `a.b.example.com`, or
 * undefined. One label is what every sender lets it stand for, and so none of these.
 *
 * @param patterns - of a valid policy
 */
export function deepWildcard(patterns: readonly string[], host: string): string | undefined {
  const name = mxName(host);
  if (name === undefined) return undefined;
  const wanted = new Set(parentNames(name).slice(2).map((parent) => `*.${parent}`));
  return patterns.find((pattern) => wanted.has(pattern.toLowerCase()));
}
