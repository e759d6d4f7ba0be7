// Objects in the policy bucket. Constructs grant rights by these keys, and the function reads and writes the objects.
import { POLICY_PATH, domainOfPolicyHost, policyHostName } from '../protocol/policy/url';

/** An object of S3. */
export interface S3Location {
  readonly bucket: string;
  readonly key: string;
}

/** Pattern for the keys of all policy files. */
export const POLICY_KEYS = `*${POLICY_PATH}`;

const HISTORY_FOLDER = 'ledger/';

/** Pattern for the keys of all publication histories. CloudFront may not read these objects. */
export const HISTORY_KEYS = `${HISTORY_FOLDER}*`;

/**
 * Returns the key of a policy file. The edge function turns the host of a request into the first part of the path.
 *
 * @param policyHost - `mta-sts.example.com`
 */
export function policyObjectKey(policyHost: string): string {
  return policyHost + POLICY_PATH;
}

/**
 * Returns the location of the publication history that belongs to a policy file: `ledger/example.com.json` beside
 * `mta-sts.example.com/...`.
 *
 * @returns undefined for a key that names no policy host
 */
export function historyLocation({ bucket, key }: S3Location): S3Location | undefined {
  const [host = ''] = key.split('/', 1);
  return host !== key && host.startsWith(policyHostName('')) ? { bucket, key: `${HISTORY_FOLDER}${domainOfPolicyHost(host)}.json` } : undefined;
}

/** Returns `s3://bucket/key`. */
export function s3Url({ bucket, key }: S3Location): string {
  return `s3://${bucket}/${key}`;
}

/** Reads `s3://bucket/key`; returns undefined for any other value. */
export function parseS3Url(url: unknown): S3Location | undefined {
  const match = typeof url === 'string' ? /^s3:\/\/([^/]+)\/(.+)$/s.exec(url) : null;
  const [bucket, key] = [match?.at(1), match?.at(2)];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}
