// What was published from when to when, and from that what senders can still hold (RFC 8461 §3.2, §8.3). Pure: no clock, no network.
import type { Policy } from '../../protocol/policy/policy';
import { mxCoverage } from '../../protocol/mx/coverage';
import { LAST_ID_TIME, hashOfPolicyId, readPolicyId, renderPolicyId } from '../../protocol/policy/id';
import { MARGIN, endOfAnyHold, endOfHold, isHeld } from './time';

/** A publication: a policy, and the id that announces it. */
export interface Published extends Policy {
  readonly id: string;
  /** Of the bytes, as `policyHash` returns it. Missing for what something else published. */
  readonly hash?: string;
  /** The request id of the CloudFormation event that published it. Missing where it is not known. */
  readonly request?: string;
}

/** One time that a policy was put where senders fetch it; all times in milliseconds since the epoch. */
export interface HistoryEntry extends Published {
  /** Just before the file was put: from then on a sender may have it. */
  readonly from: number;
  /** When every edge was seen to serve it. Missing: not seen yet, or senders may have it in spite of the policy that is served now. */
  readonly live?: number;
  /** When every edge was seen to serve another policy in its place. Missing: senders may still be given it, or prolong it. */
  readonly until?: number;
  /**
   * The ids that may have been announced when it was put. A sender that fetched it then holds it under such an id, and seven of
   * the senders in use prolong what they hold for as long as that id stands in the record, without fetching again.
   */
  readonly under: readonly string[];
}

/** Why a ledger does not reach back to the beginning. */
export interface Gap {
  /** When it was begun anew. */
  readonly at: number;
  /** For people: `was damaged`. */
  readonly why: string;
}

/** In the order in which they were put; the last one is what is published. */
export interface History {
  readonly entries: readonly HistoryEntry[];
  /** Missing: it holds all that senders can still hold, but for what was published before `begun`. */
  readonly gap?: Gap;
  /**
   * When the construct published for the first time. Whether something else had published a policy for the domain before, an earlier
   * construct or a deployment that was taken back, nobody can tell here. Missing once nobody could hold that any more.
   */
  readonly startedAt?: number;
  /** The latest id that was ever chosen, also when its entry is gone. Missing while none of our form was chosen. */
  readonly lastId?: string;
}

/** What is published, or about to be. */
export function current({ entries }: History): HistoryEntry | undefined {
  return entries.at(-1);
}

/**
 * Returns the id that a publication of these bytes keeps: the one of the last entry, where that has the same bytes and was seen live, so
 * that nothing was put since. The same event has the same id when it comes a second time.
 *
 * An id that was announced beside other bytes is not kept: senders may hold those bytes under it. A rollback to a template of a release
 * before 0.2 leaves such an id, since that template names the same id as before.
 *
 * @param hash - of the bytes
 * @param request - of the event that publishes them
 */
export function keptId({ entries }: History, hash: string, request: string): string | undefined {
  const last = entries.at(-1);
  if (!isOf(last, hash) || (last.live === undefined && last.request !== request)) return undefined;
  return entries.some((entry) => entry.hash !== hash && entry.under.includes(last.id)) ? undefined : last.id;
}

/** Whether an entry is of these bytes, and its id names them. */
export function isOf(entry: HistoryEntry | undefined, hash: string): entry is HistoryEntry {
  return entry?.hash === hash && hashOfPolicyId(entry.id) === hash;
}

/** An id this late is nobody's that has a clock; no later one could follow it. */
const TOO_LATE = LAST_ID_TIME - 365 * 86_400_000;

/**
 * Returns an id that was never used: later than every id of the ledger and the one that is announced, also where the clock is behind.
 *
 * @param hash - of the bytes that it names
 * @param now - milliseconds since the epoch
 * @param announced - the id that stands in the record now, where that is known
 */
export function unusedId({ entries, lastId }: History, hash: string, now: number, announced?: string): string {
  const known = new Set([lastId, announced, ...entries.map((entry) => entry.id), ...entries.flatMap(({ under }) => under)]);
  let time = now;
  for (const id of known) {
    const used = id === undefined ? undefined : readPolicyId(id)?.time;
    if (used !== undefined && used < TOO_LATE && used + 1000 > time) time = used + 1000;
  }
  // Among those that are too late to count.
  while (known.has(renderPolicyId(time, hash))) time += 1000;
  return renderPolicyId(time, hash);
}

/**
 * Notes a policy that is about to be put. One with the id of the last entry is noted already.
 *
 * @param announced - the id that stands in the record now, where that is known: usually that of the last entry
 */
