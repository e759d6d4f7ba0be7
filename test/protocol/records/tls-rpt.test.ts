import { describe, expect, test } from '@jest/globals';
import { parseTlsRpt, renderTlsRpt, reportingUriDoubt, reportingUriFault } from '../../../lib/protocol/records/tls-rpt';
import type { TlsRptResult } from '../../../lib/protocol/records/tls-rpt';

const uri = 'mailto:tls@example.com';

/** A domain of 195 characters. */
const LONG_DOMAIN = `${`${'b'.repeat(60)}.`.repeat(3)}example.com`;

describe('a reporting address', () => {
  test.each([
    ['', /^is empty/],
    ['tls@example.com', /has no scheme; write `mailto:tls@example\.com`/],
    ['example.com/reports', /has no scheme; `mailto:` or `https:`/],
    ['mailo:tls@example.com', /begins with `mailo:`/],
    ['http://example.com/x', /begins with `http:`; only `mailto:` and `https:`/],
    ['mailto', /has no scheme/],
    ['mailto:', /contains no address/],
    ['mailto:tls', /has no `@`/],
    ['mailto:a%40example.com', /has no `@`/],
    ['mailto:?to=tls', /contains no address/],
    ['mailto:?subject=tls', /contains no address/],
    ['mailto:?to=.tls@example.com', /local part `\.tls`, which begins with a dot/],
    ['mailto:.a@example.com', /^has the local part `\.a`, which begins with a dot \(RFC 6068 §2\)$/],
    ['mailto:a.@example.com', /local part `a\.`, which ends with a dot/],
    ['mailto:a..b@example.com', /local part `a\.\.b`, which has two dots in a row/],
    ['mailto:a%2E%2eb@example.com', /which has two dots in a row/],
    ['mailto:.@example.com', /which begins with a dot/],
    ['mailto:a@example.com%2C.b@example.com', /local part `\.b`, which begins with a dot/],
    ['mailto:@example.com', /nothing before the `@`/],
    ['mailto:tls@', /has the domain ``, which is empty/],
    ['mailto:tls@example.com.', /ends with a dot/],
    ['mailto:tls@.example.com', /begins with a dot/],
    ['mailto:tls@example..com', /two dots in a row/],
    ['mailto:tls@example.com..', /ends with 2 dots; write `example\.com`$/],
    ['mailto:tls@exam%20ple.com', /contains ` `, which no mail domain may contain/],
    ['mailto:tls@example.com:25', /contains `:`/],
    ['mailto:tls@b%40example.com', /contains `@`/],
    ['mailto:tls@%5B192.0.2.1', /contains `\[`/],
    ['mailto:tls@%5B%5B::1%5D', /contains `\[`/],
    ['mailto:a@b@example.com', /more than one `@`/],
    ['mailto:a@b@example.com%2Cb@example.com', /more than one `@`/],
    ['mailto://tls@example.com', /slashes after `mailto:`; write `mailto:tls@example\.com`/],
    ['mailto:tls@[192.0.2.1]', /percent-encoded/],
    ['mailto:tls@example.com#a#b', /second `#`/],
    ['mailto:tls%0d%0aBcc:x@example.com', /control characters/],
    ['mailto:tls%ff@example.com', /UTF-8/],
    ['mailto:tls%2@example.com', /two hexadecimal digits/],
    ['mailto:tls@example.com%', /two hexadecimal digits/],
    ['mailto: tls@example.com', /contains a blank/],
    ['mailto:tls@example.com\t', /contains a blank/],
    ['mailto:a@example.com,b@example.com', /contains `,`, which must be written `%2C`/],
    ['mailto:a@example.com!10m', /`%21`/],
    ['mailto:a@example.com;x', /`%3B`/],
    ['mailto:tls@møx.example', /is not ASCII; write its domain `xn--mx-lka\.example`/],
    ['mailto:tøls@example.com', /contains `ø`, which is not ASCII/],
    ['https://møx.example/', /contains `ø`, which is not ASCII/],
    ['mailto:\u202etls@example.com', /contains U\+202E \(right-to-left override\); remove it/],
    ['mailto:tls@example.com\x1b', /contains `\\x1b`, which no URI may contain/],
    ['<mailto:tls@example.com>', /contains `<`, which no URI may contain/],
    ['mailto:"a"@example.com', /contains `"`/],
    ['https:', /`https:\/\/` must follow/],
    ['https:/example.com', /`https:\/\/` must follow/],
    ['https:example.com', /`https:\/\/` must follow/],
    ['https://', /no host after/],
    ['https:///x', /no host after/],
    ['https://:443/', /no host after/],
    ['https://user@/', /no host after/],
    ['https://[::1/', /not an IPv6 address/],
    ['https://[nonsense]/', /not an IPv6 address/],
    ['https://a]b/', /`a\]b`, which is not a host name/],
    ['https://a@b@example.com/', /which is not a host name/],
    ['https://example.com:port/', /the port `port`/],
    ['https://example.com:65536/', /the port `65536`/],
    ['https://[::1]x/', /not an IPv6 address/],
    ['https://[::1]@443/', /percent-encoded/],
    ['https://a@[::1]@443/', /not an IPv6 address/],
    ['https://[v1]/', /not an IPv6 address/],
    ['https://[v1.%41]/', /not an IPv6 address/],
    ['https://[a@example.com/', /percent-encoded/],
    ['https://a]@example.com/', /percent-encoded/],
    ['https://example.com/[', /percent-encoded/],
    ['https://example.com/#a#b', /second `#`/],
  ])('the reporting address %j is invalid, and the message states the problem', (text, problem) => {
    expect(reportingUriFault(text)).toMatch(problem);
  });

  test.each([
    uri,
    'MAILTO:tls@example.com',
    'mailto:tls%2Breports@example.com',
    'mailto:tls+reports@example.com',
    'mailto:a%2Cb%21%3B@example.com',
    'mailto:tls@example%2Ecom',
    'mailto:tls@example.com?subject=tls%20report',
    'mailto:?to=tls@example.com',
    'mailto:a@example.com%2Cb@example.com',
    'mailto:%22a..b%22@example.com',
    'mailto:tls@localhost',
    'mailto:tls@exa_mple.com',
    "mailto:tls@!#$%&'*+-/=?^_`{|}~.example".replace(/[!#%^`{|}?/]/g, (character) => `%${character.charCodeAt(0).toString(16)}`),
    'mailto:tls@192.0.2.1',
    'mailto:tls@%5B192.0.2.1%5D',
    'mailto:tls@%5bIPv6:2001:db8::1%5d',
    'mailto:tls@m%C3%B8x.example',
    'https://example.com',
    'HTTPS://example.com/',
    'https://example.com:8443/v1/tls?a=b&c=d#e',
    'https://example.com:/',
    'https://user@example.com/',
    'https://192.0.2.1/',
    'https://[2001:db8::1]/',
    'https://[2001:db8::1]:8443/',
    'https://[v1.a:b]/',
    'https://a:b@example.com:000443/',
    'https://reports/x',
    'https://_reports.example.com/x',
  ])('the reporting address %j is valid', (text) => {
    expect(reportingUriFault(text)).toBeUndefined();
  });
});

describe('a malformed TLSRPT record', () => {
  test.each([
    ['no field', 'v=TLSRPTv1;', 'tls-rpt-rua-missing', 1],
    ['no rua', 'v=TLSRPTv1; note=x', 'tls-rpt-rua-missing', 1],
    ['rua in upper case', `v=TLSRPTv1; RUA=${uri}`, 'tls-rpt-rua-missing', 1],
    ['the bare version', 'v=TLSRPTv1', 'txt-version-delimiter', 11],
    ['an empty rua', 'v=TLSRPTv1; rua=', 'tls-rpt-uri', 17],
    ['a comma alone', 'v=TLSRPTv1; rua=,', 'tls-rpt-uri', 17],
    ['a comma at the end', `v=TLSRPTv1; rua=${uri},`, 'tls-rpt-uri', 40],
    ['a comma at the start', `v=TLSRPTv1; rua=,${uri}`, 'tls-rpt-uri', 17],
    ['a doubled comma', `v=TLSRPTv1; rua=${uri},,${uri}`, 'tls-rpt-uri', 40],
    ['a blank between addresses', `v=TLSRPTv1; rua=${uri} ${uri}`, 'tls-rpt-uri', 17],
    ['an invalid second address', `v=TLSRPTv1; rua=${uri} , \t tls@example.com`, 'tls-rpt-uri', 44],
    ['a blank at the end', `v=TLSRPTv1; rua=${uri} `, 'txt-trailing-blank', 39],
    ['blanks around the equals sign', `v=TLSRPTv1; rua = ${uri}`, 'txt-blank-around-equals', 17],
    ['a doubled delimiter', `v=TLSRPTv1;; rua=${uri}`, 'txt-empty-field', 12],
    ['a malformed extension', `v=TLSRPTv1; rua=${uri}; a=b=c`, 'txt-field-value', 44],
    ['an invalid second rua', `v=TLSRPTv1; rua=${uri}; rua=x`, 'tls-rpt-uri', 45],
    ['a no-break space around a comma', `v=TLSRPTv1; rua=${uri}\xa0,${uri}`, 'tls-rpt-uri', 17],
  ])('a malformed TLSRPT record is invalid: %s', (_name, text, code, column) => {
    const result = parseTlsRpt([text]);
    expect(result).toMatchObject({ verdict: 'invalid', text });
    expect(result.record).toBeUndefined();
    expect(result.findings).toContainEqual(expect.objectContaining({ code, severity: 'error', line: 1, column }));
  });
});

describe('a well-formed TLSRPT record', () => {
  test.each([
    ['the canonical form', `v=TLSRPTv1; rua=${uri}`, [uri]],
    ['a delimiter at the end', `v=TLSRPTv1;rua=${uri} ;\t`, [uri]],
    ['blanks around commas', `v=TLSRPTv1; rua=${uri} \t,\t ${uri}`, [uri, uri]],
    ['an equals sign in the address', 'v=TLSRPTv1; rua=https://example.com/?a=b', ['https://example.com/?a=b']],
    ['a quoted local part', 'v=TLSRPTv1; rua=mailto:%22a%20.b%22@example.com', ['mailto:%22a%20.b%22@example.com']],
    ['a subject', 'v=TLSRPTv1; rua=mailto:tls@example.com?subject=tls', ['mailto:tls@example.com?subject=tls']],
    ['three addresses', `v=TLSRPTv1; rua=${uri},${uri},${uri}`, [uri, uri, uri]],
  ])('a well-formed TLSRPT record gives no findings: %s', (_name, text, rua) => {
    expect(parseTlsRpt([text])).toEqual({ verdict: 'valid', record: { rua }, text, findings: [] });
  });

  test.each([
    ['rua twice: both count', `v=TLSRPTv1; rua=${uri}; rua=https://a.example/`, [uri, 'https://a.example/'], ['tls-rpt-rua-duplicate']],
    ['rua not second', `v=TLSRPTv1; note=x; rua=${uri}`, [uri], ['txt-unknown-field', 'tls-rpt-rua-not-second']],
    ['the version again', `v=TLSRPTv1; rua=${uri}; v=TLSRPTv1`, [uri], ['txt-duplicate-field']],
    ['a name in another case', `v=TLSRPTv1; rua=${uri}; Rua=x`, [uri], ['txt-misspelled-field']],
    ['a blank before the first semicolon', `v=TLSRPTv1 ; rua=${uri}`, [uri], ['txt-blank-before-delimiter']],
    ['an https host without a dot', 'v=TLSRPTv1; rua=https://reports/x', ['https://reports/x'], ['tls-rpt-uri-host']],
    ['an https host with an underscore', 'v=TLSRPTv1; rua=https://a_b.example/', ['https://a_b.example/'], ['tls-rpt-uri-host']],
    ['an https host that ends in a dot', 'v=TLSRPTv1; rua=https://a.example./', ['https://a.example./'], ['tls-rpt-uri-host']],
    ['an https host that is neither a name nor an address', 'v=TLSRPTv1; rua=https://192.0.2.256/', ['https://192.0.2.256/'], ['tls-rpt-uri-host']],
    ['an https host that is an address of an unknown version', 'v=TLSRPTv1; rua=https://[v1.a:b]/', ['https://[v1.a:b]/'], ['tls-rpt-uri-host']],
    ['an https host with an encoded control character', 'v=TLSRPTv1; rua=https://a%0a.example/', ['https://a%0a.example/'], ['tls-rpt-uri-host']],
    ['an address behind ?to=', 'v=TLSRPTv1; rua=mailto:?to=a@example.com', ['mailto:?to=a@example.com'], ['tls-rpt-uri-host']],
    ['two addresses in one URI', 'v=TLSRPTv1; rua=mailto:a@example.com%2Cb@example.com', ['mailto:a@example.com%2Cb@example.com'], ['tls-rpt-uri-host']],
    ['one more address behind ?to=', 'v=TLSRPTv1; rua=mailto:a@example.com?to=b@example.com', ['mailto:a@example.com?to=b@example.com'], ['tls-rpt-uri-host']],
    ['a comma in a local part', 'v=TLSRPTv1; rua=mailto:a%2Cb@example.com', ['mailto:a%2Cb@example.com'], ['tls-rpt-uri-host']],
    ['a local part beyond ASCII', 'v=TLSRPTv1; rua=mailto:t%C3%A4@example.com', ['mailto:t%C3%A4@example.com'], ['tls-rpt-uri-host']],
    ['a local part that is too long', `v=TLSRPTv1; rua=mailto:${'a'.repeat(65)}@example.com`, [`mailto:${'a'.repeat(65)}@example.com`], ['tls-rpt-uri-host']],
    ['an address that is too long', `v=TLSRPTv1; rua=mailto:${'a'.repeat(64)}@${LONG_DOMAIN}`, [`mailto:${'a'.repeat(64)}@${LONG_DOMAIN}`], ['tls-rpt-uri-host']],
    ['a mail domain with an underscore', 'v=TLSRPTv1; rua=mailto:a@b_c.example', ['mailto:a@b_c.example'], ['tls-rpt-uri-host']],
    ['a mail domain with a label that begins with a hyphen', 'v=TLSRPTv1; rua=mailto:a@-b.example', ['mailto:a@-b.example'], ['tls-rpt-uri-host']],
    ['a mail domain that is an IPv4 address', 'v=TLSRPTv1; rua=mailto:a@192.0.2.1', ['mailto:a@192.0.2.1'], ['tls-rpt-uri-host']],
    ['a mail domain that is an address literal', 'v=TLSRPTv1; rua=mailto:a@%5B192.0.2.1%5D', ['mailto:a@%5B192.0.2.1%5D'], ['tls-rpt-uri-host']],
    ['a mail domain in an encoded U-label', 'v=TLSRPTv1; rua=mailto:a@m%C3%B8x.example', ['mailto:a@m%C3%B8x.example'], ['tls-rpt-uri-host']],
    ['a mail domain without a dot', 'v=TLSRPTv1; rua=mailto:a@localhost', ['mailto:a@localhost'], ['tls-rpt-uri-host']],
  ])('a valid TLSRPT record gives a warning for %s', (_name, text, rua, codes) => {
    const result = parseTlsRpt([text]);
    expect(result).toMatchObject({ verdict: 'valid', record: { rua } });
    expect(result.findings.map(({ code }) => code)).toEqual(codes);
    expect(result.findings.every(({ severity }) => severity === 'warning')).toBe(true);
  });

  test.each(['https://192.0.2.1/', 'https://[2001:db8::1]:8443/', 'https://reports.example.com:8443/x', 'https://reports.ex%61mple.com/'])(
    'the host of the reporting address %s gives no warning', (address) => {
      expect(parseTlsRpt([`v=TLSRPTv1; rua=${address}`])).toMatchObject({ verdict: 'valid', findings: [] });
    },
  );
});

describe('several TXT records', () => {
  test('two TLSRPT records are an error', () => {
    expect(parseTlsRpt([`v=TLSRPTv1; rua=${uri}`, 'v=TLSRPTv1;'])).toMatchObject({
      verdict: 'multiple', findings: [{ code: 'tls-rpt-multiple', severity: 'error', line: 2 }],
    });
  });

  test.each([
    ['v=DMARC1; p=none', 'tls-rpt-unrelated-txt'],
    ['v=TLSRPTv1', 'tls-rpt-version-text'],
    ['V=tlsrptv1; rua=x', 'tls-rpt-version-text'],
  ])('the TXT record %j beside a TLSRPT record is dropped with a warning', (other, code) => {
    const result = parseTlsRpt([`v=TLSRPTv1; rua=${uri}`, other]);
    expect(result).toMatchObject({ verdict: 'valid', record: { rua: [uri] }, findings: [{ code, severity: 'warning', line: 2 }] });
  });

  test('TXT records without the exact version contain no TLSRPT record', () => {
    const result: TlsRptResult = parseTlsRpt(['v=DMARC1; p=none', `v=tlsrptv1; rua=${uri}`]);
    expect(result.verdict).toBe('none');
    expect(result.findings.map(({ code }) => code)).toEqual(['tls-rpt-unrelated-txt', 'tls-rpt-unrecognised']);
  });

  test('unrelated TXT records contain no TLSRPT record and give an error', () => {
    const { verdict, findings } = parseTlsRpt(['v=DMARC1; p=none', '']);
    expect(verdict).toBe('none');
    expect(findings.map(({ code, message }) => [code, message])).toEqual([
      ['tls-rpt-none', 'the answer contains no TLSRPT record: no TXT record begins with `v=TLSRPTv1;`'],
      ['tls-rpt-unrelated-txt', 'TXT record `v=DMARC1; p=none` does not begin with `v=TLSRPTv1;`'],
      ['tls-rpt-unrelated-txt', 'an empty TXT record is no TLSRPT record'],
    ]);
  });

  test('an empty DNS answer contains no TLSRPT record and gives an error', () => {
    expect(parseTlsRpt([])).toEqual({
      verdict: 'none',
      findings: [{
        code: 'tls-rpt-none',
        severity: 'error',
        message: 'the answer contains no TLSRPT record: no TXT record begins with `v=TLSRPTv1;`',
        fix: 'publish one TXT record `v=TLSRPTv1; rua=mailto:<an address that is read>`',
        reference: 'RFC 8460 §3',
        line: 1,
        column: 1,
      }],
    });
  });
});

describe('a misspelled version of a TLSRPT record', () => {
  test.each(['v=TLSRPT1; rua=mailto:a@example.com', 'v=TLS-RPTv1; rua=mailto:a@example.com', 'version=TLSRPTv1; rua=mailto:a@example.com', 'v=TLSRTPv1; rua=x', 'rua=mailto:a@example.com', 'TLSRPTv1; rua=x'])(
    'the finding about the misspelled version of %j gives the right version', (text) => {
      expect(parseTlsRpt([text])).toMatchObject({
        verdict: 'none',
        findings: [{ code: 'tls-rpt-unrecognised', message: expect.stringMatching(/^unrecognised version: /), fix: 'write `v=TLSRPTv1;` at the beginning of the record, exactly so' }],
      });
    },
  );

  test.each(['v=STSv1; id=1', 'v=DMARC1; rua=mailto:a@example.com', 'v=spf1 -all'])('the TXT record %j is unrelated to TLSRPT', (text) => {
    expect(parseTlsRpt([text]).findings.map(({ code }) => code)).toEqual(['tls-rpt-none', 'tls-rpt-unrelated-txt']);
  });
});

test('some senders overlook a TLSRPT version with blanks before its semicolon, alone and beside a record', () => {
  expect(parseTlsRpt([`v=TLSRPTv1 ; rua=${uri}`]).findings).toEqual([expect.objectContaining({ code: 'txt-blank-before-delimiter', senders: ['aykevl', 'mailpiece'] })]);
  expect(parseTlsRpt([`v=TLSRPTv1; rua=${uri}`, 'v=TLSRPTv1 ; rua=x']).findings).toEqual([expect.objectContaining({ code: 'tls-rpt-version-text', senders: ['mox'] })]);
});

test('the message about a reporting address that few senders can use contains the address to write', () => {
  expect(reportingUriDoubt('mailto:?to=a@example.com')).toBe('contains its address only after `?to=`, which few senders of reports read; write `mailto:a@example.com`');
  expect(reportingUriDoubt('mailto:a@example.com%2cb@example.com'))
    .toBe('contains 2 addresses, and many senders of reports read at most one; write `mailto:a@example.com` and `mailto:b@example.com`, with a comma between them');
});

describe('rendering of a TLSRPT record', () => {
  test('a rendered TLSRPT record has rua as its second field, with the addresses in the given order', () => {
    expect(renderTlsRpt([uri, 'https://example.com/'])).toBe(`v=TLSRPTv1; rua=${uri},https://example.com/`);
  });

  test('a TLSRPT record cannot be rendered without an address', () => {
    expect(() => renderTlsRpt([])).toThrow(/`rua` must contain at least one/);
  });

  test.each([
    ['mailto:a@b_c.example', 'the reporting address `mailto:a@b_c.example` names the host `b_c.example`, which contains an underscore, which no host name may contain (RFC 8460 §3)'],
    ['mailto:a@192.0.2.1', 'is an IPv4 address'],
    ['mailto:a@localhost', 'has no dot'],
    ['https://reports/x', 'has no dot'],
  ])('a TLSRPT record cannot be rendered with %j, a valid address that receives no reports', (address, message) => {
    expect(parseTlsRpt([`v=TLSRPTv1; rua=${address}`]).verdict).toBe('valid');
    expect(reportingUriFault(address)).toBeUndefined();
    expect(reportingUriDoubt(address)).toMatch(/^names the host /);
    expect(() => renderTlsRpt([address])).toThrow(RangeError);
    expect(() => renderTlsRpt([address])).toThrow(message);
  });

  test('a TLSRPT record cannot be rendered with an invalid reporting address', () => {
    expect(() => renderTlsRpt([uri, 'tls@example.com'])).toThrow(RangeError);
    expect(() => renderTlsRpt(['tls@example.com'])).toThrow('the reporting address `tls@example.com` has no scheme; write `mailto:tls@example.com` (RFC 8460 §3)');
  });
});
