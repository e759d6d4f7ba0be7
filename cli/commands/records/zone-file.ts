// Records as a zone file has them (RFC 1035 §5): fully qualified, texts quoted and in pieces that DNS can hold.
import { characterStrings } from '../../../lib/protocol/records/character-strings';
import { safeText } from '../../../lib/util/safe-text';
import { recordsOf, whereOf } from './record';
import type { ManualRecord, PublishedDomain } from './record';

/** A zone file that can be loaded: what is not known yet is a comment. */
export function zoneText(domains: readonly PublishedDomain[]): string {
  return domains.map((one) => [
    `; MTA-STS and TLSRPT of ${one.domain}; create _mta-sts last, when the policy is served`,
    ...recordsOf(one).map((record) => recordLine(record, whereOf(record, one))),
  ].map((line) => `${line}\n`).join('')).join('\n');
}

function recordLine({ name, type, ttl, value }: ManualRecord, where: string): string {
  const begin = `${name}. ${ttl} IN ${type}`;
  if (value === null) return `; ${begin} <${safeText(where, 1000)}>`;
  return `${begin} ${type === 'CNAME' ? `${value}.` : characterStrings(value)}`;
}
