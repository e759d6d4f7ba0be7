import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { MAX_AGE_LIMIT, MAX_POLICY_BYTES, parsePolicy, renderPolicy } from '../../../lib/protocol/policy/policy';
import type { Policy, PolicyResult } from '../../../lib/protocol/policy/policy';
import { policyId } from '../../../lib/protocol/policy/id';

const label63 = 'a'.repeat(63);
const name253 = `${[label63, label63, label63].join('.')}.${'b'.repeat(57)}.com`;
const name32 = 'a23456789012345678901234567890ab';

/** Thirty days in seconds: gives no warning in any mode. */
const AGE = 2592000;
const good = `version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: ${AGE}\n`;

test.each([
  ['a carriage return', good.replace(/\n$/, '\r'), 'policy-stray-cr'],
  ['a blank in front', good.replace('version', ' version'), 'policy-leading-blank'],
  ['a control character', good.replace('enforce', 'enforce\v'), 'policy-control-character'],
])('a policy field on a line malformed by %s is not reported as missing as well', (_name, file, code) => {
  expect(parsePolicy(Buffer.from(file)).findings.map((finding) => finding.code)).toEqual([code]);
});

/** Senders that refuse a policy because of a malformed second value. */
const SECOND_VALUE_REFUSERS = ['mox', 'chasquid', 'go-mtasts', 'postfix-mta-sts-resolver', 'mailauth', 'kumomta', 'danmarg'];

