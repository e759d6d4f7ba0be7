// Generates inputs for the parsers from the grammars, and changes them.
import fc from 'fast-check';
import { POLICY, RECORD, TLS_RPT, isPattern } from './grammar';
import type { OraclePolicy } from './grammar';

/** A valid policy file, with one character for each byte, and its content. */
export interface WrittenPolicy {
  readonly text: string;
  readonly content: OraclePolicy;
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
  return { text: lines.join(''), content: { mode, maxAge: Number(maxAge), mx: turned.filter(([name]) => name === 'mx').map(([, value]) => value) } };
});

/** Records with or without an id. */
export const stsRecord = RECORD('record').arbitrary;

/** TLSRPT records with or without an address. */
export const tlsRptRecord = fc.oneof(
  TLS_RPT('record').arbitrary,
  fc.tuple(TLS_RPT('rua').arbitrary, TLS_RPT('extension').arbitrary).map(([rua, other]) => `v=TLSRPTv1; ${rua}; ${other}`),
);

const BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

/** A change of a text in one place. */
export interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly put: string;
}

/** Changes that insert, remove or overwrite a byte, or a piece of text that a single byte could not break. */
export const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  removed: fc.nat(2),
  put: fc.oneof(
    fc.constantFrom(...BYTES),
    fc.constantFrom('', '\r\n', '\n\n', ' \n', '; ', ';;', '=', ':', 'id=1', '\xef\xbb\xbf', '\xc3\xa9', '\xed\xa0\x80', '*.', '..'),
  ),
});

/** Returns a text with one change. */
export function edited(text: string, { at, removed, put }: Edit): string {
  const place = at % (text.length + 1);
  return text.slice(0, place) + put + text.slice(place + removed);
}

/** Returns a text with each byte in each place: inserted there, in place of the byte there, and as the last byte of the text. */
export function everyByte(text: string): readonly string[] {
  return Array.from({ length: text.length + 1 }, (_, at) => BYTES.flatMap((byte) => {
    const before = text.slice(0, at) + byte;
    return [before + text.slice(at), before + text.slice(at + 1), before];
  })).flat();
}

/** Returns all sequences of up to a number of items. */
export function sequences<T>(items: readonly T[], maxLength: number): readonly (readonly T[])[] {
  let last: readonly (readonly T[])[] = [[]];
  const all: (readonly T[])[] = [[]];
  for (let length = 1; length <= maxLength; length += 1) {
    last = last.flatMap((before) => items.map((item) => [...before, item]));
    all.push(...last);
  }
  return all;
}
