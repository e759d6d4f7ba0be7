import { describe, expect, test } from '@jest/globals';
import { domainProblem, hostNameProblem, toALabels } from '../../lib/protocol/domain-name';

const label63 = 'a'.repeat(63);
/** The longest possible name: 253 characters. */
const name253 = `${[label63, label63, label63].join('.')}.${'b'.repeat(57)}.com`;

describe('a host name', () => {
  test.each([
    ['', /^is empty/],
    ['.', /^begins with a dot$/],
    ['.example.com', /^begins with a dot$/],
    ['example.com.', /^ends with a dot; write `example\.com`$/],
    ['example.com..', /^ends with 2 dots; write `example\.com`$/],
    ['a..example.com', /two dots in a row/],
    [`${label63}a.example.com`, /^has a label of 64 characters; a label has at most 63$/],
    [`a${name253}`, /^has 254 characters; a name has at most 253$/],
    ['-a.example.com', /label that begins with a hyphen \(`-a`\)/],
    ['a-.example.com', /label that ends with a hyphen \(`a-`\)/],
    ['-', /begins with a hyphen/],
    ['a_b.example.com', /^contains an underscore, which no host name may contain$/],
    ['a b.example.com', /^contains ` `; only letters/],
    ['*.example.com', /^contains `\*`/],
    ['a.example.com\n', /^contains `\\x0a`/],
    ['a\x1b[2J.example', /^contains `\\x1b`/],
    ['192.0.2.1', /^is an IPv4 address/],
    ['1.2.3', /^ends in the label `3`; a top-level domain is never all digits$/],
    ['mx.example.123', /^ends in the label `123`/],
    ['25', /^ends in the label `25`/],
    ['møx.example', /^is not in A-labels; write `xn--mx-lka\.example`$/],
    ['møx.example.', /^is not in A-labels; write `xn--mx-lka\.example`$/],
    ['møx.example..', /^is not in A-labels; write `xn--mx-lka\.example`$/],
    ['mø_x.example', /^contains `ø`, which is not ASCII$/],
    ['a\u202eb.example', /^contains U\+202E \(right-to-left override\); remove it$/],
    ['\u212aelvin.example', /^contains U\+212A \(looks like `K`\); write `K`$/],
  ])('the host name %j is invalid, and the message states the problem', (name, problem) => {
    expect(hostNameProblem(name)).toMatch(problem);
  });

  test.each([
    'example.com', 'localhost', 'MX1.Example.COM', 'a', '0.a', '1.2.3.4a', 'xn--mx-lka.example', 'a--b.example', 'mx.example.1a', `${label63}.com`, name253,
  ])('the host name %j is valid', (name) => {
    expect(hostNameProblem(name)).toBeUndefined();
  });
});

describe('a domain by the grammar alone', () => {
  test.each(['mx.example.123', '1.2.3', '25', '1.2.3.256', '1.2.3.4.5', '1.2.3.0001'])('the domain %j is valid by the grammar, although no host name ends in digits', (name) => {
    expect(domainProblem(name)).toBeUndefined();
    expect(hostNameProblem(name)).toMatch(/^ends in the label/);
  });

  test.each(['', 'a_b.example.com', 'mx.example.123.', '192.0.2.1', '255.255.255.255', '010.0.0.1'])('the domain %j is invalid, with the same message as for a host name', (name) => {
    expect(domainProblem(name)).toBeDefined();
    expect(domainProblem(name)).toBe(hostNameProblem(name));
  });
});

describe('toALabels', () => {
  test.each([
    ['møx.example', 'xn--mx-lka.example'],
    ['MØX.Example', 'xn--mx-lka.example'],
    ['straße.example', 'xn--strae-oqa.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
    ['почта.рф', 'xn--80a1acny.xn--p1ai'],
    ['l·l.cat', 'xn--ll-0ea.cat'],
    ['MX.Example.COM', 'mx.example.com'],
    ['', ''],
    // Nothing to convert. `hostNameProblem` reports the other problems.
    ['a_b.example.', 'a_b.example.'],
  ])('the name %j is %j in A-labels', (name, expected) => {
    expect(toALabels(name)).toBe(expected);
  });

  test.each([
    ['a path', 'mø/x.example'],
    ['a port', 'møx.example:25'],
    ['an underscore', 'mø_x.example'],
    ['an encoded character', 'mø%41.example'],
    ['an address in disguise', '0x7f。1'],
    ['another address in disguise', '１９２.0.2.1'],
    ['an ideographic full stop instead of a dot', 'møx。example'],
    ['a soft hyphen alone', '\u00ad'],
    ['half a surrogate pair', '\ud800.example'],
    ['broken punycode beside a U-label', 'xn--a.é'],
    ['an empty label', 'é..example'],
    ['a label that is too long after the conversion', `${'é'.repeat(70)}.example`],
    ['a name that is too long before the conversion', 'é'.repeat(40000)],
    ['a long ASCII name', 'a'.repeat(254)],
  ])('a name that cannot be converted has no A-labels: %s', (_name, text) => {
    expect(toALabels(text)).toBe('');
  });
});

describe('misleading characters in a host name', () => {
  test.each([
    ['a non-breaking hyphen', 'mx\u20111.example.com', 'contains U+2011 (non-breaking hyphen); write a hyphen'],
    ['an en dash', 'mx\u20131.example.com', 'contains U+2013 (en dash); write a hyphen'],
    ['a minus sign', 'mx\u22121.example.com', 'contains U+2212 (minus sign); write a hyphen'],
    ['a fullwidth hyphen', 'mx\uff0d1.example.com', 'contains U+FF0D (fullwidth hyphen-minus); write a hyphen'],
    ['a soft hyphen', 'mx\u00ad1.example.com', 'contains U+00AD (soft hyphen); remove it'],
    ['a zero-width space', 'mx1\u200b.example.com', 'contains U+200B (zero-width space); remove it'],
    ['a byte order mark', '\ufeffmx1.example.com', 'contains U+FEFF (byte order mark); remove it'],
    ['a no-break space', 'mx1.example.com\u00a0', 'contains U+00A0 (no-break space); remove it'],
    ['a tag character', 'mx1\u{e0041}.example.com', 'contains U+E0041 (cannot be seen); remove it'],
    ['a fullwidth dot', 'mx1\uff0eexample.com', 'contains U+FF0E (fullwidth full stop); write a dot'],
    ['an ideographic full stop', 'mx1\u3002example.com', 'contains U+3002 (ideographic full stop); write a dot'],
    ['a fullwidth letter', '\uff4dx1.example.com', 'contains U+FF4D (looks like `m`); write `m`'],
    ['a curly quote', '\u201cmx1.example.com', 'contains U+201C (left double quotation mark); remove it'],
    ['a Cyrillic letter among Latin ones', 'mx1.ex\u0430mple.com', 'contains U+0430 (Cyrillic, looks like `a`); write `a`'],
    ['a Greek letter among Latin ones', 'mx1.example.c\u03bfm', 'contains U+03BF (Greek, looks like `o`); write `o`'],
    ['the more misleading of two characters', 'b\u00fc\u2011cher.example', 'contains U+2011 (non-breaking hyphen); write a hyphen'],
  ])('a misleading character in a host name is named by its code point, with the fix: %s', (_name, text, problem) => {
    expect(hostNameProblem(text)).toBe(problem);
    expect(toALabels(text)).toBe('');
  });
});
