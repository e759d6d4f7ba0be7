// Reads verification results in the tests of the verifier.
import { expect } from '@jest/globals';
import type { LiveFindingCode } from '../../lib/verifier/findings';
import type { VerificationResult, LiveFinding } from '../../lib/verifier/result';

/** Returns severity and code of each finding, in order. */
export function codes(result: VerificationResult): string[] {
  return result.findings.map(({ code, severity }) => `${severity} ${code}`);
}

/** Returns the one finding with the code. Every finding states its evidence, its time, its fix and its reference. */
export function finding(result: VerificationResult, code: LiveFindingCode): LiveFinding {
  const all = result.findings.filter((one) => one.code === code);
  const found = all.at(0);
  if (found === undefined) throw new Error(`no finding has the code ${code}: ${codes(result).join(', ')}`);
  expect(all.map(({ message }) => message)).toHaveLength(1);
  expect(found.fix).toMatch(/./);
  expect(found.reference).toMatch(/^RFC \d+ §/);
  expect(found.subject).toMatch(/./);
  expect(found.evidence).toMatch(/./);
  expect(found.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return found;
}
