// A policy file as a list of lines in a property of a custom resource.
import { expect, test } from '@jest/globals';
import { renderPolicy } from '../../lib/protocol/policy/policy';
import { policyLines, policyText } from '../../lib/contract/custom-resources';

test('a policy file is unchanged after its conversion to lines of a template property and back', () => {
  const text = renderPolicy({ mode: 'enforce', maxAge: 86400, mx: ['mx1.example.com', '*.example.net'] });
  expect(policyLines(text)).toEqual(['version: STSv1', 'mode: enforce', 'mx: *.example.net', 'mx: mx1.example.com', 'max_age: 86400']);
  expect(policyText(policyLines(text))).toBe(text);
});
