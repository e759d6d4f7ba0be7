// Compares the area of each finding with the area that its subject suggests. `Loopback.verify` calls it for every verification.
import { expect } from '@jest/globals';
import type { Area } from '../../lib/protocol/findings/kind';
import type { LiveFinding, VerificationResult } from '../../lib/verifier/result';

/** Fails when a finding is in another area than its subject suggests. */
export function expectAreasBySubject({ findings }: VerificationResult): void {
  const label = ({ code, subject }: LiveFinding, area: Area): string => `${code} (${subject}): ${area}`;
  expect(findings.map((one) => label(one, one.area))).toEqual(findings.map((one) => label(one, areaBySubject(one))));
}

/** Derives the area from the subject, and from the code where a subject can belong to two areas. */
function areaBySubject({ subject, code }: LiveFinding): Area {
  const misplaced = MISPLACED.get(code);
  if (misplaced !== undefined) return misplaced;
  if (subject.startsWith('_smtp._tls.') || code.startsWith('tls-rpt-')) return 'tls-reporting';
  if (/^_mta[-_]sts\./.test(subject) || code.startsWith('record-') || / (?:NS|CNAME)$/.test(subject)) return 'record';
  if (subject.startsWith('https://')) return POLICY_HOST_CODES.has(code) ? 'policy-host' : 'policy-file';
  if (subject.startsWith('mta-sts.')) return 'policy-host';
  if (subject.startsWith('MX ')) return MX_CODES.has(code) ? 'mx' : 'smtp';
  if (subject === 'SMTP') return 'smtp';
  return subject.endsWith(' MX') ? 'mx' : 'other';
}

/** Codes whose subject is the wrong name, so the subject suggests no area. */
const MISPLACED: ReadonlyMap<string, Area> = new Map([['record-misplaced', 'record'], ['policy-host-misplaced', 'policy-host']]);

/** Codes about the connection to the file's address, not about the file. */
const POLICY_HOST_CODES: ReadonlySet<string> = new Set([
  'sts-webpki-invalid', 'certificate-near-expiry', 'address-unreachable', 'address-family-unusable', 'address-not-public', 'policy-slow', 'local-fault',
  'internal-fault', 'policy-content-coding', 'policy-media-type-parameters', 'policy-http-malformed', 'policy-http2-only', 'tls-cipher-uncommon',
]);

/** Codes about a mail host that need no connection to it. */
const MX_CODES: ReadonlySet<string> = new Set(['mx-not-covered', 'mx-wildcard-shared', 'mx-no-address', 'mx-alias']);
