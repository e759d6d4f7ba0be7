// From when on MTA-STS may be taken away (RFC 8461 §8.3): a moment, or why there is none yet.
import { current } from './history';
import type { HistoryEntry, History } from './history';
import { endOfAnyHold, endOfHold, moment } from './time';

/**
 * The moment after which no sender can hold an enforce or testing policy any more, in ISO 8601, or in words why it is not known.
 *
 * A sender that holds `none` does as if there were no policy, so its age is of no matter.
 */
export function earliestRemoval(history: History): string {
  const { entries, gap, startedAt: begun } = history;
  const last = current(history);
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

/** It has no end while the record may announce an id under which senders hold it; the next publication has an id of its own. */
function openEnd(none: HistoryEntry, { id, mode }: HistoryEntry): string {
  return none.live === undefined
    ? 'not known before the policy none was seen live; deploy again'
    : `not known after a rollback: the record may have kept its id, and senders may hold the ${mode} policy ${id} under it; known after the next publication`;
}
