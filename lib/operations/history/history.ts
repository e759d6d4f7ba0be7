// The publication history: the published policies with their times, and the policies that senders may still hold (RFC 8461 §3.2, §8.3).
// Pure: no clock, no network.
import { mxCoverage } from '../../protocol/mx/coverage';
import { LAST_ID_TIME, hashOfPolicyId, readPolicyId, renderPolicyId } from '../../protocol/policy/id';
import { MAX_AGE_LIMIT } from '../../protocol/policy/policy';
import type { Policy } from '../../protocol/policy/policy';

/** A policy with its id. */
export interface PublishedVersion extends Policy {
  readonly id: string;
  /** The hash of the bytes, as `policyHash` returns it. Missing for a policy that something else published. */
  readonly hash?: string;
  /** The id of the request that published the policy. Missing where it is not known. */
  readonly requestId?: string;
}

/** One publication of a policy. All times are in milliseconds since the epoch. */
export interface HistoryEntry extends PublishedVersion {
  /** The time just before the file was put. From then on, senders may fetch it. */
  readonly publishedAt: number;
  /** The time when every edge served the file. Missing: not confirmed, or senders may hold the policy although another one is served. */
  readonly confirmedLiveAt?: number;
  /** The time when every edge served another policy instead. Missing: senders may still fetch or refresh this policy. */
  readonly replacedAt?: number;
  /**
   * The ids that the `_mta-sts` record may have had when the file was put. A sender that fetched the file then holds it under such an id.
   * Seven of the senders in use extend a held policy without another fetch, for as long as the record has the same id.
   */
  readonly announcedIds: readonly string[];
}

/** The reason why a history does not reach back to the first publication. */
export interface Gap {
  /** The time when the history was started again. */
  readonly restartedAt: number;
  /** A phrase for people: `was damaged`. */
  readonly reason: string;
}

/** All publications that senders may hold, oldest first. The last entry is the published policy. */
export interface History {
  readonly entries: readonly HistoryEntry[];
  /** Missing: the history has every policy that senders can hold, except policies from before `startedAt`. */
  readonly gap?: Gap;
  /**
   * The time of the first publication by this construct. The history cannot show whether something else published a policy for the domain
   * before, such as an earlier construct or a deployment that was rolled back. Missing once no sender can hold such a policy.
   */
  readonly startedAt?: number;
  /** The latest id that was ever chosen, also after its entry is dropped. Missing while no id of the current form was chosen. */
  readonly lastId?: string;
}

/** Returns the policy that is published, or about to be. */
export function currentEntry({ entries }: History): HistoryEntry | undefined {
  return entries.at(-1);
}

/** Returns an empty history that replaces an unreadable one. */
export function restarted(reason: string, now: number): History {
  return { entries: [], gap: { restartedAt: now, reason } };
}

// --- Ids ---

/**
 * Returns the id that a publication of these bytes keeps. It is the id of the last entry if that entry has the same bytes and was
 * confirmed live. A request that comes twice gets the same id both times.
 *
 * An id that the record had beside other bytes is not kept, because senders may hold those bytes under it. A rollback to a template of a
 * release before 0.2 leaves such an id: that template names the same id as before.
 *
 * @param hash - the hash of the bytes
 * @param requestId - the id of the request that publishes the bytes
 */
export function keptId({ entries }: History, hash: string, requestId: string): string | undefined {
  const last = entries.at(-1);
  if (!publishesBytes(last, hash) || (last.confirmedLiveAt === undefined && last.requestId !== requestId)) return undefined;
  return entries.some((entry) => entry.hash !== hash && entry.announcedIds.includes(last.id)) ? undefined : last.id;
}

/** Returns whether an entry has these bytes, and its id names them. */
export function publishesBytes(entry: HistoryEntry | undefined, hash: string): entry is HistoryEntry {
  return entry?.hash === hash && hashOfPolicyId(entry.id) === hash;
}

/** Ids with a later time do not come from a working clock. No later id could follow them. */
const MAX_PLAUSIBLE_TIME_MS = LAST_ID_TIME - 365 * 86_400_000;

/**
 * Returns an id that was never used. It is later than every id of the history and the id in the record, even if the clock is behind.
 *
 * @param hash - the hash of the bytes that the id names
 * @param now - milliseconds since the epoch
 * @param publishedId - the id in the record, if known
 */
