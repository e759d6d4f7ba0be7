import { describe, expect, test } from '@jest/globals';
import { UNPUBLISHED_RECORD, parseRecord, recordAround, renderRecord } from '../../../lib/protocol/records/sts-record';
import type { RecordResult, TxtRecord } from '../../../lib/protocol/records/sts-record';

const id32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const name32 = 'a23456789012345678901234567890ab';

describe('a malformed MTA-STS record', () => {
  test.each([
    ['no field', 'v=STSv1;', 'record-id-missing', 1],
    ['no field, blanks', 'v=STSv1; \t', 'record-id-missing', 1],
    ['no id', 'v=STSv1; note=x', 'record-id-missing', 1],
    ['an id in upper case', 'v=STSv1; ID=1', 'record-id-missing', 1],
    ['an empty id', 'v=STSv1; id=', 'record-id-invalid', 13],
    ['an empty id before a delimiter', 'v=STSv1; id=;', 'record-id-invalid', 13],
    ['an id of 33 characters', `v=STSv1; id=${id32}6`, 'record-id-invalid', 13],
    ['a hyphen in the id', 'v=STSv1; id=2025-01-14', 'record-id-invalid', 13],
    ['an underscore in the id', 'v=STSv1; id=a_b', 'record-id-invalid', 13],
    ['a letter beyond ASCII in the id', 'v=STSv1; id=é', 'record-id-invalid', 13],
    ['a digit beyond ASCII in the id', 'v=STSv1; id=\u0661', 'record-id-invalid', 13],
    ['a second equals sign in the id', 'v=STSv1; id=a=b', 'record-id-invalid', 13],
    ['NUL in the id', 'v=STSv1; id=a\0b', 'record-id-invalid', 13],
    ['a line feed at the end', 'v=STSv1; id=1\n', 'record-id-invalid', 13],
    ['quotes around the id', 'v=STSv1; id="1"', 'record-id-invalid', 13],
    ['a blank inside the id', 'v=STSv1; id=a b', 'record-id-invalid', 13],
    ['a doubled delimiter', 'v=STSv1;; id=1', 'txt-empty-field', 9],
    ['a doubled delimiter at the end', 'v=STSv1; id=1;;', 'txt-empty-field', 15],
    ['a blank field', 'v=STSv1; id=1; ; a=b', 'txt-empty-field', 16],
    ['a blank at the end', 'v=STSv1; id=1 ', 'txt-trailing-blank', 14],
    ['a tab at the end', 'v=STSv1; id=1\t', 'txt-trailing-blank', 14],
    ['a form feed as delimiter blank', 'v=STSv1;\fid=1', 'txt-field-name', 9],
    ['a no-break space as delimiter blank', 'v=STSv1;\xa0id=1', 'txt-field-name', 9],
    ['a byte order mark before a field', 'v=STSv1;\ufeffid=1', 'txt-field-name', 9],
    ['a field without equals sign', 'v=STSv1; id=1; note', 'txt-no-equals', 16],
    ['a line feed after the delimiter', 'v=STSv1; id=1;\n', 'txt-no-equals', 15],
    ['a field without name', 'v=STSv1; id=1; =x', 'txt-field-name', 16],
    ['a name that begins with a hyphen', 'v=STSv1; id=1; -a=x', 'txt-field-name', 16],
    ['a name that begins with a dot', 'v=STSv1; id=1; .a=x', 'txt-field-name', 16],
    ['a name that begins with an underscore', 'v=STSv1; id=1; _a=x', 'txt-field-name', 16],
    ['a name of 33 characters', `v=STSv1; id=1; ${name32}c=1`, 'txt-field-name', 16],
    ['a colon in a name', 'v=STSv1; id=1; a:b=c', 'txt-field-name', 16],
    ['blanks around the equals sign', 'v=STSv1; id = 1', 'txt-blank-around-equals', 13],
    ['a blank after the equals sign', 'v=STSv1; id= 1', 'txt-blank-around-equals', 12],
    ['an empty value', 'v=STSv1; id=1; a=', 'txt-field-value', 18],
    ['a blank in a value', 'v=STSv1; id=1; a=b c', 'txt-field-value', 19],
    ['an equals sign in a value', 'v=STSv1; id=1; a=b=c', 'txt-field-value', 19],
    ['DEL in a value', 'v=STSv1; id=1; a=\x7f', 'txt-field-value', 18],
    ['a C1 control in a value', 'v=STSv1; id=1; a=\x85', 'txt-field-value', 18],
    ['a letter beyond ASCII in a value', 'v=STSv1; id=1; a=xyé', 'txt-field-value', 20],
    ['a malformed second id', 'v=STSv1; id=1; id=a=b', 'txt-field-value', 20],
    ['a malformed first id', 'v=STSv1; id=a_b; id=1', 'record-id-invalid', 13],
    ['nothing after the version', 'v=STSv1', 'txt-version-delimiter', 8],
    ['a comma after the version', 'v=STSv1, id=1', 'txt-version-delimiter', 8],
    ['a blank alone after the version', 'v=STSv1 id=1', 'txt-version-delimiter', 8],
    ['a line feed before the delimiter', 'v=STSv1\n; id=1', 'txt-version-delimiter', 8],
  ])('a malformed MTA-STS record is invalid: %s', (_name, text, code, column) => {
    const result = parseRecord([text]);
    expect(result).toMatchObject({ verdict: 'invalid', text });
    expect(result.record).toBeUndefined();
    expect(result.findings).toContainEqual(expect.objectContaining({ code, severity: 'error', line: 1, column }));
  });

  test('each problem of an MTA-STS record gives one finding', () => {
    expect(codes(parseRecord(['v=STSv1; ID = a; ; b=c=d;x']))).toEqual([
      'record-id-missing', 'txt-misspelled-field', 'txt-blank-around-equals', 'txt-empty-field', 'txt-unknown-field', 'txt-field-value', 'txt-no-equals',
    ]);
  });

  test('messages about an MTA-STS record contain no control characters', () => {
    const { findings } = parseRecord(['v=STSv1; id=\x1b[2J; \u202e=\r\n; x=\x07; \x1b']);
    expect(findings.length).toBeGreaterThan(3);
    for (const { message, fix = '' } of findings) expect(`${message}${fix}`).toMatch(/^[\P{C}]*$/u);
  });

  test('the finding about an invalid id states the value and the fix', () => {
    expect(parseRecord(['v=STSv1; id=da39a3ee5e6b4b0d3255bfef95601890afd80709']).findings).toMatchObject([{
      code: 'record-id-invalid',
      severity: 'error',
      message: 'the id `da39a3ee5e6b4b0d3255bfef95601890afd80709` has 40 characters; at most 32 are allowed; '
        + 'refused or read otherwise by mox, postfix-tlspol, rest-mail, mailpiece, aykevl; '
        + 'still accepted by postfix-mta-sts-resolver, mailauth, chasquid, go-mtasts, kumomta, stalwart, courier, danmarg',
      fix: 'write 1 to 32 letters or digits; a 40-character hash must be cut',
      reference: 'RFC 8461 §3.1',
      line: 1,
      column: 13,
    }]);
    expect(parseRecord(['v=STSv1; id = 7']).findings.at(0)?.fix).toBe('write `id=7`');
  });
});