describe('a malformed policy file', () => {
  test.each([
    ['empty', '', 'policy-empty', 1, 1],
    ['a web page', '<!DOCTYPE html>', 'policy-html', 1, 1],
    ['a web page after blank lines', '\r\n \t<html>', 'policy-html', 1, 1],
    ['a byte order mark', `\ufeff${good}`, 'policy-bom', 1, 1],
    ['a line feed alone', '\n', 'policy-blank-line', 1, 1],
    ['a blank line at the start', `\n${good}`, 'policy-blank-line', 1, 1],
    ['a blank line at the end', `${good}\n`, 'policy-blank-line', 5, 1],
    ['a CRLF too many at the end', `${good}\r\n`, 'policy-blank-line', 5, 1],
    ['a line of blanks', `${good} \t`, 'policy-blank-line', 5, 1],
    ['a comment', `# policy\n${good}`, 'policy-comment', 1, 1],
    ['an indented comment', `${good}  # policy`, 'policy-comment', 5, 3],
    ['a comment behind a value', good.replace('enforce', 'enforce # strict'), 'policy-mode', 2, 7],
    ['a blank before a name', good.replace('mode', ' mode'), 'policy-leading-blank', 2, 1],
    ['a tab before a name', good.replace('mode', '\tmode'), 'policy-leading-blank', 2, 1],
    ['a blank before a colon', good.replace('mode:', 'mode :'), 'policy-blank-before-colon', 2, 5],
    ['a tab before a colon', good.replace('mode:', 'mode\t:'), 'policy-blank-before-colon', 2, 5],
    ['a line without a colon', `${good}enforce`, 'policy-no-colon', 5, 1],
    ['an equals sign for a colon', good.replace('mode:', 'mode='), 'policy-no-colon', 2, 1],
    ['all in one line', good.replaceAll('\n', ' '), 'policy-version', 1, 10],
    ['semicolons for line ends', good.replaceAll('\n', ';'), 'policy-version', 1, 10],
    ['carriage returns for line ends', good.replaceAll('\n', '\r'), 'policy-stray-cr', 1, 15],
    ['LF CR for CRLF', good.replaceAll('\n', '\n\r'), 'policy-stray-cr', 2, 1],
    ['a carriage return at the end of the file', good.replace(/\n$/, '\r'), 'policy-stray-cr', 4, 17],
    ['a doubled carriage return', good.replaceAll('\n', '\r\r\n'), 'policy-stray-cr', 1, 15],
    ['NUL', `${good}\0`, 'policy-control-character', 5, 1],
    ['NUL at the end of a value', good.replace('enforce', 'enforce\0'), 'policy-control-character', 2, 14],
    ['ESC in an unknown value', `${good}note: \x1b[2J`, 'policy-control-character', 5, 7],
    ['a vertical tab', good.replace('mode: ', 'mode:\v'), 'policy-control-character', 2, 6],
    ['a form feed', good.replace('mode: ', 'mode:\f'), 'policy-control-character', 2, 6],
    ['DEL', `${good}note: a\x7fb`, 'policy-control-character', 5, 8],
    ['a tab inside an unknown value', `${good}note: a\tb`, 'policy-control-character', 5, 8],
    ['a no-break space after the colon', good.replace('mode: ', 'mode:\xa0'), 'policy-mode', 2, 6],
    ['NEL for a line end', good.replace('enforce\n', 'enforce\x85'), 'policy-mode', 2, 7],
    ['a line separator for a line end', good.replace('enforce\n', 'enforce\u2028'), 'policy-mode', 2, 7],
    ['a byte order mark inside', good.replace('mode', '\ufeffmode'), 'policy-field-name', 2, 1],
    ['no name', `${good}: x`, 'policy-field-name', 5, 1],
    ['a name that begins with a dot', `${good}.note: x`, 'policy-field-name', 5, 1],
    ['a name that begins with an underscore', `${good}_note: x`, 'policy-field-name', 5, 1],
    ['a name that begins with a hyphen', `${good}-note: x`, 'policy-field-name', 5, 1],
    ['a name of 33 characters', `${good}${name32}c: x`, 'policy-field-name', 5, 1],
    ['a name with a blank', `${good}my note: x`, 'policy-field-name', 5, 1],
    ['a name with a slash', `${good}a/b: x`, 'policy-field-name', 5, 1],
    ['a name beyond ASCII', `${good}nöte: x`, 'policy-field-name', 5, 1],
    ['an unknown field without value', `${good}note:`, 'policy-empty-value', 5, 6],
    ['an unknown field of blanks', `${good}note: \t \n`, 'policy-empty-value', 5, 6],
    ['an mx line without value', `${good}mx:\n`, 'policy-empty-value', 5, 4],
    ['a second mode without value', `${good}mode:\n`, 'policy-empty-value', 5, 6],
    ['no version', good.replace('version: STSv1\n', ''), 'policy-version-missing', 1, 1],
    ['no mode', good.replace('mode: enforce\n', ''), 'policy-mode-missing', 1, 1],
    ['no max_age', good.replace(/max_age.*\n/, ''), 'policy-max-age-missing', 1, 1],
    ['no mx in enforce', good.replace('mx: mail.example.com\n', ''), 'policy-mx-missing', 1, 1],
    ['no mx in testing', good.replace('mx: mail.example.com\n', '').replace('enforce', 'testing'), 'policy-mx-missing', 1, 1],
    ['no mx, the mode unreadable', good.replace('mx: mail.example.com\n', '').replace('enforce', 'None'), 'policy-mx-missing', 1, 1],
    ['version in lower case', good.replace('STSv1', 'stsv1'), 'policy-version', 1, 10],
    ['version STSv1.0', good.replace('STSv1', 'STSv1.0'), 'policy-version', 1, 10],
    ['a name in another case', good.replace('mode', 'Mode'), 'policy-mode-missing', 1, 1],
    ['mode in another case', good.replace('enforce', 'Enforce'), 'policy-mode', 2, 7],
    ['mode in quotes', good.replace('enforce', '"enforce"'), 'policy-mode', 2, 7],
    ['mode report', good.replace('enforce', 'report'), 'policy-mode', 2, 7],
    ['the first mode wrong, the second right', good.replace('mode:', 'mode: bogus\nmode:'), 'policy-mode', 2, 7],
    ['the first version wrong, the second right', `version: STSv2\n${good}`, 'policy-version', 1, 10],
    ['the first max_age wrong, the second right', `max_age: x\n${good}`, 'policy-max-age', 1, 10],
    ['a sign', withAge('+86400'), 'policy-max-age', 4, 10],
    ['a negative age', withAge('-1'), 'policy-max-age', 4, 10],
    ['a fraction', withAge('86400.0'), 'policy-max-age', 4, 10],
    ['an exponent', withAge('6e5'), 'policy-max-age', 4, 10],
    ['hexadecimal', withAge('0x15180'), 'policy-max-age', 4, 10],
    ['separators', withAge('86,400'), 'policy-max-age', 4, 10],
    ['a unit', withAge('30d'), 'policy-max-age', 4, 10],
    ['two numbers', withAge('86400 86400'), 'policy-max-age', 4, 10],
    ['digits beyond ASCII', withAge('\u0661\u0662'), 'policy-max-age', 4, 10],
    ['eleven digits, even zeros', withAge('00000086400'), 'policy-max-age', 4, 10],
    ['one second over the limit', withAge('31557601'), 'policy-max-age-limit', 4, 10],
    ['ten nines', withAge('9999999999'), 'policy-max-age-limit', 4, 10],
    ['a dot at the end of a pattern', withMx('mail.example.com.'), 'policy-mx-pattern', 3, 5],
    ['several names', withMx('a.example.com, b.example.com'), 'policy-mx-pattern', 3, 5],
    ['a label of 64 characters', withMx(`a${label63}.example.com`), 'policy-mx-pattern', 3, 5],
    ['a name of 254 characters', withMx(`a${name253}`), 'policy-mx-pattern', 3, 5],
    ['an IPv4 address', withMx('192.0.2.10'), 'policy-mx-pattern', 3, 5],
    ['an IPv4 address behind a wildcard', withMx('*.192.0.2.10'), 'policy-mx-pattern', 3, 5],
    ['a U-label', withMx('møx.example'), 'policy-mx-pattern', 3, 5],
    ['one bad pattern among good ones', `${good}mx: *.*.example.com\n`, 'policy-mx-pattern', 5, 5],
    ['a bad pattern in none', good.replace('enforce', 'none').replace('mail.', '.mail.'), 'policy-mx-pattern', 3, 5],
  ])('a malformed policy file is invalid: %s', (_name, text, code, line, column) => {
    const result = parse(text);
    expect(result.verdict).toBe('invalid');
    expect(result.policy).toBeUndefined();
    expect(result.findings).toContainEqual(expect.objectContaining({ code, severity: 'error', line, column }));
  });

  test.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['an overlong form of three bytes', [0xe0, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a sequence that breaks off', [0xe2, 0x82]],
    ['Latin-1', [0xe9]],
    ['FF', [0xff]],
  ])('a policy file with bytes that are not UTF-8 is invalid: %s', (_name, bytes) => {
    const file = Buffer.concat([Buffer.from(`${good}note: x`), Buffer.from(bytes), Buffer.from('y\n')]);
    expect(parsePolicy(file)).toMatchObject({ verdict: 'invalid', findings: [{ code: 'policy-utf8', line: 5, column: 8 }] });
  });

  test.each([[0xff, 0xfe], [0xfe, 0xff]])('a policy file in UTF-16 is invalid, with one finding for the whole file (byte order mark %i %i)', (...mark) => {
    expect(parsePolicy(Uint8Array.from([...mark, 0, 0x76]))).toMatchObject({ verdict: 'invalid', findings: [{ code: 'policy-encoding' }] });
  });

  test('a policy file that is too large is invalid and not parsed', () => {
    expect(parse(`${good}pad: ${'x'.repeat(MAX_POLICY_BYTES)}`)).toMatchObject({ verdict: 'invalid', findings: [{ code: 'policy-too-large' }] });
    expect(parse(sized(MAX_POLICY_BYTES + 1)).verdict).toBe('invalid');
    expect(parse(sized(MAX_POLICY_BYTES)).verdict).toBe('valid');
  });

  test('a policy field with a malformed line is not reported as missing', () => {
    expect(codes(parse('version :STSv1\nmode:\nmx: a.example\nmax_age: 1\t0\n'))).toEqual([
      'policy-blank-before-colon', 'policy-empty-value', 'policy-control-character',
    ]);
    expect(codes(parse('version: STSv1\nmode: none\nmx:\nmax_age: 86400\n'))).toEqual(['policy-empty-value']);
  });

  test('a policy file has at most ten findings with the same code, and the first one states the total', () => {
    const { findings } = parse(`${good}${'\n'.repeat(100)}`);
    expect(findings).toHaveLength(10);
    expect(findings.at(0)?.message).toBe(
      'the line is empty (100 such in all, the first 10 are listed); refused or read otherwise by mox, postfix-tlspol, go-mtasts, courier; '
      + 'still accepted by postfix-mta-sts-resolver, mailauth, chasquid, kumomta, stalwart, rest-mail, mailpiece, aykevl, danmarg',
    );
    expect(findings[9]).toMatchObject({ line: 14, message: expect.stringMatching(/^the line is empty; refused or read otherwise by mox, postfix-tlspol, go-mtasts, courier; still accepted by/) });
  });

  test('findings about a policy file are in the order of its lines', () => {
    expect(parse('version: STSv1\nmode: enforce\nmax_age: 30d\nmx: 10 mx.example.com\n').findings).toMatchObject([{
      code: 'policy-max-age',
      severity: 'error',
      message: 'max_age is `30d`; 1 to 10 digits are expected; still accepted by courier, stalwart, refused by the other known senders',
      fix: 'write whole seconds, digits only: `2592000` is 30 days',
      reference: 'RFC 8461 §3.2',
      line: 3,
      column: 10,
    }, {
      code: 'policy-mx-pattern',
      severity: 'error',
      message: 'mx pattern `10 mx.example.com` contains a preference, as in a zone file; write `mx.example.com`; '
        + 'refused or read otherwise by mox, postfix-tlspol, aykevl, danmarg; '
        + 'still accepted by postfix-mta-sts-resolver, mailauth, chasquid, go-mtasts, kumomta, stalwart, rest-mail, mailpiece, courier',
      fix: 'write the host name as it stands in the MX record, without the dot at the end',
      reference: 'RFC 8461 §3.2',
      line: 4,
      column: 5,
    }]);
  });

  test('messages about a policy file contain no control characters', () => {
    const { findings } = parse('\x1b[2J\nmode: \u202eenforce\nmx: \u2066\nx\x9b: y\nno \u0085 colon\nmode \u200b: x\n# \ufeff\n');
    expect(findings.length).toBeGreaterThan(6);
    for (const { message, fix = '' } of findings) expect(`${message}${fix}`).toMatch(/^[\P{C}]*$/u);
  });
});

