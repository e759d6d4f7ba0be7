// Checks whether the live record and file are the ones that the caller published.
import { parsePolicy } from '../../../protocol/policy/policy';
import type { Mode, Policy } from '../../../protocol/policy/policy';
import { policyHash, readPolicyId } from '../../../protocol/policy/id';
import { policyHostName, policyUrl } from '../../../protocol/policy/url';
import type { StsRecord } from '../../../protocol/records/sts-record';
import { safeText } from '../../../util/safe-text';
import { firstDifference } from '../../../util/first-difference';
import type { LiveFinding } from '../../result';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { findingFactory } from '../live-finding';

export const EXPECTATION_FINDINGS = {
  'id-unexpected': {
    severity: 'error',
    area: 'record',
    temporary: true,
    meaning: 'The record has another id than was expected.',
    impact: 'Senders that know this id keep the policy that they have cached, and do not fetch the new one.',
    fix: 'publish the intended id, after the file that belongs to it is live',
    reference: 'RFC 8461 §3.1 and §8.1',
  },
  'mode-unexpected': {
    severity: 'error',
    area: 'policy-file',
    temporary: true,
    meaning: 'The policy has another mode than was expected.',
    impact: 'Senders act in another way than intended.',
    fix: 'publish a policy of the intended mode, then change the id in the TXT record',
    reference: 'RFC 8461 §3.2',
  },
  'policy-unexpected': {
    severity: 'error',
    area: 'policy-file',
    temporary: true,
    meaning: 'The file served is not the one that was expected, byte for byte.',
    impact: 'Senders act on another policy than intended.',
    fix: 'publish the intended file, then change the id in the TXT record',
    reference: 'RFC 8461 §3.2 and §8.1',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory(EXPECTATION_FINDINGS);

/** The caller's expectation. An undefined property accepts any value. */
export interface Expectation {
  /** The id of the record. An id made by the constructs ends with a hash, which the file must then have. */
  readonly expectId?: string;
  readonly expectMode?: Mode;
  /** The exact bytes of the policy file. */
  readonly expectPolicy?: string | Uint8Array;
  /**
   * The hash of the policy file, as `policyHash` returns it, where the caller does not have the file.
   *
   * @default - the hash in `expectId`
   */
  readonly expectHash?: string;
}

/** Returns the expected mode: `expectMode`, or else the mode of the expected file. */
export function expectedMode({ expectMode, expectPolicy }: Expectation): Mode | undefined {
  return expectMode ?? (expectPolicy === undefined ? undefined : parsePolicy(Buffer.from(expectPolicy)).policy?.mode);
}

/** The live record and policy. Other checks report why one of them is undefined. */
export interface PublishedPolicy {
  readonly record?: StsRecord;
  readonly policy?: Policy;
  readonly body?: Uint8Array;
  /** The server that was asked for the record, and its answer. */
  readonly recordEvidence?: string;
  /** The address that was asked for the file, and its answer. */
  readonly fileEvidence?: string;
}

/** Reports each difference between expectation and live domain. */
export function checkExpectation(domain: string, expected: Expectation, published: PublishedPolicy): LiveFinding[] {
  const { expectId, expectMode, expectPolicy, expectHash = readPolicyId(expectId ?? '')?.hash } = expected;
  const { record, policy, body, recordEvidence, fileEvidence: evidence } = published;
  const subject = policyUrl(policyHostName(domain));
  const findings: LiveFinding[] = [];
  if (expectId !== undefined && record !== undefined && record.id !== expectId) {
    findings.push(liveFinding('id-unexpected', {
      subject: `_mta-sts.${domain} TXT`, evidence: recordEvidence, message: `the id is \`${record.id}\`, expected \`${safeText(expectId)}\``,
    }));
  }
  if (expectMode !== undefined && policy !== undefined && policy.mode !== expectMode) {
    findings.push(liveFinding('mode-unexpected', { subject, evidence, message: `the mode is \`${policy.mode}\`, expected \`${expectMode}\`` }));
  }
  const file = expectPolicy === undefined ? undefined : Buffer.from(expectPolicy);
  if (file !== undefined && body !== undefined && !file.equals(body)) {
    const difference = firstDifference(file, body, 'expected', 'served');
    findings.push(liveFinding('policy-unexpected', { subject, evidence, message: `the file served is not the one expected: ${difference}` }));
  }
  if (file === undefined && expectHash !== undefined && body !== undefined && policyHash(body) !== expectHash) {
    const hashes = `its hash is \`${policyHash(body)}\`, expected \`${expectHash}\`, which the expected id names`;
    findings.push(liveFinding('policy-unexpected', { subject, evidence, message: `the file served is not the one expected: ${hashes}` }));
  }
  return findings;
}
