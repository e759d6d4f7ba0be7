// Where a domain's policy is served (RFC 8461 §3.3): the one host, the one path.

const PREFIX = 'mta-sts.';

/** The one path that senders ask for. */
export const POLICY_PATH = '/.well-known/mta-sts.txt';

/** The host that serves the policy of a domain. */
export function policyHostName(domain: string): string {
  return PREFIX + domain;
}

/** The way back. */
export function domainOfPolicyHost(policyHost: string): string {
  return policyHost.slice(PREFIX.length);
}

/** The whole address, `https://mta-sts.example.com/.well-known/mta-sts.txt`. */
export function policyUrl(policyHost: string): string {
  return `https://${policyHost}${POLICY_PATH}`;
}
