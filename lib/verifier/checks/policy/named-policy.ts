// Checks whether the served file is the one that the id names. Only ids made by the constructs end with a hash.
import { policyHash, readPolicyId } from '../../../protocol/policy/id';
import type { LiveFinding } from '../../result';
import type { Observed } from '../check';
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

/** Codes that report the same difference from the caller's expectation, more exactly. */
const EXACT_CODES: ReadonlySet<string> = new Set(['id-unexpected', 'policy-unexpected']);

/** Compares the hash at the end of the id with the hash of the served file. */
export function checkNamedPolicy({ domain, published, unexpected }: Observed): LiveFinding[] {
  const { record, body, recordEvidence, fileEvidence } = published;
  const named = record && readPolicyId(record.id);
  if (record === undefined || named === undefined || body === undefined || unexpected.some(({ code }) => EXACT_CODES.has(code))) return [];
  const served = policyHash(body);
  if (served === named.hash) return [];
  const time = new Date(named.time).toISOString().replace('.000Z', 'Z');
  return [liveFinding('id-names-other-policy', {
    subject: `_mta-sts.${domain} TXT`,
    evidence: [recordEvidence, fileEvidence, `hash of the file served: ${served}`].filter((one) => one !== undefined).join('; '),
    message: `the id \`${record.id}\` was made at ${time} for a file with the hash \`${named.hash}\`, but the file served has the hash \`${served}\`. `
      + 'A deployment was rolled back or is under way, or somebody changed the file or the record manually',
  })];
}
