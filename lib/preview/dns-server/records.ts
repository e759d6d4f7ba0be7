// Types of the records in a zone, and their conversion to the wire format.
import type { Answer, CaaData } from 'dns-packet';

interface RecordBase {
  /** Fully qualified name, with or without the trailing dot. `*.` begins a wildcard (RFC 4592). */
  readonly name: string;
  /** In seconds. */
  readonly ttl: number;
}

/** A record of a zone. */
export type DnsRecord = RecordBase & (
  | { readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS'; readonly data: string }
  | { readonly type: 'MX'; readonly data: { readonly preference: number; readonly exchange: string } }
  | {
    readonly type: 'TXT';
    /** The character-strings, with at most 255 bytes each. Each character is one byte. */
    readonly data: readonly string[];
  }
  | { readonly type: 'TLSA'; readonly data: { readonly usage: number; readonly selector: number; readonly matchingType: number; readonly certificate: Uint8Array } }
  | { readonly type: 'CAA'; readonly data: { readonly critical: boolean; readonly tag: string; readonly value: string } }
  | {
    readonly type: 'SOA';
    readonly data: {
      readonly mname: string;
      readonly rname: string;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expire: number;
      readonly minimum: number;
    };
  }
);

/** Returns a record in the form of the codec. */
export function toWire(record: DnsRecord): Answer {
  const { name, ttl } = record;
  switch (record.type) {
    case 'TXT':
      return { name, ttl, type: 'TXT', data: record.data.map((text) => Buffer.from(text, 'latin1')) };
    case 'CAA': {
      const { critical, tag, value } = record.data;
      if (!isTag(tag)) throw new RangeError(`the tag of a CAA record must be letters and digits (RFC 8659 §4.1), got "${tag}"`);
      return { name, ttl, type: 'CAA', data: { issuerCritical: critical, tag, value } };
    }
    case 'MX':
      return { name, ttl, type: 'MX', data: { ...record.data } };
    case 'SOA':
      return { name, ttl, type: 'SOA', data: { ...record.data } };
    case 'TLSA':
      return { name, ttl, type: 'TLSA', data: { ...record.data, certificate: Buffer.from(record.data.certificate) } };
    case 'A':
    case 'AAAA':
    case 'CNAME':
    case 'NS':
      return { name, ttl, type: record.type, data: record.data };
  }
}

/** Returns whether a text is a CAA tag. RFC 8659 §4.1 allows other tags than the three in the types of the codec, which writes any. */
function isTag(tag: string): tag is CaaData['tag'] {
  return /^[A-Za-z0-9]{1,15}$/.test(tag);
}
