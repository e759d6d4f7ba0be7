// How long senders hold a policy once it is no longer served.
import { MAX_AGE_LIMIT } from '../../protocol/policy/policy';
import type { HistoryEntry } from './history';

/**
 * How long after the file has changed at every edge a sender may still renew what it holds, in milliseconds.
 *
 * One that sees the old id in the record keeps the old policy anew for its whole age, and many do so without fetching. The
 * record changes only after the file: CloudFormation takes a minute or some for it, in a stack of many domains more; Route 53
 * takes another until all its servers know; then resolvers give the old one for its TTL of 300 seconds. To that come fetches on
 * their way (a minute, RFC 8461 §3.3) and clocks that differ. An hour is ample, and little beside the age of a policy.
 */
export const MARGIN = 3_600_000;

/** When the last sender has dropped a policy that ceased to be served then. */
export function endOfHold(maxAge: number, until: number): number {
  return until + maxAge * 1000 + MARGIN;
}

/** When the last sender has dropped whatever was served before that. */
export function endOfAnyHold(before: number): number {
  return endOfHold(MAX_AGE_LIMIT, before);
}

/** Whether a sender may hold it. */
export function isHeld({ maxAge, until }: Pick<HistoryEntry, 'maxAge' | 'until'>, now: number): boolean {
  return until === undefined || endOfHold(maxAge, until) >= now;
}

/** To the second, rounded up: what is said to be over must be. */
export function moment(time: number): string {
  return new Date(Math.ceil(time / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/** `30 days`, `12 hours`, `90 seconds` */
export function age(seconds: number): string {
  const [size, unit] = ([[86_400, 'day'], [3_600, 'hour'], [1, 'second']] as const).find(([one]) => seconds >= one && seconds % one === 0) ?? [1, 'second'];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
