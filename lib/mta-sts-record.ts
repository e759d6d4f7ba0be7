// A DNS record as text.

/** A DNS record as text, for people whose DNS is not in Route 53. */
export interface MtaStsRecord {
  /** Full name, without a dot at the end. */
  readonly name: string;
  /** `CNAME` or `TXT`. In Route 53, the construct creates alias records (A and AAAA) in place of the `CNAME` of the policy host. */
  readonly type: string;
  /** Value, without quotes. */
  readonly value: string;
}
