// What a policy is (RFC 8461 §3.2), and the two limits that its file is held to.

/** What senders do with mail to a host that fails (RFC 8461 §5). */
export type Mode = 'enforce' | 'testing' | 'none';

/** What a valid policy file says. */
export interface Policy {
  readonly mode: Mode;
  /** Seconds. */
  readonly maxAge: number;
  /** Patterns in the order and the letters' case of the file. */
  readonly mx: readonly string[];
}

/** The largest `max_age` in seconds: a year of 365.25 days (RFC 8461 §3.2). */
export const MAX_AGE_LIMIT = 31557600;

/** Senders need not read more than this of a policy file (RFC 8461 §3.3). */
export const MAX_POLICY_BYTES = 65536;

/** Whether a text is a mode, exactly. */
export function isMode(text: string): text is Mode {
  return text === 'enforce' || text === 'testing' || text === 'none';
}
