// Check: is the file that is served the one that the id names? Only ids of the constructs' own form say so.
import { policyHash, readPolicyId } from '../../../protocol/policy/id';
import type { LiveFinding } from '../../result';
import type { Live } from './expectation';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { findingFactory } from '../live-finding';

export const NAMED_POLICY_FINDINGS = {
  'id-names-other-policy': {
    severity: 'warning',
    area: 'record',
    temporary: true,
    meaning: 'The id in the TXT record ends with the hash of another policy file than the one that is served.',
    impact: 'Senders that fetched the file that the id names keep it, others hold the file that is served now, and neither fetches again until the id '
      + 'changes.',
    fix: 'wait where a deployment is under way; else publish the policy again (deploy), so that the file gets an id of its own',
    reference: 'RFC 8461 §3.1 and §8.1',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory(NAMED_POLICY_FINDINGS);

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
