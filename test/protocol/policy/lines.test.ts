// The lines of a policy file and the file again.
import { expect, test } from '@jest/globals';
import { renderPolicy } from '../../../lib/protocol/policy/policy';
import { policyLines, policyText } from '../../../lib/protocol/policy/lines';

test('a canonical file is its lines, and they are the file again', () => {
  const text = renderPolicy({ mode: 'enforce', maxAge: 86400, mx: ['mx1.example.com', '*.example.net'] });
  expect(policyLines(text)).toEqual(['version: STSv1', 'mode: enforce', 'mx: *.example.net', 'mx: mx1.example.com', 'max_age: 86400']);
  expect(policyText(policyLines(text))).toBe(text);
});
