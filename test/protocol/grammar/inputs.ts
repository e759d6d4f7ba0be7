// Inputs for the parsers: what the grammars generate, and ways to change it.
import fc from 'fast-check';
import { POLICY, RECORD, TLS_RPT, isPattern } from './grammar';
import type { OraclePolicy } from './grammar';

/** A policy file that is valid, one character for each byte, and what it says. */
export interface WrittenPolicy {
  readonly text: string;
  readonly says: OraclePolicy;
}

const extension = fc.tuple(POLICY('name').arbitrary, POLICY('value').arbitrary).filter(([name]) => !['version', 'mode', 'max_age', 'mx'].includes(name));

const age = fc.integer({ min: 0, max: 31557600 }).chain((seconds) => (
  fc.integer({ min: `${seconds}`.length, max: 10 }).map((digits) => `${seconds}`.padStart(digits, '0'))
));

const blanks = fc.stringMatching(/^[ \t]{0,3}$/);

/** More line ends than any generated file has lines. */
const LINES = { minLength: 20, maxLength: 20 };

/** Policy files with their fields in any order, mixed line ends, blanks and extensions, with or without a final line end. */
export const policyFile: fc.Arbitrary<WrittenPolicy> = fc.record({
  mode: POLICY('mode-value').arbitrary,
  maxAge: age,
  mx: fc.array(POLICY('mx-value').arbitrary.filter(isPattern), { minLength: 1, maxLength: 5 }),
  extensions: fc.array(extension, { maxLength: 4 }),
  spaces: fc.array(fc.tuple(blanks, blanks), LINES),
  ends: fc.array(fc.constantFrom('\n', '\r\n'), LINES),
  ended: fc.boolean(),
  order: fc.nat(),
}).map(({ mode, maxAge, mx, extensions, spaces, ends, ended, order }) => {
  const fields: [string, string][] = [['version', 'STSv1'], ['mode', mode], ['max_age', maxAge], ...mx.map((one): [string, string] => ['mx', one]), ...extensions];
  const turned = [...fields.slice(order % fields.length), ...fields.slice(0, order % fields.length)];
  const lines = turned.map(([name, value], at) => {
    const [before, after] = spaces[at] ?? ['', ''];
    return `${name}:${before}${value}${after}${at < turned.length - 1 || ended ? ends[at] ?? '\n' : ''}`;
  });
  return { text: lines.join(''), says: { mode, maxAge: Number(maxAge), mx: turned.filter(([name]) => name === 'mx').map(([, value]) => value) } };
});

/** Records with or without an id. */
export const stsRecord = RECORD('record').arbitrary;

/** With an address or without. */
export const tlsRptRecord = fc.oneof(
  TLS_RPT('record').arbitrary,
  fc.tuple(TLS_RPT('rua').arbitrary, TLS_RPT('extension').arbitrary).map(([rua, other]) => `v=TLSRPTv1; ${rua}; ${other}`),
);

const BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

/** One place of a text, and what becomes of it. */
export interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly put: string;
}

/** One byte, or a piece that breaks more than a byte would, put in, taken away or written over. */
export const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  removed: fc.nat(2),
  put: fc.oneof(
    fc.constantFrom(...BYTES),
    fc.constantFrom('', '\r\n', '\n\n', ' \n', '; ', ';;', '=', ':', 'id=1', '\xef\xbb\xbf', '\xc3\xa9', '\xed\xa0\x80', '*.', '..'),
  ),
});

export function edited(text: string, { at, removed, put }: Edit): string {
  const place = at % (text.length + 1);
  return text.slice(0, place) + put + text.slice(place + removed);
}

/** A text with each byte put in at each place, written over what is there, and at the end of each beginning. */
export function everyByte(text: string): readonly string[] {
  return Array.from({ length: text.length + 1 }, (_, at) => BYTES.flatMap((byte) => {
    const before = text.slice(0, at) + byte;
    return [before + text.slice(at), before + text.slice(at + 1), before];
  })).flat();
}

/** All sequences of up to so many items. */
export function sequences<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  let last: readonly (readonly T[])[] = [[]];
  const all: (readonly T[])[] = [[]];
  for (let length = 1; length <= most; length += 1) {
    last = last.flatMap((before) => items.map((item) => [...before, item]));
    all.push(...last);
  }
  return all;
}
