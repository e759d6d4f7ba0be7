// What the records of a DNS message carry, by type, in the shapes of the resolver.
import { SocketAddress } from 'node:net';
import type { Answer } from 'dns-packet';
import { decodeText } from '../../util/safe-text';
import { normalizeName } from './transport';
import type { DnsData, DnsType } from './resolver';

/** The data of a record, or undefined when the record is of another type or class. */
export function dataOf<T extends DnsType>(record: Answer, type: T): DnsData[T] | undefined {
  return record.type === type && record.class === 'IN' ? READERS[type](record) : undefined;
}

const READERS: { readonly [T in DnsType]: (record: Answer) => DnsData[T] | undefined } = {
  A: (record) => record.type === 'A' ? record.data : undefined,
  // One spelling for each address, so that two can be compared (RFC 5952).
  AAAA: (record) => record.type === 'AAAA' ? new SocketAddress({ address: record.data, family: 'ipv6' }).address : undefined,
  CAA: (record) => record.type === 'CAA'
    ? { critical: record.data.issuerCritical === true, tag: record.data.tag, value: record.data.value }
    : undefined,
  CNAME: (record) => record.type === 'CNAME' ? normalizeName(record.data) : undefined,
  MX: (record) => record.type === 'MX'
    ? { preference: record.data.preference ?? 0, exchange: normalizeName(record.data.exchange) }
    : undefined,
  NS: (record) => record.type === 'NS' ? normalizeName(record.data) : undefined,
  TLSA: (record) => record.type === 'TLSA'
    ? { usage: record.data.usage, selector: record.data.selector, matchingType: record.data.matchingType }
    : undefined,
  TXT: (record) => record.type === 'TXT' ? decodeStrings([record.data].flat().map((string) => Buffer.from(string))) : undefined,
};

/** A character that two character-strings share is read whole: they are joined with nothing between (RFC 8461 §3.1). */
function decodeStrings(strings: readonly Buffer[]): readonly string[] {
  const whole = decodeText(Buffer.concat(strings));
  const each = strings.map(decodeText);
  return each.join('') === whole ? each : [whole];
}
