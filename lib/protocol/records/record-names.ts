// Where the TXT records of a domain stand, and for how long they are kept.

/** In seconds: short, so that senders hear of a change within minutes. */
export const RECORD_TTL = 300;

/** Where the policy's id is announced (RFC 8461 §3.1). */
export function stsRecordName(domain: string): string {
  return `_mta-sts.${domain}`;
}

/** Where senders read whom to report to (RFC 8460 §3). */
export function reportingName(domain: string): string {
  return `_smtp._tls.${domain}`;
}
