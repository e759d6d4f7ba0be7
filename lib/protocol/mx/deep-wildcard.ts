// Finds wildcards that cover a host only for senders that let `*` match several labels. RFC 8461 §4.1 lets it match one.
import { parentNames } from '../domain-name';
import type { SenderQuirk } from '../findings/finding';
import { mxName } from './pattern';

/** Senders that let a wildcard match several labels. */
export const DEEP_WILDCARD_QUIRK: readonly SenderQuirk[] = [
  { senders: ['postfix-mta-sts-resolver', 'mailauth', 'courier'], effect: 'lets the wildcard match several labels, so that it covers the host' },
];

/**
 * Returns the first wildcard pattern that covers a host only if `*` matches two labels or more, for example `*.example.com` for
 * `a.b.example.com`. Returns undefined if there is none.
 *
 * @param patterns - patterns of a valid policy
 */
export function deepWildcard(patterns: readonly string[], host: string): string | undefined {
  const name = mxName(host);
  if (name === undefined) return undefined;
  const wanted = new Set(parentNames(name).slice(2).map((parent) => `*.${parent}`));
  return patterns.find((pattern) => wanted.has(pattern.toLowerCase()));
}
