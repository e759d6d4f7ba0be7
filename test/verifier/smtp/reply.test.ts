// Replies of SMTP servers, in whatever pieces they come.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_REPLY_BYTES, ReplyReader } from '../../../lib/verifier/smtp/reply';
import type { Reading } from '../../../lib/verifier/smtp/reply';
import { growsTooFast } from '../../support/work';

/** The first reading, and all that was not read then. */
function readPieces(pieces: readonly string[]): Reading | undefined {
  const reader = new ReplyReader();
  for (const [at, piece] of pieces.entries()) {
    const read = reader.read(piece);
    if (read !== undefined) return 'rest' in read ? { ...read, rest: read.rest + pieces.slice(at + 1).join('') } : read;
  }
  return undefined;
}

describe('a reply is whole', () => {
  test.each([
    ['of one line', '220 ready\r\n', '220', ['ready']],
    ['without text', '250\r\n', '250', ['']],
    ['without text after the blank', '250 \r\n', '250', ['']],
    ['of several lines', '250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n', '250', ['mx', 'STARTTLS', 'SIZE']],
    ['with empty lines in it', '250-\r\n250-\r\n250 \r\n', '250', ['', '', '']],
    ['with the code of its last line', '220-mx\r\n421 busy\r\n', '421', ['mx', 'busy']],
    ['that ends in a line feed alone', '220-mx\n220 ready\n', '220', ['mx', 'ready']],
    ['that ends in two carriage returns', '220 ready\r\r\n', '220', ['ready']],
    ['with a carriage return in the middle', '220 re\rady\r\n', '220', ['re\rady']],
    ['with NUL and bytes that are no text', '220 \0\x80\xff\r\n', '220', ['\0\x80\xff']],
  ])('a complete reply is read: %s', (_, text, code, lines) => {
    expect(readPieces([text])).toEqual({ reply: { code, lines }, rest: '' });
    expect(readPieces(Array.from(text))).toEqual({ reply: { code, lines }, rest: '' });
  });

  test('the bytes after a complete reply stay unread', () => {
    const reader = new ReplyReader();
    expect(reader.read('220 a\r\n250-b\r\n250 c\r\nmore')).toEqual({ reply: { code: '220', lines: ['a'] }, rest: '250-b\r\n250 c\r\nmore' });
    expect(reader.read('250-b\r\n250 c\r\nmore')).toEqual({ reply: { code: '250', lines: ['b', 'c'] }, rest: 'more' });
  });

  test('a reply is read the same, however its bytes are split', () => {
    const replies = fc.array(fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, '')), { minLength: 1, maxLength: 6 })
      .map((lines) => lines.map((line, at) => `250${at === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join(''));
    fc.assert(fc.property(replies, fc.string(), fc.array(fc.nat(60)), (text, rest, cuts) => {
      const whole = `${text}${rest}`;
      const ends = [...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
      const pieces = ends.map((end, at) => whole.slice(at === 0 ? 0 : ends[at - 1], end));
      expect(readPieces(pieces)).toEqual(readPieces([whole]));
      expect(readPieces(pieces)).toMatchObject({ reply: { code: '250' }, rest });
    }));
  });
});

describe('a reply is not whole', () => {
  test.each(['', '2', '220', '220 ready', '220 ready\r', '220-mx\r\n', '220-mx\r\n2', '220-mx\r\n220 anything'])('the beginning %j is an incomplete reply', (text) => {
    expect(readPieces([text])).toBeUndefined();
    expect(readPieces(Array.from(text))).toBeUndefined();
  });
});

describe('no reply is', () => {
  test.each([
    ['SSH-2.0-x', 'S'], ['HTTP/1.1 400 Bad Request\r\n', 'H'], ['\r\n', '\r'], ['22', undefined], ['220x', '220x'], ['2a0', '2a'], ['\x16\x03\x01', '\x16'],
    ['220', undefined], ['220_', '220_'],
  ])('%j is no reply, which is detected at the first wrong byte', (text, begin) => {
    expect(readPieces([text])).toEqual(begin === undefined ? undefined : { problem: 'malformed', begin: text });
    expect(readPieces(Array.from(text))).toEqual(begin === undefined ? undefined : { problem: 'malformed', begin });
  });

  test('a reply with a malformed line is no reply', () => {
    expect(readPieces(['220-mx\r\nwelcome'])).toEqual({ problem: 'malformed', begin: '220-mx\r\nwelcome' });
  });

  test('an endless reply is no reply, and only its beginning is kept', () => {
    const line = `220 ${'x'.repeat(MAX_REPLY_BYTES)}`;
    expect(readPieces([line])).toEqual({ problem: 'too-long', begin: line.slice(0, 60) });
    expect(readPieces(line.match(/.{1,1000}/g) ?? [])).toMatchObject({ problem: 'too-long' });
    expect(readPieces(['220-\r\n'.repeat(MAX_REPLY_BYTES)])).toMatchObject({ problem: 'too-long' });
  });

  test('a reply may be as long as its limit, and not one byte longer', () => {
    const reply = (length: number): string => `220 ${'x'.repeat(length - 6)}\r\n`;
    expect(readPieces([reply(MAX_REPLY_BYTES)])).toMatchObject({ reply: { code: '220' } });
    expect(readPieces([reply(MAX_REPLY_BYTES + 1)])).toMatchObject({ problem: 'too-long' });
  });
});

describe('the work', () => {
  test('reading a reply takes the same work for every byte, however many lines came before', () => {
    const bytes = Array.from('220-\n'.repeat(3200));
    expect(readPieces(bytes)).toBeUndefined();
    expect(growsTooFast((share) => {
      readPieces(bytes.slice(0, share * bytes.length));
    })).toBe(false);
  });
});
