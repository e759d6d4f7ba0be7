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
