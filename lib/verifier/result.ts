// Defines the result of verifying one domain. The Lambda function makes a failure message of it, the command text and JSON.
import type { SenderView } from '../protocol/findings/sender-quirks';
import type { Finding, Severity } from '../protocol/findings/finding';
import type { Area } from '../protocol/findings/kind';
import type { Policy } from '../protocol/policy/policy';
import type { StsRecord } from '../protocol/records/sts-record';
import { safeText, safeWholeText } from '../util/safe-text';

export type { SenderView };

/** A finding about a live domain. */
export interface LiveFinding extends Finding {
  /** The part of the lookup that the finding belongs to. */
  readonly area: Area;
  /** The record, file or host with the problem: `_mta-sts.example.com TXT`, `https://mta-sts.example.com/.well-known/mta-sts.txt`, `MX mx1.example.com`. */
  readonly subject: string;
  /** The server that was asked, and its answer, in one line. Control characters are escaped. */
  readonly evidence?: string;
  /** When the answer had arrived: ISO 8601 in UTC. */
  readonly time?: string;
  /** Whether the problem can disappear without any action. */
  readonly temporary?: true;
}

/**
 * The result of the lookup for a sender.
 *
 * - `found`: a valid policy
 * - `none`: no record, or an unusable one, which senders treat alike (RFC 8461 §3.1)
 * - `temporary-error`: the problem can disappear without any action (timeouts, SERVFAIL, refused connections, 5xx); never "no policy"
 * - `permanent-error`: a record, but no valid policy (certificate, redirect, 404, media type, syntax)
 */
export type Lookup = 'found' | 'none' | 'temporary-error' | 'permanent-error';

/** `fail`: at least one error. `unknown`: no error, but an essential step was not conclusive. */
export type Verdict = 'pass' | 'fail' | 'unknown';

/**
 * How a sender without a cached policy delivers mail now (RFC 8461 §5).
 *
 * - `deliver-verified`: over TLS to a host that the policy covers and whose certificate is valid
 * - `deliver-unverified`: without checking TLS, or although the check fails
 * - `refuse`: no delivery
 * - `unknown`: an essential check was not conclusive, or senders differ: some use a malformed policy
 */
export type Delivery = 'deliver-verified' | 'deliver-unverified' | 'refuse' | 'unknown';

/** One attempt to get a record, a file or a TLS connection from one server. */
export interface Observation {
  /** The server that was asked: `ns1.example.com (192.0.2.53)`, `the recursive resolver (192.0.2.1:53)`, `192.0.2.1`. */
  readonly at: string;
  /** `unknown`: the attempt was not possible from here, or not finished in time. */
  readonly status: 'ok' | 'failed' | 'unknown';
  /** The answer, in one line. Control characters are escaped. */
  readonly answer: string;
  /** Duration of the attempt. */
  readonly milliseconds: number;
}

/** Escapes control characters and invisible characters of an observation. Names of servers can hold any character. */
export function safeObservation(observation: Observation): Observation {
  return { ...observation, at: safeWholeText(observation.at), answer: safeWholeText(observation.answer) };
}

/** Escapes control characters and invisible characters of a finding. */
export function safeFinding<T extends Finding & Partial<Pick<LiveFinding, 'subject' | 'evidence'>>>(finding: T): T {
  const { code, message, fix, reference, senders, subject, evidence } = finding;
  return {
    ...finding,
    code: safeWholeText(code),
    message: safeWholeText(message),
    fix: fix && safeWholeText(fix),
    reference: reference && safeWholeText(reference),
    senders: senders?.map(safeWholeText),
    subject: subject && safeWholeText(subject),
    evidence: evidence && safeWholeText(evidence),
  };
}

/** Returns one line of evidence: the first successful observation, or else the first one. */
export function bestEvidence(observations: readonly Observation[]): string | undefined {
  const observation = observations.find(({ status }) => status === 'ok') ?? observations.at(0);
  return observation && `${observation.at}: ${observation.answer}`;
}