export function unusedId({ entries, lastId }: History, hash: string, now: number, publishedId?: string): string {
  const known = new Set([lastId, publishedId, ...entries.map((entry) => entry.id), ...entries.flatMap(({ announcedIds }) => announcedIds)]);
  let time = now;
  for (const id of known) {
    const used = id === undefined ? undefined : readPolicyId(id)?.time;
    if (used !== undefined && used < MAX_PLAUSIBLE_TIME_MS && used + 1000 > time) time = used + 1000;
  }
  // Ids after the maximum time were left out above.
  while (known.has(renderPolicyId(time, hash))) time += 1000;
  return renderPolicyId(time, hash);
}

function laterId(one: string | undefined, other: string): string | undefined {
  const time = readPolicyId(other)?.time;
  if (time === undefined || time >= MAX_PLAUSIBLE_TIME_MS) return one;
  return one === undefined || (readPolicyId(one)?.time ?? 0) < time ? other : one;
}

// --- Changes ---

/**
 * Adds a policy that is about to be put. A policy with the id of the last entry is not added again.
 *
 * @param publishedId - the id in the record, if known: usually the id of the last entry
 */
export function recordPublication(history: History, version: PublishedVersion, now: number, publishedId?: string): History {
  const { id, hash, requestId, mode, maxAge, mx } = version;
  const entries = reopened(history.entries, publishedId).filter((entry) => mayBeCached(entry, now));
  const { gap, startedAt } = history;
  // Policies that the history may lack expire one day. The gap and the start no longer matter then.
  const kept: History = {
    entries,
    gap: gap !== undefined && latestCacheEnd(gap.restartedAt) >= now ? gap : undefined,
    startedAt: startedAt !== undefined && latestCacheEnd(startedAt) >= now ? startedAt : undefined,
    lastId: laterId(history.lastId, id),
  };
  if (entries.at(-1)?.id === id) return kept;
  // The ids of policies that are served, and the ids that some resolvers may still return.
  const possible = entries.filter(({ replacedAt }) => replacedAt === undefined || replacedAt + CACHE_MARGIN_MS >= now);
  const announcedIds = [...new Set(possible.map((entry) => entry.id))];
  return { ...kept, entries: [...entries, { id, hash, requestId, mode, maxAge, mx, publishedAt: now, announcedIds }] };
}

/**
 * Removes the end of each entry that senders may hold under the id in the record. The record may have kept this id when the file changed:
 * as a manual record, or after a deployment that failed half way. Senders extend a held policy for as long as the record has its id.
 */
function reopened(entries: readonly HistoryEntry[], publishedId: string | undefined): readonly HistoryEntry[] {
  if (publishedId === undefined || entries.at(-1)?.id === publishedId) return entries;
  return entries.map((entry) => {
    return entry.id === publishedId || entry.announcedIds.includes(publishedId) ? { ...entry, replacedAt: undefined } : entry;
  });
}

/**
 * Notes that every edge serves the last entry, so senders no longer fetch the others.
 *
 * @param isRollingBack - whether the record may keep its previous id. Senders may then extend, under this id, a policy that they fetched
 * in between, so no older entry gets an end. The next publication has a new id and ends them.
 */
export function confirmLive(history: History, now: number, isRollingBack = false): History {
  const last = currentEntry(history);
  // A second confirmation must not end an entry that the first one left open.
  if (last === undefined || last.confirmedLiveAt !== undefined) return history;
  const entries = history.entries.map((entry) => {
    if (entry === last) return { ...entry, confirmedLiveAt: now };
    return isRollingBack ? entry : replaced(entry, last.id, now);
  });
  return { ...history, entries };
}

function replaced(entry: HistoryEntry, newId: string, now: number): HistoryEntry {
  const { confirmedLiveAt, replacedAt } = entry;
  const isUnderNewId = entry.id !== newId && entry.announcedIds.includes(newId) && mayBeCached(entry, now);
  // The record got the entry's own id soon after the entry was confirmed. That ended the policies that senders held under another id.
  if (isUnderNewId && (confirmedLiveAt === undefined || mayBeCached({ ...entry, replacedAt: confirmedLiveAt }, now))) {
    return { ...entry, confirmedLiveAt: undefined, replacedAt: undefined };
  }
  return { ...entry, replacedAt: replacedAt ?? now };
}

// --- Policies that senders hold ---

/**
 * Time after the change of the file in which a sender may still refresh the old policy, in milliseconds.
 *
 * A sender that sees the old id in the record extends the old policy for its whole `max_age`, often without a fetch. The record changes
 * only after the file: CloudFormation takes a few minutes, or more in a stack with many domains. Route 53 takes one more minute until all
 * its servers know. Resolvers then return the old record for its TTL of 300 seconds. Add fetches in progress (one minute, RFC 8461 §3.3)
 * and differences between clocks. One hour is more than enough, and short compared with the age of a policy.
 */
