import { describe, expect, test } from '@jest/globals';
import { parseDomain } from '../../cli/input/arguments';
import { asciiLikeness, firstLookAlike, holds, letterLookAlike, lookAlike, lookAlikeRemark } from '../../lib/protocol/look-alikes';
import { parsePolicy } from '../../lib/protocol/policy/policy';

describe('misleading characters', () => {
  test.each([
    ['\u00a0', 'U+00A0 (no-break space)', 'write a plain space or none'],
    ['\u2003', 'U+2003 (looks like a space)', 'write a plain space or none'],
    ['\u2010', 'U+2010 (hyphen of Unicode)', 'write a hyphen'],
    ['\u2015', 'U+2015 (horizontal bar)', 'write a hyphen'],
    ['\u2060', 'U+2060 (word joiner)', 'remove it'],
    ['\uff10', 'U+FF10 (looks like `0`)', 'write `0`'],
    ['\uff41', 'U+FF41 (looks like `a`)', 'write `a`'],
    ['\uff40', 'U+FF40 (looks like a backtick)', 'write a backtick'],
    ['\u{1d41a}', 'U+1D41A (looks like `a`)', 'write `a`'],
  ])('a message names the misleading character %j and its replacement', (character, name, advice) => {
    expect(lookAlike(character)).toMatchObject({ name, advice });
    expect(holds(character, '; no matter')).toBe(`contains ${name}; ${advice}`);
  });

  test.each(['a', ' ', '-', '\x1b', '\x9b', '\u00fc', '\u65e5', '\u{1f600}', '\u0436'])('the character %j is not misleading', (character) => {
    expect(lookAlike(character)).toBeUndefined();
    expect(letterLookAlike(character)).toBeUndefined();
    expect(firstLookAlike(`x${character}\u00fc`)).toBeUndefined();
    expect(lookAlikeRemark(character)).toBe('');
  });

  test('misleading characters are converted to ASCII for comparisons', () => {
    expect(asciiLikeness('\u0475\uff56\uff1dSTS\u200bv1\u037e')).toBe('\u0475v=STSv1;');
  });

  test('the command names a misleading character in a domain argument', () => {
    expect(() => parseDomain('my\u2011shop.example.com')).toThrow('`my\u2011shop.example.com`, where a mail domain is expected, contains U+2011 (non-breaking hyphen); write a hyphen');
    expect(parseDomain('b\u00fccher.example')).toBe('xn--bcher-kva.example');
  });

  test.each([
    ['version: STSv1\u00a0', 'version is `STSv1\\xa0`; exactly `STSv1` is expected; it contains U+00A0 (no-break space), so write a plain space or none'],
    ['mode: enforce\u200b', 'it contains U+200B (zero-width space), so remove it'],
    ['max_age: 8640\uff10', 'it contains U+FF10 (looks like `0`), so write `0`'],
    ['mx: mx\u20111.example.com', 'mx pattern `mx\u20111.example.com` contains U+2011 (non-breaking hyphen); write a hyphen'],
    ['m\u043ede: enforce', 'contains U+043E (Cyrillic, looks like `o`); write `o`'],
    ['mode\uff1a enforce', 'it contains U+FF1A (looks like a colon), so write a colon'],
  ])('a finding names a misleading character in the policy line %j', (line, message) => {
    expect(parsePolicy(Buffer.from(line)).findings.map((one) => one.message).join('\n')).toContain(message);
  });
});
