// Which senders use a policy file that the grammar of RFC 8461 §3.2 forbids, by what is wrong with it.
import type { SenderQuirk } from '../findings/finding';
import { tolerance, toleranceBut } from '../findings/tolerance';

/** An MX pattern that is no host name: these look at it only when they compare it with a host, and then it covers none. */
export function patternTolerance(pattern: string): readonly SenderQuirk[] {
  if (/^[*.]+$/.test(pattern)) return toleranceBut('policy', [...STRICT, 'mailpiece', 'stalwart']);
  // A second colon in a line is one too many for go-mtasts.
  return toleranceBut('policy', pattern.includes(':') ? [...STRICT, 'go-mtasts'] : STRICT);
}

const STRICT = ['mox', 'postfix-tlspol', 'aykevl', 'danmarg'] as const;

/** A maximum age that is no number of seconds: read up to the first other character, as 0, or as JavaScript reads it (`6e5`). */
export function maxAgeTolerance(value: string): readonly SenderQuirk[] {
  const isNumber = !/^[0-9]+$/.test(value) && Number.isFinite(Number(value));
  return tolerance('policy', isNumber ? ['mailauth', 'courier', 'stalwart'] : ['courier', 'stalwart']);
}

/**
 * A line that is missing: read as mode `none`, as an age of 0 or a day, or not looked for.
 *
 * @param name - `v` where the version stands there as in the TXT record
 */
export function missingTolerance(name: 'version' | 'v' | 'mode' | 'max_age'): readonly SenderQuirk[] {
  return MISSING[name];
}

const MISSING = {
  version: tolerance('policy', ['stalwart', 'danmarg']),
  v: tolerance('policy', ['stalwart']),
  mode: tolerance('policy', ['mailauth', 'stalwart', 'courier', 'danmarg']),
  max_age: tolerance('policy', ['stalwart', 'courier']),
} as const;

/** A mode of no characters, or of some that are none. */
export const UNREADABLE_MODE: readonly SenderQuirk[] = tolerance('policy', ['courier']);

/** A field that no sender needs: its malformed name or value is of no matter to those that skip it. */
export function extensionTolerance(name: string): readonly SenderQuirk[] {
  return toleranceBut('policy', name.startsWith('-') ? ['postfix-tlspol', 'danmarg'] : ['mox', 'postfix-tlspol', 'danmarg']);
}
