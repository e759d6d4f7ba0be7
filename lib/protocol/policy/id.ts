// The id of a publication (RFC 8461 §3.1): the time of the publication and the hash of the policy file. Each publication has its own id.
import { createHash } from 'node:crypto';

/** Hexadecimal characters of the hash. 64 bits distinguish the policies of one domain and leave room for the time. */
const HASH_LENGTH = 16;

/** Matches `20261130T192408` followed by the hash. */
const FORM = new RegExp(`^(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)([0-9a-f]{${HASH_LENGTH}})$`);

/** 9999-12-31T23:59:59Z in milliseconds since the epoch: the last second that an id can contain. */
export const LAST_ID_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Parts of an id. */
export interface PolicyIdParts {
  /** Time of the publication in milliseconds since the epoch, a whole second. */
  readonly time: number;
  /** Hash of the policy file, as `policyHash` returns it. */
  readonly hash: string;
}

/**
 * Returns the first 16 hexadecimal characters of the SHA-256 of a policy file. Every id for this file ends with them.
 *
 * @param policy - the policy file exactly as served, with its line ends; a string stands for its UTF-8 bytes
 */
export function policyHash(policy: string | Uint8Array): string {
  return createHash('sha256').update(policy).digest('hex').slice(0, HASH_LENGTH);
}

/**
 * Renders an id of 31 letters and digits: the UTC time and the hash, for example `20261130T192408a1b2c3d4e5f60718`.
 *
 * @param time - milliseconds since the epoch; fractions of a second are dropped
 * @param hash - hash of the policy file, as `policyHash` returns it
 * @throws RangeError for a time before the year 1000 or after 9999, or for a malformed hash
 */
export function renderPolicyId(time: number, hash: string): string {
  const id = isInRange(time) ? `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}${hash}` : '';
  if (!FORM.test(id)) throw new RangeError(`cannot make a policy id from the time ${time} and the hash ${JSON.stringify(hash)}`);
  return id;
}

/** Reads an id of this form. Returns undefined for any other id; RFC 8461 allows others too. */
export function readPolicyId(id: string): PolicyIdParts | undefined {
  const match = FORM.exec(id);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, hash = ''] = match;
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  // `Date.UTC` accepts 30 February, and reads the years 0 to 99 as years of the twentieth century.
  return isInRange(time) && renderPolicyId(time, hash) === id ? { time, hash } : undefined;
}

function isInRange(time: number): boolean {
  return time >= Date.UTC(1000) && time < LAST_ID_TIME + 1000;
}

/**
 * Returns the id that releases before 0.2 used: 32 hexadecimal characters of the same hash. Templates of those releases contain it, and
 * the publication history may contain it.
 */
export function policyId(policy: string | Uint8Array): string {
  return createHash('sha256').update(policy).digest('hex').slice(0, 32);
}

/** Returns the hash that an id contains, in today's form or in that of the releases before 0.2. Returns undefined for any other id. */
export function hashOfPolicyId(id: string): string | undefined {
  return readPolicyId(id)?.hash ?? (/^[0-9a-f]{32}$/.test(id) ? id.slice(0, HASH_LENGTH) : undefined);
}