export const CACHE_MARGIN_MS = 3_600_000;

/** Returns the time when the last sender has dropped a policy that was replaced at the given time. */
export function cacheEnd(maxAge: number, replacedAt: number): number {
  return replacedAt + maxAge * 1000 + CACHE_MARGIN_MS;
}

/** Returns the time when the last sender has dropped any policy that was served before the given time. */
function latestCacheEnd(before: number): number {
  return cacheEnd(MAX_AGE_LIMIT, before);
}

/** Returns whether a sender may hold the policy. */
function mayBeCached({ maxAge, replacedAt }: Pick<HistoryEntry, 'maxAge' | 'replacedAt'>, now: number): boolean {
  return replacedAt === undefined || cacheEnd(maxAge, replacedAt) >= now;
}

/** A policy that senders may hold, and that does not cover some of the MX hosts. */
export interface MxConflict {
  readonly id: string;
  readonly maxAge: number;
  readonly hosts: readonly string[];
  /** The time of its first publication, as far as the history knows. */
  readonly publishedAt: number;
  /** The time when the last sender has dropped the policy. Missing while senders may still fetch it. */
  readonly cachedUntil?: number;
}

/** Returns the enforce policies that senders may hold and that do not cover all of these hosts, each once (RFC 8461 §5). */
export function uncoveredByCachedPolicies({ entries }: History, hosts: readonly string[], now: number): readonly MxConflict[] {
  const byPolicy = new Map<string, MxConflict>();
  for (const entry of entries) {
    if (entry.mode !== 'enforce' || !mayBeCached(entry, now)) continue;
    const { covered } = mxCoverage(entry.mx, hosts);
    const missed = hosts.filter((_, index) => !covered[index]);
    if (missed.length === 0) continue;
    const key = entry.hash ?? entry.id;
    const before = byPolicy.get(key);
    const { id, maxAge, publishedAt } = before ?? entry;
    // The same policy may have been published several times. Senders hold it until the last of these ends.
    const ownEnd = entry.replacedAt === undefined ? Infinity : cacheEnd(maxAge, entry.replacedAt);
    const end = Math.max(ownEnd, before === undefined ? 0 : before.cachedUntil ?? Infinity);
    byPolicy.set(key, { id, maxAge, publishedAt, hosts: missed, cachedUntil: end === Infinity ? undefined : end });
  }
  return [...byPolicy.values()];
}

// --- Removal ---

/**
 * Returns the time after which no sender can hold an enforce or testing policy, in ISO 8601, or the reason why the time is not known
 * (RFC 8461 §8.3).
 *
 * A sender that holds `none` behaves as if no policy existed, so the age of `none` does not matter.
 */
export function earliestRemoval(history: History): string {
  const { entries, gap, startedAt } = history;
  const last = currentEntry(history);
  if (last === undefined) return 'not known: nothing is published yet';
  if (last.mode !== 'none') return `not while ${last.mode} is published; publish none first`;
  const demanding = entries.filter(({ mode }) => mode !== 'none');
  const open = demanding.find(({ replacedAt }) => replacedAt === undefined);
  if (open !== undefined) return openEnd(last, open);
  const ends = demanding.map(({ maxAge, replacedAt = 0 }) => cacheEnd(maxAge, replacedAt));
  const known = Math.max(last.publishedAt, ...ends);
  const isComplete = startedAt === undefined || latestCacheEnd(startedAt) <= known;
  const time = isComplete ? isoTime(known) : `${isoTime(known)}, if nothing published a policy for the domain before ${isoTime(startedAt)}`;
  if (gap === undefined || latestCacheEnd(gap.restartedAt) <= known) return time;
  return `not known: the publication history ${gap.reason} and was started again at ${isoTime(gap.restartedAt)}; `
    + `at ${isoTime(latestCacheEnd(gap.restartedAt))} at the latest`;
}

/** Names the reason for an open end: the record may have an id under which senders hold the policy. The next publication has a new id. */
function openEnd(none: HistoryEntry, { id, mode }: HistoryEntry): string {
  return none.confirmedLiveAt === undefined
    ? 'not known: the policy none was not confirmed live; deploy again'
    : `not known after a rollback: the record may have kept its id, and senders may hold the ${mode} policy ${id} under it; known after the next publication`;
}

/** Returns a time in ISO 8601, rounded up to seconds: a time that is named as the end must not be too early. */
export function isoTime(time: number): string {
  return new Date(Math.ceil(time / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
