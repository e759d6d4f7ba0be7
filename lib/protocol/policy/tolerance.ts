// Which senders accept a policy file that the grammar of RFC 8461 §3.2 forbids, for each problem.
import type { SenderQuirk } from '../findings/finding';
import { tolerance, toleranceBut } from '../findings/tolerance';

/** Returns the senders for a malformed MX pattern. Accepting senders compare the pattern only with hosts, and it covers none. */
export function patternTolerance(pattern: string): readonly SenderQuirk[] {
  if (/^[*.]+$/.test(pattern)) return toleranceBut('policy', [...STRICT, 'mailpiece', 'stalwart']);
  // go-mtasts refuses a line with two colons.
  return toleranceBut('policy', pattern.includes(':') ? [...STRICT, 'go-mtasts'] : STRICT);
}

const STRICT = ['mox', 'postfix-tlspol', 'aykevl', 'danmarg'] as const;

/** Returns the senders for a malformed maximum age. They read it up to the first other character, as 0, or as JavaScript does (`6e5`). */
export function maxAgeTolerance(value: string): readonly SenderQuirk[] {
  const isNumber = !/^[0-9]+$/.test(value) && Number.isFinite(Number(value));
  return tolerance('policy', isNumber ? ['mailauth', 'courier', 'stalwart'] : ['courier', 'stalwart']);
}

/**
 * Returns the senders for a missing line. They assume mode `none`, an age of 0 or a day, or do not need the line.
 *
 * @param name - name of the line; `v` if the file writes the version as in the TXT record
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

/** Senders for an empty mode, or a mode of unreadable characters. */
export const UNREADABLE_MODE: readonly SenderQuirk[] = tolerance('policy', ['courier']);

/** Returns the senders for a malformed extension field. Accepting senders skip the field. */
export function extensionTolerance(name: string): readonly SenderQuirk[] {
  return toleranceBut('policy', name.startsWith('-') ? ['postfix-tlspol', 'danmarg'] : ['mox', 'postfix-tlspol', 'danmarg']);
}