export function record(history: History, { id, hash, request, mode, maxAge, mx }: Published, now: number, announced?: string): History {
  const entries = reopened(history.entries, announced).filter((entry) => isHeld(entry, now));
  const { gap, startedAt: begun } = history;
  const lastId = laterId(history.lastId, id);
  // What could be missing in it nobody holds any more some day.
  const kept = {
    entries,
    ...gap !== undefined && endOfAnyHold(gap.at) >= now && { gap },
    ...begun !== undefined && endOfAnyHold(begun) >= now && { startedAt: begun },
    ...lastId !== undefined && { lastId },
  };
  const last = entries.at(-1);
  if (last?.id === id) return kept;
  // Those that are served, and those whose records some resolvers may still give.
  const under = [...new Set(entries.filter(({ until }) => until === undefined || until + MARGIN >= now).map((entry) => entry.id))];
  const made = { id, ...hash !== undefined && { hash }, ...request !== undefined && { request }, mode, maxAge, mx, from: now, under };
  return { ...kept, entries: [...entries, made] };
}

function laterId(one: string | undefined, other: string): string | undefined {
  const time = readPolicyId(other)?.time;
  if (time === undefined || time >= TOO_LATE) return one;
  return one === undefined || (readPolicyId(one)?.time ?? 0) < time ? other : one;
}

/**
 * The record may have stayed as it was when the file changed: made by hand, or in a deployment that ended half way. As long as an id
 * stands there, senders prolong what they hold under it.
 */
function reopened(entries: readonly HistoryEntry[], announced: string | undefined): readonly HistoryEntry[] {
  const last = entries.at(-1);
  if (announced === undefined || last?.id === announced) return entries;
  return entries.map(({ until, ...entry }) => {
    return until === undefined || entry.id === announced || entry.under.includes(announced) ? entry : { ...entry, until };
  });
}

/**
 * Notes that every edge serves what was recorded last: senders are given none of the others any more.
 *
 * @param rollingBack - whether the record may keep the id that it had before: then senders may prolong under it what they fetched in
 * between, and no older entry is given an end. The next publication has a new id, and closes them.
 */
export function close(history: History, now: number, rollingBack = false): History {
  const last = current(history);
  // Once it was seen all is said: what has no end then must not be given one because it is seen again.
  if (last === undefined || last.live !== undefined) return history;
  const entries = history.entries.map((entry) => {
    if (entry === last) return { ...entry, live: now };
    return rollingBack ? entry : closed(entry, last.id, now);
  });
  return { ...history, entries };
}

function closed(entry: HistoryEntry, announced: string, now: number): HistoryEntry {
  const { live, until, ...open } = entry;
  if (entry.id !== announced && entry.under.includes(announced) && isHeld(entry, now)) {
    // Its own id was announced soon after it was seen live, which ended what was held under another one.
    if (live === undefined || isHeld({ ...entry, until: live }, now)) return open;
  }
  return { ...entry, until: until ?? now };
}

/** What a ledger is that cannot be read: the history is lost, and that it was is kept. */
export function restarted(why: string, now: number): History {
  return { entries: [], gap: { at: now, why } };
}

/** Enforced by a policy that senders may hold, and not covered by it. */
export interface MxConflict {
  readonly id: string;
  readonly maxAge: number;
  readonly hosts: readonly string[];
  /** When it was first put, as far as the ledger knows. */
  readonly from: number;
  /** When the last sender has dropped it; missing while senders may still be given it. */
  readonly end?: number;
}

/** The policies for whose sake senders may refuse mail to some of these hosts (RFC 8461 §5), each once. */
export function uncoveredByCachedPolicies({ entries }: History, hosts: readonly string[], now: number): readonly MxConflict[] {
  const byPolicy = new Map<string, MxConflict>();
  for (const entry of entries) {
    if (entry.mode !== 'enforce' || !isHeld(entry, now)) continue;
    const { covered } = mxCoverage(entry.mx, hosts);
    const missed = hosts.filter((_, index) => !covered[index]);
    if (missed.length === 0) continue;
    const key = entry.hash ?? entry.id;
    const before = byPolicy.get(key);
    const { id, maxAge, from } = before ?? entry;
    // The same policy may have been put several times; it is held until the last of them is over.
    const ends = [entry.until === undefined ? Infinity : endOfHold(maxAge, entry.until), before === undefined ? 0 : before.end ?? Infinity];
    const end = Math.max(...ends);
    byPolicy.set(key, { id, maxAge, from, hosts: missed, ...end === Infinity ? {} : { end } });
  }
  return [...byPolicy.values()];
}
