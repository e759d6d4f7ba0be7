// Which bytes an id names. The stage has its own reading of it, beside the product's: `20261130T192408` and the hash of the bytes.
import { createHash } from 'node:crypto';

const FORM = /^(\d{8}T\d{6})([0-9a-f]{16})$/;

/** Of a policy file: what an id that names it ends with. */
export function hashPolicy(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** The hash of the bytes that an id names; undefined for an id of somebody else. */
export function parseIdHash(id: string): string | undefined {
  return FORM.exec(id)?.[2];
}

/** Whether an id was made for a publication later than that of another one. */
export function isLater(id: string, than: string): boolean {
  const [time, before] = [id, than].map((one) => FORM.exec(one)?.[1]);
  return time !== undefined && before !== undefined && time > before;
}

/** An id in few characters: the time of day, and the beginning of the hash. */
export function shortId(id: string): string {
  const parts = FORM.exec(id);
  return parts === null ? id.slice(0, 6) : `${parts[1].slice(9)} ${shortHash(parts[2])}`;
}

export function shortHash(hash: string): string {
  return hash.slice(0, 6);
}

/** Of a record set as `standing` reads it; undefined where it is not one record with an id. */
export function parseRecordId(record = ''): string | undefined {
  return /^v=STSv1; id=([^;|]+);$/.exec(record)?.[1];
}
