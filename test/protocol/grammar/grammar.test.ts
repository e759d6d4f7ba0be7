// Compares the parsers with the ABNF of the RFCs, on inputs that the ABNF generates and on inputs that are changed by one byte.
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mxGrammarProblem, mxMatches } from '../../../lib/protocol/mx/pattern';
import { parsePolicy } from '../../../lib/protocol/policy/policy';
import { parseRecord } from '../../../lib/protocol/records/sts-record';
import { parseTlsRpt } from '../../../lib/protocol/records/tls-rpt';
import { isPattern, matchOracle, policyOracle, recordOracle, recordsOracle, tlsRptOracle } from './grammar';
import type { OraclePolicy } from './grammar';
import { edit, edited, everyByte, policyFile, sequences, stsRecord, tlsRptRecord } from './inputs';

const FEW_RUNS = { seed: 8461, numRuns: 250 };
const MANY_RUNS = { seed: 8461, numRuns: 1500 };

describe('the policy file', () => {
  test('a generated policy file is read as it was written, with mixed field order, line ends, blanks and extensions', () => {
    fc.assert(fc.property(policyFile, ({ text, content }) => {
      expect(policyOracle(text)).toEqual(content);
      expect(read(text)).toEqual(content);
    }), FEW_RUNS);
  });

  test('the policy parser agrees with the grammar after a change in one place', () => {
    fc.assert(fc.property(policyFile, edit, ({ text }, change) => {
      expect(agrees(edited(text, change))).toBe(true);
    }), MANY_RUNS);
  });

  test('the policy parser agrees with the grammar on every byte at every place', () => {
    const text = 'mx: *.a-1.b\r\nversion:STSv1\nx_: \xc3\xa9 \xf0\x9f\x98\x80y \nmode: none\t\nmax_age: 09\n';
    expect(read(text)).toEqual({ mode: 'none', maxAge: 9, mx: ['*.a-1.b'] });
    expect(everyByte(text).filter((changed) => !agrees(changed))).toEqual([]);
  });

  test('the policy parser agrees with the grammar on missing, duplicate and malformed lines in every order', () => {
    const lines = ['version: STSv1', 'version: STSv2', 'mode: enforce', 'mode: none', 'mode: on', 'mx: a.example', 'mx: a_.example', 'max_age: 1', 'max_age: 1d', 'max_age:', ''];
    expect(sequences(lines, 4).map((some) => some.join('\n')).filter((text) => !agrees(text))).toEqual([]);
  });

  test.each([
    ['two bytes, the smallest', '\xc2\x80', true],
    ['two bytes, overlong', '\xc1\xbf', false],
    ['three bytes, the smallest', '\xe0\xa0\x80', true],
    ['three bytes, overlong', '\xe0\x9f\xbf', false],
    ['the last character before the surrogates', '\xed\x9f\xbf', true],
    ['a surrogate', '\xed\xa0\x80', false],
    ['the first character after the surrogates', '\xee\x80\x80', true],
    ['a byte order mark inside', '\xef\xbb\xbf', true],
    ['a noncharacter', '\xef\xbf\xbf', true],
    ['four bytes, the smallest', '\xf0\x90\x80\x80', true],
    ['four bytes, overlong', '\xf0\x8f\xbf\xbf', false],
    ['the last character of Unicode', '\xf4\x8f\xbf\xbf', true],
    ['a code point after the last one of Unicode', '\xf4\x90\x80\x80', false],
    ['five bytes', '\xf8\x88\x80\x80\x80', false],
    ['a continuation byte alone', '\x80', false],
    ['two bytes, incomplete', '\xc3', false],
    ['three bytes, incomplete', '\xe2\x82', false],
    ['four bytes, incomplete', '\xf0\x9f\x98', false],
  ])('a policy file may contain UTF-8 in extensions only: %s', (_name, bytes, valid) => {
    const text = `version: STSv1\nmode: none\nmax_age: 86400\nx: ${bytes}`;
    expect(read(text) !== undefined).toBe(valid);
    const variants = [text, `${text}\r\n`, text.replace('x:', 'mx:'), text.replace('x:', 'mode:'), text.replace('STSv1', bytes), bytes + text];
    expect(variants.filter((variant) => !agrees(variant))).toEqual([]);
  });

  test.each([
    ['a name of 32', `${'n'.repeat(32)}: x`, true],
    ['a name of 33', `${'n'.repeat(33)}: x`, false],
    ['a value of one character', 'n:x', true],
    ['a value with colons', 'n: ::', true],
    ['a value with a blank inside', 'n: a  b', true],
    ['a value with a tab inside', 'n: a\tb', false],
    ['a value of blanks', 'n: \t ', false],
    ['an age of ten digits', 'max_age: 0000000001', true],
    ['an age of eleven digits', 'max_age: 00000000001', false],
    ['an age with a sign', 'max_age: +1', false],
    ['an age in other digits', 'max_age: \xd9\xa1', false],
    ['the largest age', 'max_age: 31557600', true],
    ['an age over the limit', 'max_age: 31557601', false],
    ['a label of 63', `mx: ${'a'.repeat(63)}.example`, true],
    ['a label of 64', `mx: ${'a'.repeat(64)}.example`, false],
    ['a name of 253', `mx: ${'a.'.repeat(126)}a`, true],
    ['a name of 254', `mx: ${'a.'.repeat(126)}aa`, false],
    ['hyphens inside', 'mx: a--b.example', true],
  ])('the policy parser has the limits of the grammar: %s', (_name, line, valid) => {
    const text = `${line}\nversion: STSv1\nmode: none\nmax_age: 86400\n`;
    expect(read(text) !== undefined).toBe(valid);
    expect(agrees(text)).toBe(true);
  });

  test.each([[65535, true], [65536, true], [65537, false]])('a policy file of %i bytes is valid: %s', (size, valid) => {
    const head = 'version: STSv1\nmode: none\nmax_age: 86400\npad: ';
    for (const end of ['', '\n', '\r\n']) {
      const text = head + 'x'.repeat(size - head.length - end.length) + end;
      expect(read(text) !== undefined).toBe(valid);
    }
  });

  function read(text: string): OraclePolicy | undefined {
    return parsePolicy(Buffer.from(text, 'latin1')).policy;
  }

  function agrees(text: string): boolean {
    return isDeepStrictEqual(read(text), policyOracle(text));
  }
});

