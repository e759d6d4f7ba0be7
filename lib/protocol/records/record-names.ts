// Names of the TXT records of a domain, and their TTL.

/** TTL of the records in seconds. It is short, so that senders see a change within minutes. */
export const RECORD_TTL = 300;

/** Returns the name of the MTA-STS record of a domain (RFC 8461 §3.1). */
export function stsRecordName(domain: string): string {
  return `_mta-sts.${domain}`;
}

/** Returns the name of the TLSRPT record of a domain (RFC 8460 §3). */
export function reportingName(domain: string): string {
  return `_smtp._tls.${domain}`;
}
