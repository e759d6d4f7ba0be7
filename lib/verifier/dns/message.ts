// Decodes DNS messages of strangers: nothing reaches the codec that could make it loop, lose its place or run on for long.
import { decode } from 'dns-packet';
import type { DecodedPacket } from 'dns-packet';

/**
 * Decodes one message (RFC 1035 §4).
 *
 * `dns-packet` trusts the lengths inside a message: a TXT record that ends before its strings do sends it into an endless loop,
 * and a record whose data is shorter than it says moves all that follows. So every length is checked first, and records of
 * types that nobody here reads are made opaque.
 *
 * @returns undefined when the message is malformed, has not exactly one question, or holds more records than any honest one
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

/** RFC 1035 §4.1.1. */
const HEADER = 12;

/** A policy domain has a handful of records at a name; this bounds the work that one message can ask for. */
export const MAX_RECORDS = 512;

/** How many records a message announces; it must have a whole header. */
export function recordCount(message: Buffer): number {
  return message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
}

/** From the range for private use (RFC 6895 §3.1): the codec keeps the data of a type that it does not know as bytes. */
const OPAQUE = 0xff00;

/** Throws a RangeError, as Buffer's own reads do, at the first thing that does not fit. */
function prepare(message: Buffer): void {
  if (message.readUInt16BE(4) !== 1) throw new RangeError('exactly one question is expected');
  const records = recordCount(message);
  if (records > MAX_RECORDS) throw new RangeError('too many records');
  let at = nameEnd(message, HEADER) + 4;
  for (let record = 0; record < records; record += 1) {
    const type = nameEnd(message, at);
    const data = type + 10;
    at = data + message.readUInt16BE(type + 8);
    const dataEnd = DATA_END.get(message.readUInt16BE(type));
    if (dataEnd === undefined) message.writeUInt16BE(OPAQUE, type);
    if (at > message.length || (dataEnd !== undefined && dataEnd(message, data, at) !== at)) throw new RangeError('data of a wrong length');
  }
}

/** Where the data of a record ends by its own contents; the types that are read. */
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

/** A name has at most 127 labels, and a pointer before each is more than any encoder writes. */
const MAX_NAME_STEPS = 256;

/**
 * Where a name ends, its pointers followed to see that they lead somewhere. A dot inside a label is refused: in text nobody
 * could tell it from the dot between two.
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
