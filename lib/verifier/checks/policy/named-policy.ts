// Check: is the file that is served the one that the id names? Only ids of the constructs' own form say so.
import { policyHash, readPolicyId } from '../../../protocol/policy/id';
import { liveFinding } from '../../findings';
import type { LiveFinding } from '../../result';
import type { Live } from './expectation';

/** Findings that say the same of what the caller expects, and more exactly. */
const SAID: ReadonlySet<string> = new Set(['id-unexpected', 'policy-unexpected']);

/**
 * Looks at the hash at the end of the id.
 *
 * @param unexpected - what was found about the caller's expectations
 */
export function checkNamedPolicy(domain: string, live: Live, unexpected: readonly LiveFinding[]): LiveFinding[] {
  const { record, body, recordEvidence, fileEvidence } = live;
  const named = record && readPolicyId(record.id);
  if (record === undefined || named === undefined || body === undefined || unexpected.some(({ code }) => SAID.has(code))) return [];
  const served = policyHash(body);
  if (served === named.hash) return [];
  const published = new Date(named.time).toISOString().replace('.000Z', 'Z');
  return [liveFinding('id-names-other-policy', {
    subject: `_mta-sts.${domain} TXT`,
    evidence: [recordEvidence, fileEvidence, `hash of the file served: ${served}`].filter((one) => one !== undefined).join('; '),
    message: `the id \`${record.id}\` was made at ${published} for a file with the hash \`${named.hash}\`, but the file served has the hash \`${served}\`: `
      + 'a deployment was rolled back or is under way, or somebody changed the file or the record by hand',
  })];
}