describe('the MTA-STS record', () => {
  test('the MTA-STS record parser reads every record that the grammar generates with an id', () => {
    let valid = 0;
    fc.assert(fc.property(stsRecord, (text) => {
      if (recordOracle(text) !== undefined) valid += 1;
      expect(agrees([text])).toBe(true);
    }), FEW_RUNS);
    expect(valid).toBeGreaterThan(100);
  });

  test('the MTA-STS record parser agrees with the grammar after a change in one place', () => {
    fc.assert(fc.property(stsRecord, edit, (text, change) => {
      expect(agrees([edited(text, change)])).toBe(true);
    }), MANY_RUNS);
  });

  test('the MTA-STS record parser agrees with the grammar on every byte at every place', () => {
    const text = 'v=STSv1 ;\tid=a1; x-=:y ; ';
    expect(parseRecord([text]).record).toEqual({ id: 'a1' });
    expect(everyByte(text).filter((changed) => !agrees([changed]))).toEqual([]);
  });

  test('the MTA-STS record parser agrees with the grammar on pieces of a record in every order', () => {
    const pieces = [';', ' ', '\t', 'id=1', 'id=', 'id2=2', 'a=b', 'v=STSv1', '='];
    const texts = sequences(pieces, 4).map((some) => some.join('')).flatMap((text) => [`v=STSv1${text}`, `v=STSv1;id=1${text}`, `${text}v=STSv1;id=1`]);
    expect(texts.filter((text) => !agrees([text]))).toEqual([]);
  });

  test('the MTA-STS record parser agrees with the grammar on several TXT records in every order', () => {
    const records = ['v=STSv1;id=1', 'v=STSv1; id=2;', 'v=STSv1;', 'v=STSv1 ;id=3', 'v=STSv1', 'v=STSv1\t; id=4', 'V=STSv1;id=5', 'v=STSv10;id=6', ' v=STSv1;id=7', 'v=spf1 -all', ''];
    expect(sequences(records, 3).filter((some) => !agrees(some))).toEqual([]);
  });

  test.each([
    ['an id of 32', 'id=01234567890123456789012345678901', true],
    ['an id of 33', 'id=012345678901234567890123456789012', false],
    ['a name of 32', `id=1;${'n'.repeat(32)}=x`, true],
    ['a name of 33', `id=1;${'n'.repeat(33)}=x`, false],
    ['a malformed first id', 'id=a-b;id=1', false],
    ['a malformed second id', 'id=1;id=a-b', true],
    ['an empty second id', 'id=1;id=', false],
    ['names that begin like id', 'id2=2;ident=3;id=1', true],
    ['an upper-case id', 'ID=1', false],
    ['a letter beyond ASCII in an id', 'id=\u0131d', false],
    ['a digit beyond ASCII in an id', 'id=\u0661', false],
    ['a letter beyond ASCII in a name', 'id=1;n\u00e4=x', false],
    ['a character beyond the BMP in a value', 'id=1;n=\u{1f600}', false],
  ])('the MTA-STS record parser has the limits of the grammar: %s', (_name, fields, valid) => {
    expect(parseRecord([`v=STSv1;${fields}`]).verdict).toBe(valid ? 'valid' : 'invalid');
    expect(agrees([`v=STSv1;${fields}`])).toBe(true);
  });

  function agrees(texts: readonly string[]): boolean {
    const { record, verdict } = parseRecord(texts);
    const candidates = texts.filter((text) => text.startsWith('v=STSv1;'));
    // Texts that do not begin with the version are dropped. A single text that almost begins with it may also be called malformed.
    const expected = record !== undefined ? ['valid'] : candidates.length > 1 ? ['multiple'] : candidates.length === 1 ? ['invalid'] : ['none', 'invalid'];
    return isDeepStrictEqual(record, recordsOracle(texts)) && expected.includes(verdict);
  }
});

