// Defines a check: it waits for the lookups it needs, then turns all observations into findings.
import type { Policy } from '../../protocol/policy/policy';
import type { DnsAnswer } from '../dns/answer';
import type { Network } from '../network';
import type { LiveFinding } from '../result';
import type { MailEvaluation, MailLookup } from './mail/mail-lookup';
import type { Expectation, PublishedPolicy } from './policy/expectation';
import type { PolicyLookup } from './policy-lookup';

/** The lookups that checks share. Each runs once, and all of them run at the same time. */
export interface CheckContext {
  readonly domain: string;
  readonly network: Network;
  /** The record, and the policy file (RFC 8461 §3). */
  readonly policyLookup: Promise<PolicyLookup>;
  /** The mail hosts, and their TLS over SMTP (RFC 8461 §4). */
  readonly mailLookup: Promise<MailLookup>;
  /** The MX records of the domain. */
  readonly mxRecords: Promise<DnsAnswer<'MX'>>;
}

/** The results of all shared lookups. */
export interface Observed {
  readonly domain: string;
  readonly expectation: Expectation;
  readonly policyLookup: PolicyLookup;
  /** The policy that senders find; undefined where they find none. */
  readonly policy?: Policy;
  /** The record and the policy, to compare with the expectation. */
  readonly published: PublishedPolicy;
  /** Findings about differences from the expectation. */
  readonly unexpected: readonly LiveFinding[];
  readonly mailLookup: MailLookup;
  readonly mail: MailEvaluation;
}

/** Turns the observations into findings, without network access. */
export type Evaluation = (observed: Observed) => readonly LiveFinding[];

/** Waits for lookups, of the context or its own. The moment when it returns becomes the time of its findings. */
export type Check = (context: CheckContext) => Promise<Evaluation>;

/** Returns a check that needs the record and the policy file. */
export function afterPolicyLookup(evaluate: Evaluation): Check {
  return async ({ policyLookup }) => {
    await policyLookup;
    return evaluate;
  };
}

/** Returns a check that needs the mail hosts. */
export function afterMailLookup(evaluate: Evaluation): Check {
  return async ({ mailLookup }) => {
    await mailLookup;
    return evaluate;
  };
}
