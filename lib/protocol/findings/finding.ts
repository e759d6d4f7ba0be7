// What reading a record, a policy file or a domain has found: one shape for the linters and the verifier.

/**
 * How much harm a finding does.
 *
 * - `error`: senders ignore the policy, or refuse mail
 * - `warning`: valid, but some real sender reads it otherwise, or it will hurt later
 * - `info`: worth knowing
 * - `unknown`: could not be decided from here (a time-out, an address family that this machine has not)
 */
export type Severity = 'error' | 'warning' | 'info' | 'unknown';

/** Real senders that do the same with an input, and what they do. */
export interface SenderQuirk {
  /** `chasquid` */
  readonly senders: readonly string[];
  /** A phrase to put after the name of one of them: `refuses the policy`. */
  readonly effect: string;
  /** Whether they use what the RFC calls invalid. */
  readonly accepts?: true;
}

/** One thing found in a record or a policy file. */
export interface Finding {
  /** Stable and documented, `policy-mx-pattern` for example. */
  readonly code: string;
  readonly severity: Severity;
  /** One line: what is wrong, with the value found. Control characters are escaped. */
  readonly message: string;
  /** One line: how to mend it. */
  readonly fix?: string;
  /** The section that says so, `RFC 8461 §3.2` for example. */
  readonly reference?: string;
  /** Where in the input, from 1. For TXT records the line is the number of the record. */
  readonly line?: number;
  /** Where in the line, from 1, in bytes for a policy file and in characters for a TXT record. */
  readonly column?: number;
  /** The real senders that refuse this input or read it otherwise; of an invalid one, also those that use it all the same. */
  readonly senders?: readonly string[];
  /** The same senders, with what each does. */
  readonly quirks?: readonly SenderQuirk[];
}