describe('a well-formed MTA-STS record', () => {
  test.each([
    ['the canonical form', 'v=STSv1; id=1;', '1'],
    ['no blanks', 'v=STSv1;id=1', '1'],
    ['many blanks', 'v=STSv1;    id=1   ;   ', '1'],
    ['the longest id', `v=STSv1; id=${id32}`, id32],
    ['the longest name', `v=STSv1; id=1; ${name32}=x`, '1'],
    ['every character of a value', 'v=STSv1; a=!"#$%&\'()*+,-./09:<>?@AZ[\\]^_`az{|}~; id=1', '1'],
    ['every kind of character in a name', 'v=STSv1; 0A_z-9.=1; id=1', '1'],
    ['an extension before the id', 'v=STSv1; note=x; id=7', '7'],
    ['a name that ends in id', 'v=STSv1; grid=99; id=7', '7'],
    ['an invalid second id', 'v=STSv1; id=1; id=not-an-id', '1'],
    ['names that every object has', 'v=STSv1; constructor=1; toString=2; id=7', '7'],
  ])('a well-formed MTA-STS record is valid: %s', (_name, text, id) => {
    expect(parseRecord([text])).toMatchObject({ verdict: 'valid', record: { id }, text });
  });

  test('an MTA-STS record in canonical form gives no findings', () => {
    expect(parseRecord(['v=STSv1; id=1;'])).toEqual({ verdict: 'valid', record: { id: '1' }, text: 'v=STSv1; id=1;', findings: [] });
  });

  test.each([
    ['a second id: the first counts', 'v=STSv1; id=1; id=2', 'txt-duplicate-field', 16],
    ['a second version', 'v=STSv1; v=STSv1; id=1', 'txt-duplicate-field', 10],
    ['another second version', 'v=STSv1; id=1; v=STSv2', 'txt-duplicate-field', 16],
    ['an unknown field', 'v=STSv1; id=1; note=x', 'txt-unknown-field', 16],
    ['a known name in another case', 'v=STSv1; id=1; Id=2', 'txt-misspelled-field', 16],
    ['a tab after a semicolon', 'v=STSv1;\tid=1', 'record-tab', 9],
    ['a tab before a semicolon', 'v=STSv1; id=1 \t;', 'record-tab', 15],
    ['a tab at the very end', 'v=STSv1; id=1; \t', 'record-tab', 16],
    ['blanks before the first semicolon', 'v=STSv1 ; id=1', 'txt-blank-before-delimiter', 8],
    ['a tab before the first semicolon', 'v=STSv1\t; id=1', 'txt-blank-before-delimiter', 8],
  ])('a valid MTA-STS record gives a warning for %s', (_name, text, code, column) => {
    const result = parseRecord([text]);
    expect(result).toMatchObject({ verdict: 'valid', record: { id: '1' } });
    expect(result.findings).toContainEqual(expect.objectContaining({ code, severity: 'warning', line: 1, column }));
  });

  test('the warning about a tab names the senders that refuse the record', () => {
    expect(parseRecord(['v=STSv1;\tid=1']).findings).toEqual([expect.objectContaining({
      code: 'record-tab',
      senders: ['postfix-tlspol', 'kumomta', 'courier'],
      message: 'a tab stands beside a semicolon; refused or read otherwise by postfix-tlspol, kumomta, courier',
    })]);
  });

  test('the character-strings of an MTA-STS record are joined without a separator', () => {
    expect(parseRecord([['v=STS', 'v1; id=a', 'b;']])).toMatchObject({ verdict: 'valid', record: { id: 'ab' }, text: 'v=STSv1; id=ab;' });
    expect(parseRecord([['v=STSv1; id=a', 'b=c']])).toMatchObject({ verdict: 'invalid', text: 'v=STSv1; id=ab=c' });
    expect(parseRecord([[]])).toMatchObject({ verdict: 'none' });
  });
});