describe('a well-formed policy file', () => {
  test.each([
    ['LF line ends', good],
    ['CRLF line ends', good.replaceAll('\n', '\r\n')],
    ['both kinds of line ends', good.replace('\n', '\r\n')],
    ['no line end at the end', good.trimEnd()],
    ['blanks at the end and no line end', `${good.trimEnd()} \t`],
    ['version last', `${good.replace('version: STSv1\n', '')}version: STSv1\n`],
    ['any order', `max_age: ${AGE}\nmx: mail.example.com\nmode: enforce\nversion: STSv1`],
    ['no blank after the colon', good.replaceAll(': ', ':')],
    ['many blanks and tabs after the colon', good.replaceAll(': ', ':\t  \t')],
    ['blanks and tabs at line ends', good.replaceAll('\n', ' \t\r\n')],
  ])('a well-formed policy file gives no findings: %s', (_name, text) => {
    expect(parse(text)).toEqual({ verdict: 'valid', policy: { mode: 'enforce', maxAge: AGE, mx: ['mail.example.com'] }, findings: [] });
  });

  test.each(['testing', 'none'])('a policy in mode %s with a max_age of one day gives no findings', (mode) => {
    expect(parse(good.replace('enforce', mode).replace(String(AGE), '86400'))).toMatchObject({ verdict: 'valid', policy: { mode, maxAge: 86400 }, findings: [] });
  });

  test.each([
    ['one digit', '1', 1],
    ['ten digits with zeros in front', '0002592000', AGE],
    ['zero', '0', 0],
    ['ten zeros', '0000000000', 0],
    ['the limit', '31557600', MAX_AGE_LIMIT],
  ])('a policy with a max_age of %s is valid', (_name, value, maxAge) => {
    expect(parse(withAge(value))).toMatchObject({ verdict: 'valid', policy: { maxAge } });
  });

  test.each([
    ['every visible ASCII character', 'note: !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'],
    ['blanks inside', 'note: a  b'],
    ['UTF-8 of two, three and four bytes', 'note: é€\u{1f600}'],
    ['C1 controls, which the grammar counts as UTF-8', 'note: \x85\x9f'],
    ['a byte order mark inside', 'note: a\ufeff'],
    ['the longest name', `${name32}: x`],
    ['every kind of character in a name', '0A_z-9.: x'],
    ['a name that every object has', 'constructor: y'],
    ['colons', 'note: a:b'],
    ['a colon at the start of the value', 'note::'],
  ])('an unknown policy field is valid and gives a warning: %s', (_name, line) => {
    const result = parse(`${good}${line}\n`);
    expect(result).toMatchObject({ verdict: 'valid', policy: { mode: 'enforce', maxAge: AGE, mx: ['mail.example.com'] } });
    expect(result.findings).toEqual([expect.objectContaining({ code: 'policy-unknown-field', severity: 'warning', line: 5, column: 1 })]);
  });

  test('a parsed policy keeps the order and the letter case of its mx patterns', () => {
    const mx = ['b.example', '*.A.example', 'b.example', name253, `*.${name253}`];
    expect(parse(`${good.replace('mx: mail.example.com\n', '')}${mx.map((one) => `mx: ${one}\n`).join('')}`)).toMatchObject({
      verdict: 'valid', policy: { mx },
    });
  });

  test.each([
    ['max_age 0', withAge('0'), 'policy-max-age-zero', 4, ['chasquid', 'rest-mail', 'aykevl']],
    ['a max_age under a day', withAge('86399'), 'policy-max-age-short', 4, undefined],
    ['a max_age under 14 days in enforce', withAge('1209599'), 'policy-max-age-enforce', 4, undefined],
    ['a max_age at the limit', withAge('31557600'), 'policy-max-age-at-limit', 4, undefined],
    ['none without mx', 'version: STSv1\nmode: none\nmax_age: 86400\n', 'policy-none-without-mx', 2, ['chasquid', 'stalwart', 'aykevl']],
    ['a second mode', `${good}mode: none\n`, 'policy-duplicate-field', 5, ['chasquid', 'go-mtasts', 'postfix-mta-sts-resolver', 'mailauth', 'stalwart', 'kumomta']],
    ['an invalid second mode', `${good}mode: bogus value\n`, 'policy-duplicate-field', 5, [...SECOND_VALUE_REFUSERS, 'stalwart']],
    ['an invalid second max_age', `${good}max_age: abc\n`, 'policy-duplicate-field', 5, [...SECOND_VALUE_REFUSERS, 'stalwart']],
    ['a second version', `${good}version: STSv2\n`, 'policy-duplicate-version', 5, undefined],
    ['a duplicate pattern', `${good}mx: mail.example.com\n`, 'policy-mx-duplicate', 5, undefined],
    ['upper case in a pattern', withMx('Mail.example.com'), 'policy-mx-upper-case', 3, ['aykevl', 'stalwart', 'kumomta']],
    ['a wildcard over a top-level domain', withMx('*.com'), 'policy-mx-single-label', 3, undefined],
    ['a host of one label', withMx('mail'), 'policy-mx-single-label', 3, undefined],
    ['a top-level domain of digits', withMx('mx.example.123'), 'policy-mx-digits', 3, undefined],
    ['a wildcard before a top-level domain of digits', withMx('*.example.123'), 'policy-mx-digits', 3, undefined],
    ['a misspelled field', `${good}max-age: 1\n`, 'policy-misspelled-field', 5, undefined],
    ['the TXT record\'s version field', `${good}v: STSv1\n`, 'policy-misspelled-field', 5, undefined],
    ['a known field in another case', `${good}MX: a.example\n`, 'policy-misspelled-field', 5, undefined],
  ])('a valid policy gives a warning for %s', (_name, text, code, line, senders) => {
    const result = parse(text);
    expect(result.verdict).toBe('valid');
    expect(result.findings).toEqual([expect.objectContaining({ code, severity: 'warning', line, ...(senders && { senders }) })]);
    for (const sender of senders ?? []) expect(result.findings.at(0)?.message).toContain(sender);
  });

  test('an mx pattern that differs only in letter case is reported as a duplicate', () => {
    expect(codes(parse(`${good}mx: MAIL.example.com\n`))).toEqual(['policy-mx-upper-case', 'policy-mx-duplicate']);
  });

  test('a policy in mode enforce with a max_age of 14 days gives no findings', () => {
    expect(parse(withAge('1209600')).findings).toEqual([]);
  });
});

