// What a check of the preflight gives back.

/** All that one check found. */
export interface Checked {
  /** What keeps the deployment from being safe: each says what is wrong, what was found, what is expected and how to mend it. */
  readonly faults: readonly string[];
  /** Worth a line in the log and in the summary. */
  readonly warnings: readonly string[];
  /** What was found in order, for the summary. */
  readonly good?: string;
}

export function good(text: string, ...warnings: readonly string[]): Checked {
  return { faults: [], warnings, good: text };
}

export function faulty(...faults: readonly string[]): Checked {
  return { faults, warnings: [] };
}

/** The same where an update only asks less of senders: mail that is refused must not wait for what the update does not need. */
export function tolerated({ faults, warnings, good: found }: Checked): Checked {
  return { faults: [], warnings: [...faults.map((fault) => `${fault}; ${STOPS_NOTHING}`), ...warnings], good: found };
}

const STOPS_NOTHING = 'it does not stop this update, whose policy asks less of senders than the one before';