describe('several TXT records', () => {
  test.each([
    ['two records', ['v=STSv1; id=1', 'v=STSv1; id=2']],
    ['the same record twice', ['v=STSv1; id=1', 'v=STSv1; id=1']],
    ['a record and a malformed one', ['v=STSv1; id=1', 'v=STSv1;']],
    ['two malformed records', ['v=STSv1;', 'v=STSv1;;']],
  ])('several MTA-STS records are an error: %s', (_name, records) => {
    const result = parseRecord(['v=spf1 -all', ...records]);
    expect(result).toMatchObject({ verdict: 'multiple', findings: [{ code: 'record-multiple', severity: 'error', line: 3 }] });
    expect(result.record).toBeUndefined();
  });

  test.each<[string, TxtRecord, string, readonly string[]]>([
    ['an unrelated record', 'v=spf1 -all', 'record-unrelated-txt', ['go-mtasts']],
    ['an empty record', '', 'record-unrelated-txt', ['go-mtasts']],
    ['a record of another version', 'v=STSv10; id=9', 'record-unrelated-txt', ['go-mtasts']],
    ['a sentence that begins with the version', 'v=STSv1 applies here', 'record-version-text', ['postfix-mta-sts-resolver', 'mailauth', 'go-mtasts', 'kumomta', 'courier']],
    ['the bare version', 'v=STSv1', 'record-version-text', ['postfix-mta-sts-resolver', 'mailauth', 'go-mtasts', 'kumomta', 'courier']],
    ['a record with a blank before the semicolon', 'v=STSv1 ; id=9', 'record-version-text', [
      'mox', 'postfix-tlspol', 'rest-mail', 'postfix-mta-sts-resolver', 'mailauth', 'go-mtasts', 'kumomta', 'courier',
    ]],
    ['a record with a capital V', 'V=STSv1; id=9', 'record-version-case', ['go-mtasts', 'kumomta', 'mailauth', 'stalwart']],
  ])('another TXT record beside the MTA-STS record is dropped, and the warning names the senders that do not drop it: %s', (_name, other, code, senders) => {
    const result = parseRecord([other, 'v=STSv1; id=55']);
    expect(result).toMatchObject({ verdict: 'valid', record: { id: '55' } });
    expect(result.findings).toEqual([expect.objectContaining({ code, severity: 'warning', senders, line: 1 })]);
  });

  test('the warning about an empty TXT record beside the MTA-STS record calls it empty', () => {
    const { findings } = parseRecord(['v=STSv1; id=55', '']);
    expect(findings.map(({ message }) => message)).toEqual(['an empty TXT record stands beside the record; refused or read otherwise by go-mtasts']);
  });

  test.each([
    ['blanks before the semicolon', 'v=STSv1 ; id=1', /a semicolon must follow the version directly/],
    ['the version alone', 'v=STSv1', /a semicolon must follow the version directly/],
  ])('a TXT record with %s is not an MTA-STS record when another TXT record stands beside it', (_name, text, reason) => {
    const result = parseRecord([text, 'v=spf1 -all']);
    expect(result.verdict).toBe('none');
    expect(result.findings).toEqual([
      expect.objectContaining({ code: 'record-unrecognised', severity: 'error', line: 1, message: expect.stringMatching(reason) }),
      expect.objectContaining({ code: 'record-unrelated-txt', severity: 'warning', line: 2 }),
    ]);
  });
});

