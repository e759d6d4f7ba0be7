// The result of one check of the preflight.
import type { DeploymentFailureCode } from '../../contract/deployment-failures';
import type { Problem } from '../failures';

/** A problem that does not stop the deployment. */
export interface PreflightWarning {
  /** The code of a finding or of a failure, where there is one. */
  readonly code?: string;
  readonly message: string;
}

/** Everything that one check found. */
export interface CheckResult {
  /** Problems that make the deployment unsafe. */
  readonly failures: readonly Problem[];
  readonly warnings: readonly PreflightWarning[];
  /** The fact that was found in order, for the summary. */
  readonly passed?: string;
}

/** Returns the result of a check without a failure. */
export function checkPassed(passed: string, ...warnings: readonly PreflightWarning[]): CheckResult {
  return { failures: [], warnings, passed };
}

/** Returns the result of a check with one failure. */
export function checkFailed(code: DeploymentFailureCode, message: string): CheckResult {
  return { failures: [{ code, message }], warnings: [] };
}

/** Turns failures into warnings for a relaxing update: while senders refuse mail, nothing that the update does not need may stop it. */
export function asWarnings({ failures, warnings, passed }: CheckResult): CheckResult {
  return { failures: [], warnings: [...failures.map(({ code, message }) => ({ code, message: `${message} ${GOES_ON}` })), ...warnings], passed };
}

const GOES_ON = 'This update continues, because its policy asks less of senders than the one before.';