describe('the TLSRPT record', () => {
  test('the TLSRPT record parser reads every record that the grammar generates with an address', () => {
    let valid = 0;
    fc.assert(fc.property(tlsRptRecord, (text) => {
      if (tlsRptOracle(text) !== undefined) valid += 1;
      expect(agrees(text)).toBe(true);
    }), FEW_RUNS);
    expect(valid).toBeGreaterThan(100);
  });

  test('the TLSRPT record parser agrees with the grammar after a change in one place', () => {
    fc.assert(fc.property(tlsRptRecord, edit, (text, change) => {
      expect(agrees(edited(text, change))).toBe(true);
    }), MANY_RUNS);
  });

  test('the TLSRPT record parser agrees with the grammar on every byte at every place', () => {
    const text = 'v=TLSRPTv1;rua=mailto:a+b@c.d?e=f , https://u:p@[::1]:443/x?y#z; n=v;';
    expect(parseTlsRpt([text]).record).toEqual({ rua: ['mailto:a+b@c.d?e=f', 'https://u:p@[::1]:443/x?y#z'] });
    expect(everyByte(text).filter((changed) => !agrees(changed))).toEqual([]);
  });

  test('the TLSRPT record parser agrees with the grammar on pieces of a record in every order', () => {
    const pieces = [';', ' ', ',', 'rua=', 'mailto:a@b.example', 'https://c.example', 'n=v', '='];
    expect(sequences(pieces, 4).map((some) => `v=TLSRPTv1;${some.join('')}`).filter((text) => !agrees(text))).toEqual([]);
  });

  function agrees(text: string): boolean {
    return isUndecided(text) || isDeepStrictEqual(parseTlsRpt([text]).record, tlsRptOracle(text));
  }
});

describe('an MX pattern', () => {
  const names = sequences(['a', 'B', '*', '-', '1', ''], 4).filter((labels) => labels.length > 0).map((labels) => labels.join('.'));

  test('an mx pattern is valid exactly when the grammar accepts it', () => {
    expect(names.filter((one) => (mxGrammarProblem(one) === undefined) !== isPattern(one))).toEqual([]);
  });

  test('an mx pattern covers exactly the hosts that the grammar allows, and its wildcard is one label', () => {
    const hosts = [...names.filter((one) => one.split('.').length <= 3), 'b.A.', 'a.b..', 'a.b.A.', '.'];
    const few = names.filter((one) => one.split('.').length <= 3);
    const wrong = few.flatMap((pattern) => hosts.filter((host) => mxMatches(pattern, host) !== matchOracle(pattern, host)).map((host) => `${pattern} ${host}`));
    expect(wrong).toEqual([]);
  });
});

/**
 * Returns whether this grammar does not decide about a text: percent-encoded mail domains, quoted local parts, `?to=`, and encoded bytes
 * that are not UTF-8. RFC 6068 decides about them, and tls-rpt.test.ts tests them.
 */
function isUndecided(text: string): boolean {
  return /mailto:(?:[^?#;,]*(?:@[^?#;,]*%|%[^2]|%22)|[^#;,]*\?[^#;,]*\bto=)/i.test(text);
}
