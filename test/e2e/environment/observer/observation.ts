// What a sender sees that looks at the TXT record, the addresses of the policy host and the file.

interface RecordObservation {
  /** Milliseconds since the epoch, when the look began. */
  readonly at: number;
  /** The id in the TXT record; missing where there is none, more than one (RFC 8461 §3.1), or one that is not valid. */
  readonly published?: string;
  /** The hash of the bytes that this id names; missing where it is somebody else's. */
  readonly names?: string;
  /** Whether there is more than one record. */
  readonly several?: true;
  /** The address that was asked for the file. */
  readonly edge: string;
}

export interface Observation extends RecordObservation {
  /** The hash of the bytes that were served; missing where the edge said that there are none. */
  readonly served?: string;
}

/** A look that got nothing to go by: the policy host has no such address; 429, 5xx, no certificate, no answer. The record was seen. */
export interface UnreachedObservation extends RecordObservation {
  readonly why: string;
}

/** A look that had no answer from DNS: nothing was seen, whatever the edge served. */
export interface FailedObservation {
  readonly at: number;
  readonly why: string;
}

/**
 * Whether a look saw neither of two policies announced while one replaces the other: no record, or that of another one.
 *
 * @param before - the hash of its bytes, and so `after`
 */
export function publishesNeither({ names }: Pick<RecordObservation, 'names'>, before: string, after: string): boolean {
  return names !== before && names !== after;
}

/** Whether a look was served neither of two policies, by their hashes: none, or another one. */
export function servesNeither({ served }: Pick<Observation, 'served'>, before: string, after: string): boolean {
  return served !== before && served !== after;
}

/** What the thread that looks is told. */
export interface ObserverOptions {
  /** PEM of what is to be trusted. */
  readonly ca: string;
  /** Which of the two is looked at first: what must be there already when the other one is seen must be looked at later. */
  readonly first: 'record' | 'file';
  /** @default example.test */
  readonly domain?: string;
  /** Where several watches share the machine, fewer. @default 110, for a hundred where some are late */
  readonly observationsPerSecond?: number;
  /** Its `User-Agent`, by which the edge can tell it from others. @default none */
  readonly name?: string;
}

/** What it tells, some times a second and at its end. */
export interface ObservationBatch {
  readonly observations: readonly Observation[];
  readonly unreached: readonly UnreachedObservation[];
  readonly failed: readonly FailedObservation[];
  /** How often a look asked the edge again, see watch-thread.ts. */
  readonly edgeRetries: number;
  /** Nothing more will come. */
  readonly last: boolean;
}
