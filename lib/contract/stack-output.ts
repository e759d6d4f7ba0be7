// The stack output of a domain: constructs write it, and `mta-sts verify --outputs` and `mta-sts records --outputs` read it.
import { MAX_OUTPUT_ATTRIBUTE_BYTES } from './custom-resources';

/**
 * Maximum bytes of an output. AWS documents no limit but that of its main use: a parameter has at most 4,096 bytes. All outputs of a stack
 * together can have about 450,000 characters, and the hundred domains of one host stay below that.
 */
const MAX_OUTPUT_BYTES = 4096;

/** Length of the id that the function makes, in place of its token. */
const ID_LENGTH = 31;

/** Published data of a domain. */
export interface PublishedPolicy {
  readonly domain: string;
  /** Id of the publication, as a token. */
  readonly id: string;
  /** Policy file, exactly as served. */
  readonly policy: string;
  /** Domain name of the distribution, the target for a CNAME at `mta-sts.<domain>`. A token. */
  readonly target: string;
  /** Text of the `_smtp._tls` record. */
  readonly tlsRpt?: string;
  /** CNAME that validates the certificate, if it is a manual record. Tokens. */
  readonly validation?: { readonly name: string; readonly value: string };
  /** Time after which no sender can hold an enforce or testing policy, or the reason why it is not known. A token. */
  readonly earliestRemoval?: string;
  /** Mail that senders may refuse, or `none`. A token. */
  readonly warnings?: string;
}

/**
 * Returns the value of the output, as JSON. The policy is left out if the value would be too long: the id ends with its hash.
 *
 * CloudFormation inserts the values of tokens as they are, so they must not contain quotes or backslashes.
 */
export function stackOutput({ policy, ...others }: PublishedPolicy): string {
  const tokens = [others.earliestRemoval, others.warnings].filter((token) => token !== undefined);
  // Tokens get their values at deployment, so reserve their maximum length.
  const reserved = tokens.length * MAX_OUTPUT_ATTRIBUTE_BYTES + ID_LENGTH;
  const whole = JSON.stringify({ mtaSts: { ...others, policy } });
  return Buffer.byteLength(whole) + reserved <= MAX_OUTPUT_BYTES ? whole : JSON.stringify({ mtaSts: others });
}
