// What a deployment tells a pipeline: one stack output for each domain, which `mta-sts verify --outputs` reads.

/**
 * The longest value, in bytes. AWS documents none but for what is done with it: a parameter takes 4,096 bytes. All outputs of a
 * stack together may have about 450,000 characters, and the hundred domains that one host can serve stay below that.
 */
const LONGEST = 4096;

/** What is published for a domain. */
export interface PublishedPolicy {
  readonly domain: string;
  readonly id: string;
  /** The file, exactly as it is served. */
  readonly policy: string;
  /** The host that serves it, to which a CNAME at `mta-sts.<domain>` points. */
  readonly target: string;
  /** The text of the record at `_smtp._tls`. */
  readonly tlsRpt?: string;
  /** The CNAME that validates the certificate, where it is made by hand. */
  readonly validation?: { readonly name: string; readonly value: string };
}

/**
 * The value of the output, as JSON; the policy is left out where it would be too long, since the id is a hash of it.
 *
 * What is known only at deployment must be a text without quotes and the like: it is put in as it is.
 */
export function stackOutput({ policy, ...short }: PublishedPolicy): string {
  const whole = JSON.stringify({ mtaSts: { ...short, policy } });
  return Buffer.byteLength(whole) <= LONGEST ? whole : JSON.stringify({ mtaSts: short });
}
