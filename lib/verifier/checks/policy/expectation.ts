// Check: is what is live the very thing that the caller meant to publish?
import { parsePolicy } from '../../../protocol/policy/policy';
import type { Mode, Policy } from '../../../protocol/policy/policy';
import { policyHash, readPolicyId } from '../../../protocol/policy/id';
import { policyHostName, policyUrl } from '../../../protocol/policy/url';
import type { StsRecord } from '../../../protocol/records/sts-record';
import { safeText } from '../../../util/safe-text';
import { firstDifference } from '../../difference';
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

/** What the caller expects; what is undefined may be anything. */
export interface Expectation {
  /** The id of the record. Where it is of the form that the constructs publish, the file must have the hash at its end, too. */
  readonly expectId?: string;
  readonly expectMode?: Mode;
  /** The policy file exactly as it shall be served. */
  readonly expectPolicy?: string | Uint8Array;
  /**
   * The hash of that file, as `policyHash` returns it, where the file itself is not at hand.
   *
   * @default - what `expectId` says of it
   */
  readonly expectHash?: string;
}

/** The mode that the caller expects, said or to be read from the file. */
export function expectedMode({ expectMode, expectPolicy }: Expectation): Mode | undefined {
  return expectMode ?? (expectPolicy === undefined ? undefined : parsePolicy(Buffer.from(expectPolicy)).policy?.mode);
}

/** What was found live; what is undefined has findings of its own. */
export interface Live {
  readonly record?: StsRecord;
  readonly policy?: Policy;
  readonly body?: Uint8Array;
  /** What was asked of whom and what came back, for the record and for the file. */
  readonly recordEvidence?: string;
  readonly fileEvidence?: string;
}

export function checkExpectation(domain: string, expected: Expectation, live: Live): LiveFinding[] {
  const { expectId, expectMode, expectPolicy, expectHash = readPolicyId(expectId ?? '')?.hash } = expected;
  const { record, policy, body, recordEvidence, fileEvidence: evidence } = live;
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
