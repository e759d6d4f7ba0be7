// The one report: the Lambda turns it into a failure reason, the command into text and JSON.
import type { SenderView } from '../protocol/findings/sender-quirks';
import type { Finding, Severity } from '../protocol/findings/finding';
import type { Area } from '../protocol/findings/kind';
import type { Policy } from '../protocol/policy/policy';
import type { StsRecord } from '../protocol/records/sts-record';
import { safeText, safeWholeText } from '../util/safe-text';

export type { SenderView };

/** A finding about a live domain: what was asked of whom, and what came back. */
export interface LiveFinding extends Finding {
  /** The part of the lookup that the finding belongs to. */
  readonly area: Area;
  /** What it is about: `_mta-sts.example.com TXT`, `https://mta-sts.example.com/.well-known/mta-sts.txt`, `MX mx1.example.com`. */
  readonly subject: string;
  /** What was asked of whom and what came back, one line, control characters escaped. */
  readonly evidence?: string;
  /** When that had come back: ISO 8601 in UTC. */
  readonly time?: string;
  /** Whether waiting may mend it, with nobody doing anything about it. */
  readonly temporary?: true;
}

/**
 * What this look-up taught a sender.
 *
 * - `found`: a valid policy
 * - `none`: the domain announces none, or its record is unusable, which to a sender is the same (RFC 8461 §3.1)
 * - `temporary-error`: waiting may mend it (time-outs, SERVFAIL, refused connections, 5xx); never "no policy"
 * - `permanent-error`: announced, but what is served is not a policy (certificate, redirect, 404, media type, syntax)
 */
export type Lookup = 'found' | 'none' | 'temporary-error' | 'permanent-error';

/** `fail`: at least one error. `unknown`: no error, but the essential could not be decided. */
export type Verdict = 'pass' | 'fail' | 'unknown';

/**
 * What a sender that has no policy cached does with mail now (RFC 8461 §5).
 *
 * - `deliver-verified`: over TLS to a host that the policy covers and whose certificate is valid
 * - `deliver-unverified`: without looking, or in spite of what it sees
 * - `refuse`: not at all
 * - `unknown`: it depends on what could not be looked at from here, or on the sender: some use a malformed policy all the same
 */
export type Delivery = 'deliver-verified' | 'deliver-unverified' | 'refuse' | 'unknown';

/** One way to something that senders ask for, and what was found at its end. */
export interface Observation {
  /** Who was asked: `ns1.example.com (192.0.2.53)`, `the recursive resolver (192.0.2.1:53)`, `192.0.2.1`. */
  readonly at: string;
  /** `unknown`: could not be tried from here, or not in time. */
  readonly status: 'ok' | 'failed' | 'unknown';
  /** What came back, one line, control characters escaped. */
  readonly answer: string;
  /** How long that took. */
  readonly milliseconds: number;
}

/** A way whose words hold no control character and nothing invisible, whatever the names of servers are made of. */
export function safeObservation(observation: Observation): Observation {
  return { ...observation, at: safeWholeText(observation.at), answer: safeWholeText(observation.answer) };
}

/** A finding of which the same is true. */
export function safeFinding<T extends Finding & Partial<Pick<LiveFinding, 'subject' | 'evidence'>>>(finding: T): T {
  const { code, message, fix, reference, senders, subject, evidence } = finding;
  return {
    ...finding,
    code: safeWholeText(code),
    message: safeWholeText(message),
    ...fix === undefined ? {} : { fix: safeWholeText(fix) },
    ...reference === undefined ? {} : { reference: safeWholeText(reference) },
    ...senders === undefined ? {} : { senders: senders.map(safeWholeText) },
    ...subject === undefined ? {} : { subject: safeWholeText(subject) },
    ...evidence === undefined ? {} : { evidence: safeWholeText(evidence) },
  };
}

/** Of several ways the best one, in one line of evidence; undefined where there is none. */
export function bestEvidence(paths: readonly Observation[]): string | undefined {
  const observation = paths.find(({ status }) => status === 'ok') ?? paths.at(0);
  return observation && `${observation.at}: ${observation.answer}`;
}

/** One MX host of the domain. */
export interface MxResult {
  readonly host: string;
  /** Of its MX record; `null` where the domain has none and is its own mail host (RFC 5321 §5.1). */
  readonly preference: number | null;
  /** Whether the policy covers it; `null` while there is no policy to ask. */
  readonly covered: boolean | null;
  readonly delivery: Delivery;
  /** Whether TLSA records stand at it, which come before MTA-STS where they validate (RFC 8461 §2); `null` where DNS did not say. */
  readonly dane: boolean | null;
  /** Its addresses, each as SMTP found it; empty where SMTP was not tried. */
  readonly observations: readonly Observation[];
}

/** Names that CNAMEs lead to (RFC 8461 §8.2), in order; empty where there are none. */
export interface Delegation {
  readonly record: readonly string[];
  readonly policyHost: readonly string[];
}

/** What a deployment told of senders' caches, as it was then; the verifier cannot see it, the command adds it. */
export interface Deployment {
  /** The moment after which no sender can hold an enforce or testing policy any more, or why it is not known. */
  readonly earliestRemoval?: string;
  /** Mail that senders may refuse for the sake of a policy that they may hold, and until when; or `none`. */
  readonly warnings?: string;
}

/** Everything one verification of one domain has found. */
export interface VerificationResult {
  readonly domain: string;
  /** When it began: ISO 8601 in UTC. */
  readonly time: string;
  /** How long it took. */
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
  /** Where there is no valid policy to be found: the senders known to use what is there all the same, in mode `enforce`. */
  readonly takenBy?: readonly string[];
  /** Worst first: errors, unknowns, warnings, infos; in the order of the look-up within each. */
  readonly findings: readonly LiveFinding[];
  /** Where the outputs of its deployment were given. */
  readonly deployment?: Deployment;
}

/** Whether waiting may turn the verdict into `pass`, with nobody doing anything about it. */
export function mayPass({ verdict, findings }: VerificationResult): boolean {
  const of = (severity: Severity): readonly LiveFinding[] => findings.filter((one) => one.severity === severity);
  switch (verdict) {
    case 'pass': return true;
    case 'fail': return of('error').every(({ temporary }) => temporary === true);
    case 'unknown': return of('unknown').some(({ temporary }) => temporary === true);
  }
}

/** Worst first; within each severity in the order given. */
export function sortFindings(findings: readonly LiveFinding[]): LiveFinding[] {
  return [...findings].sort((a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity));
}

const WORST_FIRST: readonly Severity[] = ['error', 'unknown', 'warning', 'info'];

/** The report in one line of at most 300 characters, for a failure reason: the worst finding, its fix, and how many there are. */
export function summary(result: VerificationResult): string {
  const { domain, verdict, lookup, findings } = result;
  const counts = WORST_FIRST.map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${severity} ${count}`)
    .join(', ');
  const head = `${domain}: ${verdict}, lookup ${lookup}${counts === '' ? '' : ` (${counts})`}`;
  const worst = findings.find(({ severity }) => severity === 'error' || severity === 'unknown');
  if (worst === undefined) return safeText(head, SUMMARY_LENGTH);
  return safeText(`${head}: ${worst.code}: ${worst.message}${worst.fix === undefined ? '' : `; ${worst.fix}`}`, SUMMARY_LENGTH);
}

const SUMMARY_LENGTH = 300;
