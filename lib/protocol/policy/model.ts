// The data of a policy (RFC 8461 §3.2), and the two limits of its file.

/** Mode of a policy: what senders do with mail if a host fails validation (RFC 8461 §5). */
export type Mode = 'enforce' | 'testing' | 'none';

/** Content of a valid policy file. */
export interface Policy {
  readonly mode: Mode;
  /** Maximum age in seconds. */
  readonly maxAge: number;
  /** MX patterns, in the order and letter case of the file. */
  readonly mx: readonly string[];
}

/** Maximum `max_age` in seconds: a year of 365.25 days (RFC 8461 §3.2). */
export const MAX_AGE_LIMIT = 31557600;

/** Maximum size of a policy file in bytes. Senders need not read more (RFC 8461 §3.3). */
export const MAX_POLICY_BYTES = 65536;

/** Returns whether a text is exactly the name of a mode. */
export function isMode(text: string): text is Mode {
  return text === 'enforce' || text === 'testing' || text === 'none';
}