describe('no MTA-STS record', () => {
  test('an empty DNS answer contains no MTA-STS record and gives an error', () => {
    expect(parseRecord([])).toEqual({
      verdict: 'none',
      findings: [{
        code: 'record-none',
        severity: 'error',
        message: 'the answer contains no MTA-STS record: no TXT record begins with `v=STSv1;`',
        fix: 'publish one TXT record `v=STSv1; id=<1 to 32 letters or digits>;` once the policy file is reachable',
        reference: 'RFC 8461 §3.1',
        line: 1,
        column: 1,
      }],
    });
  });

  test('unrelated TXT records give an error, and warnings that name no senders, because no sender sees a policy', () => {
    const { verdict, findings } = parseRecord(['v=spf1 -all', 'hello']);
    expect(verdict).toBe('none');
    expect(findings.map(({ code, severity, line }) => [code, severity, line])).toEqual([
      ['record-none', 'error', 1], ['record-unrelated-txt', 'warning', 1], ['record-unrelated-txt', 'warning', 2],
    ]);
    expect(findings.at(1)?.message).toBe('TXT record `v=spf1 -all` does not begin with `v=STSv1;`');
    for (const finding of findings) expect(finding).not.toHaveProperty('senders');
  });

  test('an empty TXT record is not an MTA-STS record, and the warning calls it empty', () => {
    const { verdict, findings } = parseRecord(['']);
    expect(verdict).toBe('none');
    expect(findings.map(({ code, message }) => [code, message])).toEqual([
      ['record-none', 'the answer contains no MTA-STS record: no TXT record begins with `v=STSv1;`'],
      ['record-unrelated-txt', 'an empty TXT record is no MTA-STS record'],
    ]);
  });

  test.each([
    ['V=STSv1; id=1', /case-sensitive/],
    ['v=stsv1; id=1', /case-sensitive/],
    [' v=STSv1; id=1', /blanks before the version/],
    ['"v=STSv1; id=1"', /quotation marks/],
    ['v=STSv1\\; id=1\\;', /backslash.*zone file/],
    ['v=STSv10; id=1', /another version/],
    ['v=STSv1.1; id=1', /another version/],
    ['v = STSv1; id=1', /the version is misspelled/],
    ['\ufeffv=STSv1; id=1', /not in front; it contains U\+FEFF/],
    ['id=1; v=STSv1;', /not in front/],
  ])('the TXT record %j is not an MTA-STS record, and the message states the reason', (text, reason) => {
    const result = parseRecord([text]);
    expect(result.verdict).toBe('none');
    expect(result.findings).toEqual([expect.objectContaining({ code: 'record-unrecognised', severity: 'error', message: expect.stringMatching(reason) })]);
  });
});

