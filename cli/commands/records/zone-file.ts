// Prints records as a zone file (RFC 1035 §5): fully qualified names, and texts in quoted character strings.
import { characterStrings } from '../../../lib/protocol/records/character-strings';
import { safeText } from '../../../lib/util/safe-text';
import { listRecords, valueSource } from './record';
import type { ManualRecord, PublishedDomain } from './record';

/** Returns a zone file that can be loaded. A record that is not known yet is a comment. */
export function zoneText(domains: readonly PublishedDomain[]): string {
  return domains.map((domain) => [
    `; MTA-STS and TLSRPT of ${domain.domain}; create _mta-sts last, after the policy is served`,
    ...listRecords(domain).map((record) => recordLine(record, valueSource(record, domain))),
  ].map((line) => `${line}\n`).join('')).join('\n');
}

function recordLine({ name, type, ttl, value }: ManualRecord, source: string): string {
  const begin = `${name}. ${ttl} IN ${type}`;
  if (value === null) return `; ${begin} <${safeText(source, 1000)}>`;
  return `${begin} ${type === 'CNAME' ? `${value}.` : characterStrings(value)}`;
}
