// Which part of the look-up a finding belongs to: a test case of its own in JUnit XML.
import type { LiveFinding } from '../../lib/verifier/result';

/** In the order of a sender's own steps; `other` is what belongs to none of them. */
export const AREAS = ['record', 'policy-host', 'policy-file', 'mx', 'smtp', 'tls-reporting', 'other'] as const;

export type Area = (typeof AREAS)[number];

/** Told by the subject, and by the code where one subject is of two areas. */
export function areaOf({ subject, code }: LiveFinding): Area {
  if (subject.startsWith('_smtp._tls.') || code.startsWith('tls-rpt-')) return 'tls-reporting';
  if (/^_mta[-_]sts\./.test(subject) || code.startsWith('record-') || / (?:NS|CNAME)$/.test(subject)) return 'record';
  if (subject.startsWith('https://')) return OF_HOST.has(code) ? 'policy-host' : 'policy-file';
  if (subject.startsWith('mta-sts.')) return 'policy-host';
  if (subject.startsWith('MX ')) return OF_COVERAGE.has(code) ? 'mx' : 'smtp';
  if (subject === 'SMTP') return 'smtp';
  return subject.endsWith(' MX') ? 'mx' : 'other';
}

/** What is wrong with the way to the file rather than with the file. */
const OF_HOST: ReadonlySet<string> = new Set([
  'sts-webpki-invalid', 'certificate-near-expiry', 'address-unreachable', 'address-family-unusable', 'address-not-public', 'policy-slow', 'local-fault',
  'internal-fault', 'policy-content-coding', 'policy-media-type-parameters', 'policy-http-malformed', 'policy-http2-only', 'tls-cipher-uncommon',
]);

/** What is said of a mail host by the policy, without a look at it. */
const OF_COVERAGE: ReadonlySet<string> = new Set(['mx-not-covered', 'mx-wildcard-shared', 'mx-no-address', 'mx-alias']);
