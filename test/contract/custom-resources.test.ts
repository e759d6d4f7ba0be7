// Policy files as the lines of a custom-resource property.
import { expect, test } from '@jest/globals';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import { policyLines, policyText } from '../../lib/contract/custom-resources';

test('a policy file survives the way through the lines of a template property', () => {
  const text = renderPolicy({ mode: 'enforce', maxAge: 86400, mx: ['mx1.example.com', '*.example.net'] });
  expect(policyLines(text)).toEqual(['version: STSv1', 'mode: enforce', 'mx: *.example.net', 'mx: mx1.example.com', 'max_age: 86400']);
  expect(policyText(policyLines(text))).toBe(text);
});
