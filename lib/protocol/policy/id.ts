// The id of a publication (RFC 8461 §3.1): when a policy was published, and which bytes it names. No two publications share one.
import { createHash } from 'node:crypto';

/** Hexadecimal characters of a hash: 64 bits tell the policies of one domain apart, and leave room for the time. */
const HASH_LENGTH = 16;

/** `20261130T192408` and the hash. */
const FORM = new RegExp(`^(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)([0-9a-f]{${HASH_LENGTH}})$`);

/** Milliseconds since the epoch of 9999-12-31T23:59:59Z, the last second that an id can hold. */
export const LAST_ID_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);

/** What an id of this form says. */
export interface PolicyIdParts {
  /** When the policy was published, in milliseconds since the epoch; whole seconds. */
  readonly time: number;
  /** The hash of the bytes that it names, as `policyHash` returns it. */
  readonly hash: string;
}

/**
 * Returns the first 16 hexadecimal characters of the SHA-256 of a policy file: the end of every id that names it.
 *
 * @param policy - the policy file exactly as served, line ends included; of a text its UTF-8 bytes
 */
export function policyHash(policy: string | Uint8Array): string {
  return createHash('sha256').update(policy).digest('hex').slice(0, HASH_LENGTH);
}

/**
 * Renders an id: the UTC time and the hash, 31 letters and digits, `20261130T192408a1b2c3d4e5f60718` for example.
 *
 * @param time - milliseconds since the epoch; a part of a second is dropped
 * @param hash - as `policyHash` returns it
 * @throws RangeError for a time before the year 1000 or after 9999, or another hash
 */
export function renderPolicyId(time: number, hash: string): string {
  const id = isInRange(time) ? `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}${hash}` : '';
  if (!FORM.test(id)) throw new RangeError(`no policy id can be made of the time ${time} and the hash ${JSON.stringify(hash)}`);
  return id;
}

/** Reads an id of this form; undefined for any other, which RFC 8461 allows as well. */
export function readPolicyId(id: string): PolicyIdParts | undefined {
  const match = FORM.exec(id);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  const hash = match[7];
  // 30 February is a date to `Date.UTC`, and the years 0 to 99 are of the twentieth century.
  return isInRange(time) && renderPolicyId(time, hash) === id ? { time, hash } : undefined;
}

function isInRange(time: number): boolean {
  return time >= Date.UTC(1000) && time < LAST_ID_TIME + 1000;
}

/**
 * Returns the id of the releases before 0.2: 32 hexadecimal characters of the same hash. A template of such a release names it itself, and
 * the ledger may hold it.
 */
export function policyId(policy: string | Uint8Array): string {
  return createHash('sha256').update(policy).digest('hex').slice(0, 32);
}

/** Returns the hash of the bytes that an id names, of today's form or that of the releases before 0.2; undefined for any other id. */
export function hashOfPolicyId(id: string): string | undefined {
  return readPolicyId(id)?.hash ?? (/^[0-9a-f]{32}$/.test(id) ? id.slice(0, HASH_LENGTH) : undefined);
}
