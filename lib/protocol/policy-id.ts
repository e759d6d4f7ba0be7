// The id of a policy: a hash of the exact bytes served, so that it changes if and only if the bytes do.
import { createHash } from 'node:crypto';

/**
 * The first 32 hexadecimal characters of the SHA-256 of the text's UTF-8 bytes: as long as RFC 8461 §3.1 allows an id to be.
 *
 * @param text - the policy file exactly as served, line ends included
 */
export function policyId(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32);
}
