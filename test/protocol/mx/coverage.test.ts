import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mxMatches, mxGrammarProblem } from '../../../lib/protocol/mx/pattern';
import { mxCoverage } from '../../../lib/protocol/mx/coverage';
import { growsTooFast } from '../../support/work';
import { vectors } from '../grammar/vectors';

test('mxCoverage agrees with mxMatches for every vector with a valid pattern', () => {
  for (const { pattern, host } of vectors('mxmatch').filter((vector) => mxGrammarProblem(vector.pattern) === undefined)) {
    const matches = mxMatches(pattern, host);
    expect(mxCoverage([pattern], [host])).toEqual({ covered: [matches], unused: matches ? [] : [pattern] });
  }
});

test('mxCoverage agrees with mxMatches for any patterns and hosts', () => {
  const label = fc.constantFrom('a', 'B', 'mx-1', 'example');
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const pattern = fc.tuple(fc.constantFrom('', '*.'), name).map((parts) => parts.join(''));
  const host = fc.tuple(name, fc.constantFrom('', '.', '..', '.*')).map((parts) => parts.join(''));
  fc.assert(fc.property(fc.array(pattern, { maxLength: 6 }), fc.array(host, { maxLength: 6 }), (patterns, hosts) => {
    expect(mxCoverage(patterns, hosts)).toEqual({
      covered: hosts.map((one) => patterns.some((wanted) => mxMatches(wanted, one))),
      unused: [...new Set(patterns)].filter((wanted) => !hosts.some((one) => mxMatches(wanted, one))),
    });
  }));
});

describe('many patterns and hosts', () => {
  test('mxCoverage does not compare every pattern with every host', () => {
    const hosts = Array.from({ length: 500 }, (_, at) => `h${at}.${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.example`);
    const patterns = Array.from({ length: 9000 }, (_, at) => `${at}.x`);
    expect(mxCoverage(patterns, hosts)).toMatchObject({ covered: hosts.map(() => false), unused: patterns });
    expect(growsTooFast((share) => {
      mxCoverage(patterns.slice(0, share * patterns.length), hosts.slice(0, share * hosts.length));
    })).toBe(false);
  });
});
