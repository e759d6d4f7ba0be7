import { describe, expect, test } from '@jest/globals';
import { policyDomain } from '../../lib/private/domain';

describe('the policy domain', () => {
  test('may be written in any script', () => {
    expect(policyDomain('Bücher.example', undefined)).toBe('xn--bcher-kva.example');
    expect(policyDomain('почта.рф', undefined)).toBe('xn--80a1acny.xn--p1ai');
  });

  test.each([
    ['my\u2011shop.example.com', '`domainName` "my‑shop.example.com" contains U+2011 (non-breaking hyphen); write a hyphen (RFC 5321 §4.1.2)'],
    ['example.com\u200b', '`domainName` "example.com\\u{200b}" contains U+200B (zero-width space); remove it (RFC 5321 §4.1.2)'],
    ['example\uff0ecom', '`domainName` "example．com" contains U+FF0E (fullwidth full stop); write a dot (RFC 5321 §4.1.2)'],
    ['ex\u0430mple.com', '`domainName` "exаmple.com" contains U+0430 (Cyrillic, looks like `a`); write `a` (RFC 5321 §4.1.2)'],
  ])('is refused where a character misleads: %j', (domain, message) => {
    expect(() => policyDomain(domain, undefined)).toThrow(new Error(message));
  });
});
