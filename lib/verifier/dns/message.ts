// Decodes DNS messages from untrusted servers. No message can make the codec loop, lose its position or take long.
import { SocketAddress } from 'node:net';
import { decode } from 'dns-packet';
import type { Answer, DecodedPacket } from 'dns-packet';
import { decodeText } from '../../util/safe-text';
import { normalizeName } from './answer';
import type { DnsData, DnsType } from './answer';

/**
 * Decodes one message (RFC 1035 §4).
 *
 * `dns-packet` trusts the lengths inside a message. A TXT record that ends before its strings do sends the codec into an endless
 * loop. A record whose data is shorter than its length field shifts all later records. This function therefore checks every
 * length first, and makes records of unused types opaque.
 *
 * @returns undefined if the message is malformed, has more or fewer than one question, or has more than `MAX_RECORDS` records
 */
export function decodeMessage(bytes: Uint8Array): DecodedPacket | undefined {
  const message = Buffer.from(bytes);
  try {
    prepare(message);
    return decode(message);
  } catch {
    return undefined;
  }
}

/** Length of a message header (RFC 1035 §4.1.1). */
export const HEADER_BYTES = 12;

/** Maximum number of records in a message. A policy domain has a handful at a name; the limit bounds the work for one message. */
export const MAX_RECORDS = 512;

/** Returns the number of records that the header of a message gives. The message must have a whole header. */
export function recordCount(message: Buffer): number {
  return message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
}

/** Returns the data of a record, or undefined if the record has another type or class. */
export function recordData<T extends DnsType>(record: Answer, type: T): DnsData[T] | undefined {
  return record.type === type && record.class === 'IN' ? READERS[type](record) : undefined;
}

/** A record type for private use (RFC 6895 §3.1). The codec keeps the data of an unknown type as bytes. */
const OPAQUE_TYPE = 0xff00;

/** Checks every length of a message. Throws a RangeError at the first mismatch, as reads beyond the end of a Buffer do. */
function prepare(message: Buffer): void {
  if (message.readUInt16BE(4) !== 1) throw new RangeError('exactly one question is expected');
  const records = recordCount(message);
  if (records > MAX_RECORDS) throw new RangeError('too many records');
  let at = nameEnd(message, HEADER_BYTES) + 4;
  for (let record = 0; record < records; record += 1) {
    const type = nameEnd(message, at);
    const data = type + 10;
    at = data + message.readUInt16BE(type + 8);
    const dataEnd = DATA_END.get(message.readUInt16BE(type));
    if (dataEnd === undefined) message.writeUInt16BE(OPAQUE_TYPE, type);
    if (at > message.length || (dataEnd !== undefined && dataEnd(message, data, at) !== at)) throw new RangeError('data of a wrong length');
  }
}

/** Computes the end of a record's data from the data itself, for each record type that the verifier reads. */
const DATA_END: ReadonlyMap<number, (message: Buffer, data: number, end: number) => number> = new Map([
  [1, (_, data) => data + 4], // A
  [2, nameEnd], // NS
  [5, nameEnd], // CNAME
  [6, (message, data) => nameEnd(message, nameEnd(message, data)) + 20], // SOA
  [15, (message, data) => nameEnd(message, data + 2)], // MX
  [16, stringsEnd], // TXT
  [28, (_, data) => data + 16], // AAAA
  [41, optionsEnd], // OPT
  [52, (_, data, end) => Math.max(end, data + 3)], // TLSA
  [257, (message, data, end) => Math.max(end, data + 2 + message.readUInt8(data + 1))], // CAA
]);

const DOT = 0x2e;

/** Maximum number of labels and pointers in a name. A name has at most 127 labels, and no encoder writes a pointer before each. */
const MAX_NAME_STEPS = 256;

/**
 * Returns the end of a name. Follows its pointers to check their targets. Rejects a dot inside a label: in text, the dot would
 * look like the dot between two labels.
 */
function nameEnd(message: Buffer, start: number): number {
  let end: number | undefined;
  let at = start;
  for (let step = 0; step < MAX_NAME_STEPS; step += 1) {
    const length = message.readUInt8(at);
    if (length === 0) return end ?? at + 1;
    if (length >= 0xc0) {
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
    } else {
      const next = at + 1 + length;
      for (at += 1; at < next; at += 1) if (message[at] === DOT) throw new RangeError('a dot inside a label');
    }
  }
  throw new RangeError('a name without end');
}

function stringsEnd(message: Buffer, data: number, end: number): number {
  let at = data;
  while (at < end) at += 1 + message.readUInt8(at);
  return at;
}

function optionsEnd(message: Buffer, data: number, end: number): number {
  let at = data;
  while (at < end) at += 4 + message.readUInt16BE(at + 2);
  return at;
}

const READERS: { readonly [T in DnsType]: (record: Answer) => DnsData[T] | undefined } = {
  A: (record) => record.type === 'A' ? record.data : undefined,
  // Each address has one spelling, so that addresses can be compared (RFC 5952).
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

/** Decodes the strings of a TXT record. Senders join them without a separator, so a character may span two strings (RFC 8461 §3.1). */
function decodeStrings(strings: readonly Buffer[]): readonly string[] {
  const joined = decodeText(Buffer.concat(strings));
  const separate = strings.map(decodeText);
  return separate.join('') === joined ? separate : [joined];
}
