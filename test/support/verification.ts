// What the tests of the verifier say of reports.
import { expect } from '@jest/globals';
import type { LiveFindingCode } from '../../lib/verifier/findings';
import type { VerificationResult, LiveFinding } from '../../lib/verifier/result';

/** The codes of a report, each with its severity, in its order. */
export function codes(result: VerificationResult): string[] {
  return result.findings.map(({ code, severity }) => `${severity} ${code}`);
}

/** The one finding of a code; every finding says what was seen and when, how to mend it and where the rule stands. */
export function finding(result: VerificationResult, code: LiveFindingCode): LiveFinding {
  const found = result.findings.filter((one) => one.code === code);
  expect(found.map(({ message }) => message)).toHaveLength(1);
  expect(found[0].fix).toMatch(/./);
  expect(found[0].reference).toMatch(/^RFC \d+ §/);
  expect(found[0].subject).toMatch(/./);
  expect(found[0].evidence).toMatch(/./);
  expect(found[0].time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return found[0];
}
