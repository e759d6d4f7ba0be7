// Reads policy ids: a time such as `20261130T192408`, and the hash of the policy file. Independent of the product's own code, to check it.
import { createHash } from 'node:crypto';

const FORM = /^(\d{8}T\d{6})([0-9a-f]{16})$/;

/** Returns the hash of a policy file, with which each id that names the file ends. */
export function hashPolicy(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** Returns the hash of the bytes that an id names, or undefined for an id of another form. */
export function parseIdHash(id: string): string | undefined {
  return FORM.exec(id)?.[2];
}

/** Returns whether an id has a later time than another id. */
export function isLater(id: string, other: string): boolean {
  const [time, otherTime] = [id, other].map((one) => FORM.exec(one)?.[1]);
  return time !== undefined && otherTime !== undefined && time > otherTime;
}

/** Returns an id in few characters: the time of day, and the start of the hash. */
export function shortId(id: string): string {
  const [, time = '', hash] = FORM.exec(id) ?? [];
  return hash === undefined ? id.slice(0, 6) : `${time.slice(9)} ${shortHash(hash)}`;
}

export function shortHash(hash: string): string {
  return hash.slice(0, 6);
}

/** Returns the id of a record set as `readLiveState` reads it, or undefined if it is not exactly one record with an id. */
export function parseRecordId(record = ''): string | undefined {
  return /^v=STSv1; id=([^;|]+);$/.exec(record)?.[1];
}
