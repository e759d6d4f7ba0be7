// Records as a zone file has them (RFC 1035 §5): fully qualified, texts quoted and in pieces that DNS can hold.
import { printable } from '../../lib/protocol/text';
import { recordsOf } from './manual-record';
import type { ManualRecord, PublishedDomain } from './manual-record';

/** A character-string has at most so many bytes (RFC 1035 §3.3). */
const LONGEST_STRING = 255;

/** A zone file that can be loaded: what is not known yet is a comment. */
export function zoneText(domains: readonly PublishedDomain[]): string {
  return domains.map((one) => [
    `; MTA-STS and TLSRPT of ${one.domain}; create _mta-sts last, when the policy is served`,
    ...recordsOf(one).map((record) => recordLine(record, one.whereTarget)),
  ].map((line) => `${line}\n`).join('')).join('\n');
}

function recordLine({ name, type, ttl, value }: ManualRecord, whereTarget: string): string {
  const begin = `${name}. ${ttl} IN ${type}`;
  if (value === null) return `; ${begin} <${printable(whereTarget, 1000)}>`;
  return `${begin} ${type === 'CNAME' ? `${value}.` : characterStrings(value)}`;
}

/** A text as character-strings, `"v=STSv1; id=1;"`. */
export function characterStrings(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const count = Math.max(1, Math.ceil(bytes.length / LONGEST_STRING));
  return Array.from({ length: count }, (_, index) => quoted(bytes.subarray(index * LONGEST_STRING, (index + 1) * LONGEST_STRING))).join(' ');
}

/** `\DDD` is a byte by its decimal number (RFC 1035 §5.1). */
function quoted(bytes: Uint8Array): string {
  const characters = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === '\\') return `\\${character}`;
    return byte >= 0x20 && byte <= 0x7e ? character : `\\${String(byte).padStart(3, '0')}`;
  });
  return `"${characters.join('')}"`;
}
