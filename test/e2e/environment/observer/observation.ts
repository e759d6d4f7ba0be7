// What one observation of the TXT record, the policy host's addresses and the policy file saw, as a sender sees them.

interface RecordObservation {
  /** Start of the observation, in milliseconds since the epoch. */
  readonly at: number;
  /** Valid id in the TXT record. Undefined if there is no record, more than one (RFC 8461 §3.1), or no valid id. */
  readonly published?: string;
  /** Hash of the bytes that the published id names. Undefined for an id of another form. */
  readonly names?: string;
  /** Set if there is more than one record. */
  readonly several?: true;
  /** Address that was asked for the file. */
  readonly edge: string;
}

export interface Observation extends RecordObservation {
  /** Hash of the served bytes. Undefined if the edge answered that there is no file. */
  readonly served?: string;
}

/** Observation that saw the record but got no file: wrong address of the policy host, status 429 or 5xx, no certificate, or no answer. */
export interface UnreachedObservation extends RecordObservation {
  readonly why: string;
}

/** Observation without an answer from DNS. It saw nothing, whatever the edge served. */
export interface FailedObservation {
  readonly at: number;
  readonly why: string;
}

/**
 * Returns whether the record names neither of two policies while one replaces the other: there is no record, or it names a third policy.
 *
 * @param before - hash of the old bytes
 * @param after - hash of the new bytes
 */
export function publishesNeither({ names }: Pick<RecordObservation, 'names'>, before: string, after: string): boolean {
  return names !== before && names !== after;
}

/** Returns whether the edge served neither of two policies, given by their hashes: no policy, or a third one. */
export function servesNeither({ served }: Pick<Observation, 'served'>, before: string, after: string): boolean {
  return served !== before && served !== after;
}

export interface ObserverOptions {
  /** PEM of the trusted certificate authority. */
  readonly ca: string;
  /**
   * What each observation reads first. To prove that A is never visible without B, read A first: what must exist when A is seen
   * must be read after A.
   */
  readonly first: 'record' | 'file';
  /** @default example.test */
  readonly domain?: string;
  /** Use fewer if several observers share the machine. @default 110, to reach a hundred although some are late */
  readonly observationsPerSecond?: number;
  /** `User-Agent`, by which the edge can recognize the observer. @default none */
  readonly name?: string;
}

/** Message of the observer thread to its `Observer`. */
export interface ObservationBatch {
  readonly observations: readonly Observation[];
  readonly unreached: readonly UnreachedObservation[];
  readonly failed: readonly FailedObservation[];
  /** Number of requests to an edge that were repeated because its function took too long. */
  readonly edgeRetries: number;
  /** Whether this is the final batch. */
  readonly last: boolean;
}
