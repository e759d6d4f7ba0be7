// The id of a policy: a hash of the exact bytes served, so that it changes if and only if the bytes do.
import { createHash } from 'node:crypto';

/**
 * The first 32 hexadecimal characters of the SHA-256 of the bytes: as long as RFC 8461 §3.1 allows an id to be.
 *
 * @param policy - the policy file exactly as served, line ends included; of a text its UTF-8 bytes
 */
export function policyId(policy: string | Uint8Array): string {
  return createHash('sha256').update(policy).digest('hex').slice(0, 32);
}