describe('a misspelled version of an MTA-STS record', () => {
  test.each([
    ['v=STS1; id=1', 'v=STS1'],
    ['v=STSvl; id=1;', 'v=STSvl'],
    ['v=MTA-STSv1; id=1', 'v=MTA-STSv1'],
    ['v=MTASTS1; id=1', 'v=MTASTS1'],
    ['version=STSv1; id=1', 'version=STSv1'],
    ['v:STSv1; id=1', 'v:STSv1'],
    ['v=STSv2; id=1', 'v=STSv2'],
    ['v=STS; id=1', 'v=STS'],
    ['v=ST5v1; id=1', 'v=ST5v1'],
    ['v=TSSv1; id=1', 'v=TSSv1'],
    ['"v=STS1; id=1"', 'v=STS1'],
    ['v=STS1 id=20260101', 'v=STS1'],
    ['STSv1; id=1', 'STSv1'],
    ['mta-sts; id=1', 'mta-sts'],
    ['\u{1d42f}=STS1; id=1', 'v=STS1'],
  ])('the finding about the misspelled version of %j gives the right version', (text, shown) => {
    const { verdict, findings } = parseRecord([text]);
    expect(verdict).toBe('none');
    expect(findings).toEqual([expect.objectContaining({
      code: 'record-unrecognised',
      severity: 'error',
      message: expect.stringContaining(`: \`${shown}\` is not \`v=STSv1\``),
      fix: 'write `v=STSv1;` at the beginning of the record, exactly so',
    })]);
    expect(findings.at(0)?.message).toMatch(/^unrecognised version: TXT record /);
  });

  test.each(['V=STSv1; id=1', 'v=STSV1; id=1', 'v = STSv1; id=1', 'v=STS v1; id=1', 'v=STSv10; id=1', 'id=1;', 'v\u200b=STSv1; id=1'])('the TXT record %j has an unrecognised version', (text) => {
    expect(parseRecord([text]).findings).toEqual([expect.objectContaining({ code: 'record-unrecognised', message: expect.stringMatching(/^unrecognised version: /) })]);
  });

  test.each([
    'v=spf1 include:sts.example -all', 'v=DMARC1; p=none; rua=mailto:sts@example.com', 'v=DKIM1; k=rsa; p=', 'v=BIMI1; l=;', 'google-site-verification=sts1', 'MS=ms1',
    'hello', 'v=TLSRPTv1; rua=mailto:a@example.com', 'identity=1', 'status', 'v=verifydomain MS=1',
  ])('the TXT record %j is unrelated to MTA-STS', (text) => {
    expect(parseRecord([text]).findings.map(({ code }) => code)).toEqual(['record-none', 'record-unrelated-txt']);
  });

  test('the fix for a misspelled version beside the MTA-STS record is to delete it', () => {
    const { findings } = parseRecord(['v=STSv1; id=1', 'v=STS1; id=2']);
    expect(findings).toEqual([expect.objectContaining({
      code: 'record-unrelated-txt',
      message: 'TXT record `v=STS1; id=2` beside the record has an unrecognised version; refused or read otherwise by go-mtasts',
      fix: 'delete it: the record with the version `v=STSv1;` is there already',
    })]);
  });
});

