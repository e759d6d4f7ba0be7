// What a check of the preflight gives back.

/** All that one check found. */
export interface CheckResult {
  /** What keeps the deployment from being safe: each says what is wrong, what was found, what is expected and how to mend it. */
  readonly failures: readonly string[];
  /** Worth a line in the log and in the summary. */
  readonly warnings: readonly string[];
  /** What was found in order, for the summary. */
  readonly checkPassed?: string;
}

export function good(text: string, ...warnings: readonly string[]): CheckResult {
  return { failures: [], warnings, checkPassed: text };
}

export function checkFailed(...faults: readonly string[]): CheckResult {
  return { failures: faults, warnings: [] };
}

/** The same where an update only asks less of senders: mail that is refused must not wait for what the update does not need. */
export function asWarnings({ failures: faults, warnings, checkPassed: found }: CheckResult): CheckResult {
  return { failures: [], warnings: [...faults.map((fault) => `${fault}; ${STOPS_NOTHING}`), ...warnings], checkPassed: found };
}

const STOPS_NOTHING = 'it does not stop this update, whose policy asks less of senders than the one before';