/** One MX host of the domain. */
export interface MxResult {
  readonly host: string;
  /** The preference of the MX record; `null` where the domain has none and is its own mail host (RFC 5321 §5.1). */
  readonly preference: number | null;
  /** Whether the policy covers the host; `null` without a policy. */
  readonly covered: boolean | null;
  readonly delivery: Delivery;
  /**
   * Whether the host has TLSA records, which take precedence over MTA-STS where they validate (RFC 8461 §2); `null` where DNS did not
   * answer.
   */
  readonly dane: boolean | null;
  /** One observation for each address; empty where SMTP was not tried. */
  readonly observations: readonly Observation[];
}

/** CNAME targets of record and policy host (RFC 8461 §8.2), in order; empty where there is no CNAME. */
export interface Delegation {
  readonly record: readonly string[];
  readonly policyHost: readonly string[];
}

/** Facts about senders' caches at the time of a deployment. The verifier cannot observe them; the command adds them. */
export interface Deployment {
  /** The moment after which no sender can hold an enforce or testing policy, or the reason why it is not known. */
  readonly earliestRemoval?: string;
  /** MX hosts that a policy cached by senders does not cover, and until when; or `none`. */
  readonly warnings?: string;
}

/** The result of one verification of one domain. */
export interface VerificationResult {
  readonly domain: string;
  /** Start of the verification: ISO 8601 in UTC. */
  readonly time: string;
  /** Duration of the verification. */
  readonly milliseconds: number;
  readonly verdict: Verdict;
  readonly lookup: Lookup;
  readonly delivery: Delivery;
  readonly record: StsRecord | null;
  /** The record from each name server of the zone, and from the recursive resolver. */
  readonly recordObservations: readonly Observation[];
  readonly policy: Policy | null;
  /** The file from each address of the policy host. */
  readonly policyObservations: readonly Observation[];
  readonly delegation: Delegation;
  /** In the order that senders try them. */
  readonly mx: readonly MxResult[];
  readonly senders: readonly SenderView[];
  /** Known senders that use a malformed policy, in mode `enforce`; undefined where no sender does. */
  readonly takenBy?: readonly string[];
  /** Worst first: errors, unknowns, warnings, infos; in the order of the lookup within each. */
  readonly findings: readonly LiveFinding[];
  /** Set where the outputs of the deployment were given. */
  readonly deployment?: Deployment;
}

/** Returns whether the verdict can become `pass` without any action. */
export function mayPass({ verdict, findings }: VerificationResult): boolean {
  const withSeverity = (severity: Severity): readonly LiveFinding[] => findings.filter((one) => one.severity === severity);
  switch (verdict) {
    case 'pass': return true;
    case 'fail': return withSeverity('error').every(({ temporary }) => temporary === true);
    case 'unknown': return withSeverity('unknown').some(({ temporary }) => temporary === true);
  }
}

/** Sorts the worst severity first. Findings of one severity keep their order. */
export function sortFindings(findings: readonly LiveFinding[]): LiveFinding[] {
  return [...findings].sort((a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity));
}

const WORST_FIRST: readonly Severity[] = ['error', 'unknown', 'warning', 'info'];

/** Returns the result in one line of at most 300 characters: the verdict, the number of findings, and the worst one with its fix. */
export function summary(result: VerificationResult): string {
  const { domain, verdict, lookup, findings } = result;
  const counts = WORST_FIRST.map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${severity} ${count}`)
    .join(', ');
  const head = `${domain}: ${verdict}, lookup ${lookup}${counts === '' ? '' : ` (${counts})`}`;
  const worst = findings.find(({ severity }) => severity === 'error' || severity === 'unknown');
  if (worst === undefined) return safeText(head, MAX_SUMMARY_LENGTH);
  return safeText(`${head}: ${worst.code}: ${worst.message}${worst.fix === undefined ? '' : `; ${worst.fix}`}`, MAX_SUMMARY_LENGTH);
}

const MAX_SUMMARY_LENGTH = 300;