describe('misleading characters in an MTA-STS record', () => {
  test.each([
    ['v=STSv1;\u00a0id=1', 'txt-field-name', 'contains U+00A0 (no-break space); write a plain space or none'],
    ['v=STSv1; id=1\u200b', 'record-id-invalid', 'contains U+200B (zero-width space); remove it'],
    ['v=STSv1; id=2026\u20111', 'record-id-invalid', 'contains U+2011 (non-breaking hyphen); write a hyphen'],
    ['v=STSv1; id\uff1d1', 'txt-no-equals', 'it contains U+FF1D (looks like an equals sign), so write an equals sign'],
    ['v=STSv1\uff1b id=1', 'txt-version-delimiter', 'it contains U+FF1B (looks like a semicolon), so write a semicolon'],
    ['\ufeffv=STSv1; id=1', 'record-unrecognised', 'it contains U+FEFF (byte order mark), so remove it'],
    ['v=STSv1; \u0456d=1', 'txt-field-name', 'contains U+0456 (Cyrillic, looks like `i`); write `i`'],
  ])('a misleading character in the MTA-STS record %j is named by its code point', (text, code, message) => {
    expect(parseRecord([text]).findings).toContainEqual(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});

describe('rendering of an MTA-STS record', () => {
  test('every sender accepts the form of a rendered MTA-STS record', () => {
    expect(renderRecord('abc123')).toBe('v=STSv1; id=abc123;');
  });

  test.each([
    ['', /the id `` is empty/],
    [`${id32}6`, /has 33 characters; at most 32 are allowed \(RFC 8461 §3\.1\)/],
    ['a-b', /contains `-`/],
    ['1;\nx', /contains `;`/],
    ['\x1b', /contains `\\x1b`/],
  ])('an MTA-STS record cannot be rendered with the id %j', (id, message) => {
    expect(() => renderRecord(id)).toThrow(RangeError);
    expect(() => renderRecord(id)).toThrow(message);
  });
});

describe('an MTA-STS record whose id is not known yet', () => {
  test('an MTA-STS record can be rendered around any placeholder for its id', () => {
    for (const placeholder of ['${Token[TOKEN.12]}', '${var.ids["example.com"]}', '$&', '$1', 'id=0;']) expect(recordAround(placeholder)).toBe(`v=STSv1; id=${placeholder};`);
    expect(recordAround('abc123')).toBe(renderRecord('abc123'));
  });

  test('the placeholder of an unpublished MTA-STS record is not a record to senders', () => {
    expect(parseRecord([UNPUBLISHED_RECORD])).toMatchObject({ verdict: 'none' });
  });
});

function codes({ findings }: RecordResult): readonly string[] {
  return findings.map(({ code }) => code);
}
