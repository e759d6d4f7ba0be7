// What a deployment tells a pipeline: one stack output for each domain, which `mta-sts verify --outputs` reads.

/**
 * The longest value, in bytes. AWS documents none but for what is done with it: a parameter takes 4,096 bytes. All outputs of a
 * stack together may have about 450,000 characters, and the hundred domains that one host can serve stay below that.
 */
const LONGEST = 4096;

/** What the function may put in place of each token, in bytes; `outputText` of the handler keeps to it. */
const LONGEST_TOKEN = 600;

/** Characters of the id that the function makes, in place of its token. */
const ID_LENGTH = 31;

/** What is published for a domain. */
export interface PublishedPolicy {
  readonly domain: string;
  /** A token. */
  readonly id: string;
  /** The file, exactly as it is served. */
  readonly policy: string;
  /** The host that serves it, to which a CNAME at `mta-sts.<domain>` points: a token. */
  readonly target: string;
  /** The text of the record at `_smtp._tls`. */
  readonly tlsRpt?: string;
  /** The CNAME that validates the certificate, where it is made by hand: tokens. */
  readonly validation?: { readonly name: string; readonly value: string };
  /** From when on no sender can hold an enforce or testing policy any more, or why that is not known: a token. */
  readonly earliestRemoval?: string;
  /** Mail that senders may refuse, or `none`: a token. */
  readonly warnings?: string;
}

/**
 * The value of the output, as JSON; the policy is left out where it would be too long, since the id ends with its hash.
 *
 * What is known only at deployment must be a text without quotes and the like: it is put in as it is.
 */
export function stackOutput({ policy, ...others }: PublishedPolicy): string {
  const late = [others.earliestRemoval, others.warnings].filter((token) => token !== undefined);
  // What the tokens are in the end nobody knows here.
  const room = late.length * LONGEST_TOKEN + ID_LENGTH;
  const whole = JSON.stringify({ mtaSts: { ...others, policy } });
  return Buffer.byteLength(whole) + room <= LONGEST ? whole : JSON.stringify({ mtaSts: others });
}