describe('rendering of a policy', () => {
  const policy: Policy = { mode: 'enforce', maxAge: AGE, mx: ['mx2.example.com', 'MX1.example.com', '*.example.net', 'mx1.example.com'] };

  test('a rendered policy is ASCII with CRLF line ends, and its mx patterns are in lower case, sorted and unique', () => {
    expect(renderPolicy(policy)).toBe(
      'version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\nmax_age: 2592000\r\n',
    );
  });

  test('equal policies are rendered as equal text, whatever the order and the letter case of the mx patterns', () => {
    expect(renderPolicy({ ...policy, mx: [...policy.mx].reverse().map((one) => one.toUpperCase()) })).toBe(renderPolicy(policy));
  });

  test('an mx pattern that the grammar allows can be rendered, even if no mail host has such a name', () => {
    expect(renderPolicy({ ...policy, mx: ['mx.example.123'] })).toContain('\r\nmx: mx.example.123\r\n');
    expect(() => renderPolicy({ ...policy, mx: ['192.0.2.10'] })).toThrow('is an IPv4 address');
  });

  test('a policy in mode none is rendered with its mx patterns or without any', () => {
    expect(renderPolicy({ ...policy, mode: 'none' })).toContain('mx: mx1.example.com\r\n');
    expect(renderPolicy({ mode: 'none', maxAge: 86400, mx: [] })).toBe('version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n');
  });

  test.each([
    ['no mx in enforce', { mx: [] }, /`mx` must contain at least one pattern in mode enforce/],
    ['no mx in testing', { mode: 'testing', mx: [] }, /in mode testing/],
    ['a line end in a pattern', { mx: ['a.example\r\nmode: none'] }, /contains a space/],
    ['a line end alone in a pattern', { mx: ['a.example\nmode:none'] }, /`a\.example\\x0amode:none` contains `\\x0a`/],
    ['a dot at the end of a pattern', { mx: ['a.example.'] }, /write `a\.example`/],
    ['a U-label', { mx: ['møx.example'] }, /write `xn--mx-lka\.example`/],
    ['a negative age', { maxAge: -1 }, /from 0 to 31557600 .*got -1/],
    ['a fractional age', { maxAge: 1.5 }, /got 1\.5/],
    ['an age over the limit', { maxAge: MAX_AGE_LIMIT + 1 }, /got 31557601/],
    ['an age that is not a number', { maxAge: Number.NaN }, /got NaN/],
    ['an infinite age', { maxAge: Number.POSITIVE_INFINITY }, /got Infinity/],
    ['an unknown mode', { mode: JSON.parse('"Enforce\\u001b"') as Policy['mode'] }, /`mode` must be enforce, testing or none .*got `Enforce\\x1b`/],
    ['more than 64 KiB of patterns', { mx: Array.from({ length: 4000 }, (_, index) => `mx${index}.example.com`) }, /at most 65536 bytes .*4000 hosts/],
  ] satisfies [string, Partial<Policy>, RegExp][])('a policy with %s cannot be rendered', (_name, change, message) => {
    expect(() => renderPolicy({ ...policy, ...change })).toThrow(RangeError);
    expect(() => renderPolicy({ ...policy, ...change })).toThrow(message);
  });
});

describe('the policy id of releases before 0.2', () => {
  test('the policy id of releases before 0.2 is the first 32 characters of the SHA-256 of the UTF-8 bytes', () => {
    expect(policyId(good)).toBe(createHash('sha256').update(Buffer.from(good, 'utf8')).digest('hex').slice(0, 32));
    expect(policyId('')).toBe('e3b0c44298fc1c149afbf4c8996fb924');
  });

  test('the policy ids of releases before 0.2 differ when the line ends differ', () => {
    expect(policyId(good)).not.toBe(policyId(good.replaceAll('\n', '\r\n')));
  });
});

function parse(text: string): PolicyResult {
  return parsePolicy(Buffer.from(text, 'utf8'));
}

function codes({ findings }: PolicyResult): readonly string[] {
  return findings.map(({ code }) => code);
}

function withAge(age: string): string {
  return good.replace(String(AGE), age);
}

function withMx(pattern: string): string {
  return good.replace('mail.example.com', pattern);
}

function sized(bytes: number): string {
  const start = `${good}pad: `;
  return start + 'x'.repeat(bytes - start.length);
}
