// From when on MTA-STS may be taken away (RFC 8461 §8.3): a moment, or why there is none yet.
import { current } from './ledger';
import type { Entry, Ledger } from './ledger';
import { endOfAnyHold, endOfHold, moment } from './ledger-time';

/**
 * The moment after which no sender can hold an enforce or testing policy any more, in ISO 8601, or in words why it is not known.
 *
 * A sender that holds `none` does as if there were no policy, so its age is of no matter.
 */
export function earliestRemoval(ledger: Ledger): string {
  const { entries, gap, begun } = ledger;
  const last = current(ledger);
  if (last === undefined) return 'not known: nothing is published yet';
  if (last.mode !== 'none') return `not while ${last.mode} is published; publish none first`;
  const asking = entries.filter(({ mode }) => mode !== 'none');
  const open = asking.find(({ until }) => until === undefined);
  if (open !== undefined) return openEnd(last, open);
  const ends = asking.map(({ maxAge, until = 0 }) => endOfHold(maxAge, until));
  const known = Math.max(last.from, ...ends);
  const isOwn = begun === undefined || endOfAnyHold(begun) <= known;
  const from = isOwn ? moment(known) : `${moment(known)}, if nothing published a policy for the domain before ${moment(begun)}`;
  if (gap === undefined || endOfAnyHold(gap.at) <= known) return from;
  return `not known: the ledger ${gap.why} and was begun anew at ${moment(gap.at)}; at ${moment(endOfAnyHold(gap.at))} at the latest`;
}

function openEnd(none: Entry, { id, mode }: Entry): string {
  return none.live === undefined
    ? 'not before none was seen live; publish none with another max_age'
    : `not while the id ${none.id} is announced, since senders may keep the ${mode} policy ${id} under it; publish none with another max_age`;
}
