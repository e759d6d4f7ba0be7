// Defines a finding, the common result of the linters and the verifier.

/**
 * The severity of a finding.
 *
 * - `error`: senders ignore the policy, or refuse mail
 * - `warning`: valid, but some real sender reads it differently, or it will cause a problem later
 * - `info`: worth knowing
 * - `unknown`: could not be decided from here (a timeout, or an address family that this machine lacks)
 */
export type Severity = 'error' | 'warning' | 'info' | 'unknown';

/** The same behaviour of some real senders for an input. */
export interface SenderQuirk {
  /** `chasquid` */
  readonly senders: readonly string[];
  /** The behaviour: a phrase to put after the name of a sender, `refuses the policy`. */
  readonly effect: string;
  /** Whether they accept an input that the RFC calls invalid. */
  readonly accepts?: true;
}

/** A finding about a record or a policy file. */
export interface Finding {
  /** Stable and documented, `policy-mx-pattern` for example. */
  readonly code: string;
  readonly severity: Severity;
  /** The problem with the value found, in one line. Control characters are escaped. */
  readonly message: string;
  /** The fix, in one line. */
  readonly fix?: string;
  /** The section that states the rule, `RFC 8461 §3.2` for example. */
  readonly reference?: string;
  /** The line of the input, from 1. For TXT records, the number of the record. */
  readonly line?: number;
  /** The position in the line, from 1: in bytes for a policy file, in characters for a TXT record. */
  readonly column?: number;
  /** Real senders that refuse this input or read it differently. For an invalid input, also those that accept it. */
  readonly senders?: readonly string[];
  /** The behaviour of these senders. */
  readonly quirks?: readonly SenderQuirk[];
}
