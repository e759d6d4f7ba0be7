import { describe, expect, test } from '@jest/globals';
import { mxGrammarProblem, mxMatches, mxPatternProblem, mxPatternToALabels } from '../../../lib/protocol/mx/pattern';

const label63 = 'a'.repeat(63);
const name253 = `${[label63, label63, label63].join('.')}.${'b'.repeat(57)}.com`;

describe('an mx pattern', () => {
  test.each([
    ['', /^is empty/],
    ['mail.example.com.', /^ends with a dot; write `mail\.example\.com`$/],
    ['*.example.com.', /^ends with a dot; write `\*\.example\.com`$/],
    ['mail.example.com..', /^ends with 2 dots; write `mail\.example\.com`$/],
    ['.example.com..', /write `\*\.example\.com`$/],
    ['*.møx.example..', /not in A-labels; write `\*\.xn--mx-lka\.example`$/],
    ['.example.com', /as in drafts of the RFC; write `\*\.example\.com`$/],
    ['.example.com.', /write `\*\.example\.com`$/],
    ['*', /names no domain/],
    ['*.', /names no domain/],
    ['.', /names no domain/],
    ['*.*', /names no domain/],
    ['*.*.example.com', /two wildcards/],
    ['*mx.example.com', /no dot after `\*`/],
    ['mx*.example.com', /wildcard inside/],
    ['mx.*.example.com', /wildcard inside/],
    ['*.mx*.example.com', /wildcard inside/],
    ['**.example.com', /wildcard inside/],
    ['10 mail.example.com', /contains a preference.*write `mail\.example\.com`$/],
    ['10\tmail.example.com', /contains a preference/],
    ['a.example.com b.example.com', /one `mx` line for each/],
    ['a.example.com,b.example.com', /one `mx` line for each/],
    ['a.example.com;', /write one name/],
    ['mail.example.com:25', /contains a port.*write `mail\.example\.com`$/],
    ['192.0.2.1', /IPv4 address/],
    ['[192.0.2.1]', /is an address/],
    ['2001:db8::1', /is an address/],
    ['[IPv6:2001:db8::1]', /is an address/],
    ['møx.example', /not in A-labels; write `xn--mx-lka\.example`$/],
    ['*.møx.example', /not in A-labels; write `\*\.xn--mx-lka\.example`$/],
    ['*.møx.example.', /not in A-labels; write `\*\.xn--mx-lka\.example`$/],
    ['a_b.example.com', /underscore/],
    ['*.-a.example', /hyphen/],
    ['mx.example.com\x1b', /contains `\\x1b`/],
    ['mx.example.com:smtp', /contains `:`/],
    [`*.a${name253}`, /has 254 characters/],
    [`*.${label63}a.example`, /label of 64 characters/],
    ['"mx.example.com"', /contains `"`/],
    ['<mx.example.com>', /contains `<`/],
    ['mx.example.com#backup', /contains `#`/],
  ])('the mx pattern %j is invalid, and the message states the problem', (pattern, problem) => {
    expect(mxPatternProblem(pattern)).toMatch(problem);
    expect(mxGrammarProblem(pattern)).toMatch(problem);
    expect(mxMatches(pattern, 'mail.example.com')).toBe(false);
  });

  test.each(['mail.example.com', '*.example.com', '*.com', 'localhost', 'MAIL.Example.com', 'xn--mx-lka.example', name253, `*.${name253}`])('the mx pattern %j is valid', (pattern) => {
    expect(mxPatternProblem(pattern)).toBeUndefined();
  });
});

test.each(['mx.example.123', '*.example.123', '*.2.10', '25'])('the grammar accepts the mx pattern %j, although no mail host has such a name', (pattern) => {
  expect(mxGrammarProblem(pattern)).toBeUndefined();
  expect(mxPatternProblem(pattern)).toMatch(/top-level domain is never all digits/);
});

test('an mx pattern that is too long is not converted to A-labels', () => {
  expect(mxPatternProblem('é'.repeat(40000))).toBe('contains `é`, which is not ASCII');
});

describe('an MX host', () => {
  test.each([
    ['mail.example.com', 'mail.example.com'],
    ['MAIL.example.COM', 'mail.EXAMPLE.com'],
    ['mail.example.com', 'mail.example.com.'],
    ['*.example.com', 'a.example.com.'],
    ['*.EXAMPLE.com', 'A.example.COM'],
    ['*.com', 'example.com'],
    ['localhost', 'localhost.'],
    ['mx.example.123', 'MX.example.123.'],
    ['*.example.123', 'mx.example.123'],
  ])('the mx pattern %j covers the host %j', (pattern, host) => {
    expect(mxMatches(pattern, host)).toBe(true);
  });

  test.each([
    ['*.example.com', 'example.com'],
    ['*.example.com', 'a.b.example.com'],
    ['*.example.com', '.example.com'],
    ['*.example.com', 'aexample.com'],
    ['*.example.com', 'a.example.com..'],
    ['*.example.com', '*.example.com'],
    ['*.example.com', 'a_b.example.com'],
    ['*.example.com', 'a.example.com\n'],
    ['*.example.com', ''],
    ['*.example.com', '.'],
    ['*.com', 'com'],
    ['192.0.2.1', '192.0.2.1'],
    ['*.0.2.1', '192.0.2.1'],
    ['*.example.123', 'example.123'],
    ['mail.example.com', 'mail.example.co'],
    ['mail.example.com', 'xmail.example.com'],
    ['kelvin.example', '\u212aelvin.example'],
    ['mail.example.com.', 'mail.example.com.'],
  ])('the mx pattern %j does not cover the host %j', (pattern, host) => {
    expect(mxMatches(pattern, host)).toBe(false);
  });
});

test('an mx pattern is converted to A-labels and lower case and keeps its wildcard', () => {
  expect(mxPatternToALabels('*.MØX.example')).toBe('*.xn--mx-lka.example');
  expect(mxPatternToALabels('MX.Example')).toBe('mx.example');
  expect(mxPatternToALabels('*.é_.example')).toBe('');
});
