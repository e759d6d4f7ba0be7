// The areas of findings. Each is a test case of its own in JUnit XML.
import type { LiveFinding } from '../../lib/verifier/result';

/** The areas in the order of a sender's steps. `other` is for findings outside of all steps. */
export const AREAS = ['record', 'policy-host', 'policy-file', 'mx', 'smtp', 'tls-reporting', 'other'] as const;

export type Area = (typeof AREAS)[number];

/** Returns the area of a finding, from its subject, and from its code if a subject has two areas. */
export function areaOf({ subject, code }: LiveFinding): Area {
  if (subject.startsWith('_smtp._tls.') || code.startsWith('tls-rpt-')) return 'tls-reporting';
  if (/^_mta[-_]sts\./.test(subject) || code.startsWith('record-') || / (?:NS|CNAME)$/.test(subject)) return 'record';
  if (subject.startsWith('https://')) return HOST_CODES.has(code) ? 'policy-host' : 'policy-file';
  if (subject.startsWith('mta-sts.')) return 'policy-host';
  if (subject.startsWith('MX ')) return COVERAGE_CODES.has(code) ? 'mx' : 'smtp';
  if (subject === 'SMTP') return 'smtp';
  return subject.endsWith(' MX') ? 'mx' : 'other';
}

/** Codes about the policy host rather than the file. */
const HOST_CODES: ReadonlySet<string> = new Set([
  'sts-webpki-invalid', 'certificate-near-expiry', 'address-unreachable', 'address-family-unusable', 'address-not-public', 'policy-slow', 'local-fault',
  'internal-fault', 'policy-content-coding', 'policy-media-type-parameters', 'policy-http-malformed', 'policy-http2-only', 'tls-cipher-uncommon',
]);

/** Codes about the coverage of a mail host, without a connection to it. */
const COVERAGE_CODES: ReadonlySet<string> = new Set(['mx-not-covered', 'mx-wildcard-shared', 'mx-no-address', 'mx-alias']);
