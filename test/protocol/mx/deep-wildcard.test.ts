import { describe, expect, test } from '@jest/globals';
import { mxMatches } from '../../../lib/protocol/mx/pattern';
import { deepWildcard } from '../../../lib/protocol/mx/deep-wildcard';

describe('a wildcard over several labels', () => {
  test.each([
    ['*.example.com', 'a.b.example.com'],
    ['*.example.com', 'a.b.c.example.com.'],
    ['*.Example.com', 'A.b.example.COM'],
    ['*.l.google.com', 'alt1.aspmx.l.google.com'],
    ['*.com', 'mx.example.com'],
  ])('the mx pattern %s covers %s only for senders whose wildcard matches several labels', (pattern, host) => {
    expect(deepWildcard(['mx.example.org', pattern], host)).toBe(pattern);
    expect(mxMatches(pattern, host)).toBe(false);
  });

  test.each([
    ['a host with one more label', '*.example.com', 'mx.example.com'],
    ['the domain itself', '*.example.com', 'example.com'],
    ['a domain that only ends in the same characters', '*.example.com', 'a.badexample.com'],
    ['a pattern without wildcard', 'example.com', 'a.b.example.com'],
    ['an invalid host name', '*.example.com', 'a.b_.example.com'],
    ['an empty host', '*.example.com', ''],
  ])('the wildcard of an mx pattern does not match several labels of %s', (_name, pattern, host) => {
    expect(deepWildcard([pattern], host)).toBeUndefined();
  });
});
