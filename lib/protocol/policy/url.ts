// The host and the path at which senders fetch the policy of a domain (RFC 8461 §3.3).

const PREFIX = 'mta-sts.';

/** Path of the policy file. */
export const POLICY_PATH = '/.well-known/mta-sts.txt';

/** Returns the policy host of a domain: `mta-sts.<domain>`. */
export function policyHostName(domain: string): string {
  return PREFIX + domain;
}

/** Returns the domain of a policy host. */
export function domainOfPolicyHost(policyHost: string): string {
  return policyHost.slice(PREFIX.length);
}

/** Returns the URL of the policy file: `https://mta-sts.example.com/.well-known/mta-sts.txt`. */
export function policyUrl(policyHost: string): string {
  return `https://${policyHost}${POLICY_PATH}`;
}
