// What strangers send: no message may hang the reader, mislead it or make it throw.
import { describe, expect, test } from '@jest/globals';
import { encode } from 'dns-packet';
import type { Answer, Packet } from 'dns-packet';
import fc from 'fast-check';
import { decodeMessage } from '../../../lib/verifier/dns/message';

const QUESTIONS = [{ name: 'example.test', type: 'TXT' }] satisfies Packet['questions'];

/** A message with records given byte by byte: type, and data with its stated length. */
function raw(...records: { type: number; data: string; length?: number }[]): Buffer {
  const header = encode({ type: 'response', id: 1, questions: QUESTIONS });
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, ...records.map(({ type, data, length }) => {
    const fixed = Buffer.alloc(12);
    fixed.writeUInt16BE(0xc00c, 0);
    fixed.writeUInt16BE(type, 2);
    fixed.writeUInt16BE(1, 4);
    fixed.writeUInt16BE(length ?? data.length / 2, 10);
    return Buffer.concat([fixed, Buffer.from(data, 'hex')]);
  })]);
}

describe('a malformed message is refused', () => {
  test.each([
    ['that is empty', Buffer.alloc(0)],
    ['that is a header alone', Buffer.alloc(12)],
    ['without a question', encode({ type: 'response', id: 1 })],
    ['with two questions', encode({ type: 'response', id: 1, questions: [...QUESTIONS, ...QUESTIONS] })],
    ['cut off in its question', encode({ type: 'response', id: 1, questions: QUESTIONS }).subarray(0, 20)],
    ['whose record is longer than it', raw({ type: 16, data: '0161', length: 200 })],
    ['whose address is too short', raw({ type: 1, data: '7f0000' })],
    ['whose IPv6 address is too long', raw({ type: 28, data: '00'.repeat(17) })],
    ['whose name ends before its data', raw({ type: 2, data: '0161000000' })],
    ['whose name goes on after its data', raw({ type: 5, data: '0161' }, { type: 1, data: '7f000001' })],
    ['whose MX has no room for a name', raw({ type: 15, data: '00' })],
    ['whose SOA is cut', raw({ type: 6, data: '0000' })],
    ['whose CAA tag goes on after its data', raw({ type: 257, data: '00ff61' })],
    ['whose EDNS option goes on after its data', raw({ type: 41, data: '000a00ff' })],
    ['whose label is of a reserved kind', raw({ type: 2, data: '8000' })],
  ])('a malformed message is refused: %s', (_, message) => {
    expect(decodeMessage(message)).toBeUndefined();
  });

  test('a message whose TXT ends before its strings is refused, though the codec would read on for ever', () => {
    expect(decodeMessage(raw({ type: 16, data: 'ff61' }, { type: 1, data: '7f000001' }))).toBeUndefined();
    expect(decodeMessage(raw({ type: 16, data: 'ff61', length: 300 }, { type: 1, data: '7f000001' }))).toBeUndefined();
  });

  test('a message with a name that points at itself or in a circle is refused', () => {
    const message = raw({ type: 2, data: 'c000' });
    message.writeUInt16BE(0xc000 | (message.length - 2), message.length - 2);
    expect(decodeMessage(message)).toBeUndefined();
    const circle = raw({ type: 2, data: 'c000c000' });
    circle.writeUInt16BE(0xc000 | (circle.length - 2), circle.length - 4);
    circle.writeUInt16BE(0xc000 | (circle.length - 4), circle.length - 2);
    expect(decodeMessage(circle)).toBeUndefined();
  });

  test('a name with a dot inside a label is refused, because as text it would be another name', () => {
    expect(decodeMessage(raw({ type: 15, data: `000a0b${Buffer.from('mx1.example').toString('hex')}0474657374 00`.replace(' ', '') }))).toBeUndefined();
  });

  test('a message with more records than any honest server sends is refused', () => {
    const many = (count: number): Buffer => raw(...Array.from({ length: count }, () => ({ type: 1, data: '7f000001' })));
    expect(decodeMessage(many(512))?.answers).toHaveLength(512);
    expect(decodeMessage(many(513))).toBeUndefined();
  });
});

describe('a well-formed message', () => {
  test('a well-formed message is read with every type that the verifier uses', () => {
    const answers: Answer[] = [
      { type: 'A', name: 'example.test', data: '192.0.2.1' },
      { type: 'AAAA', name: 'example.test', data: '2001:db8::1' },
      { type: 'CNAME', name: 'example.test', data: 'other.test' },
      { type: 'NS', name: 'example.test', data: 'ns.test' },
      { type: 'MX', name: 'example.test', data: { preference: 10, exchange: 'mx.test' } },
      { type: 'CAA', name: 'example.test', data: { issuerCritical: true, tag: 'issue', value: 'amazon.com' } },
      { type: 'SOA', name: 'example.test', data: { mname: 'a.test', rname: 'b.test', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 } },
    ];
    expect(decodeMessage(encode({ type: 'response', id: 1, questions: QUESTIONS, answers }))?.answers).toMatchObject(answers);
  });

  test('a TXT record with empty and with several strings is read', () => {
    expect(decodeMessage(raw({ type: 16, data: '00016100' }))?.answers).toMatchObject([{ data: [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(0)] }]);
  });

  test('a record of an unknown type with odd data does not disturb the records after it', () => {
    const packet = decodeMessage(raw({ type: 13, data: 'ff' }, { type: 47, data: '' }, { type: 1, data: '7f000001' }));
    expect(packet?.answers?.[2]).toMatchObject({ type: 'A', data: '127.0.0.1' });
  });
});

describe('any bytes', () => {
  test('random bytes give a verdict, never an exception', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      decodeMessage(bytes);
    }));
  });

  test('a message with some changed bytes gives a verdict, never an exception', () => {
    const whole = raw({ type: 16, data: '0161' }, { type: 15, data: '000a0161c00c' }, { type: 6, data: `0000${'00'.repeat(20)}` }, { type: 47, data: '0000' });
    const change = fc.record({ at: fc.nat({ max: whole.length - 1 }), to: fc.nat({ max: 255 }) });
    fc.assert(fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
      const message = Buffer.from(whole);
      for (const { at, to } of changes) message[at] = to;
      decodeMessage(message);
    }), { numRuns: 2000 });
  });
});
