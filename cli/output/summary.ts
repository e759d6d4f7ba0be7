// Summarizes a verification result as steps from the record to the delivery, each with a mark and a phrase.
import { policyHostName, policyUrl } from '../../lib/protocol/policy/url';
import { stsRecordName } from '../../lib/protocol/records/record-names';
import { formatSeconds } from '../../lib/util/duration';
import type { Delivery, MxResult, Observation, VerificationResult, LiveFinding, Verdict } from '../../lib/verifier/result';
import type { Mark } from './terminal';

/** One step of a sender, and its observations. */
export interface SummaryStep {
  readonly mark: Mark;
  /** The outcome, a phrase. */
  readonly text: string;
  readonly observations: readonly Observation[];
  /** More about the outcome, a phrase each. */
  readonly notes: readonly string[];
}

/** The steps of a sender in their order. */
export interface DeliverySummary {
  readonly record: SummaryStep;
  readonly file: SummaryStep;
  /** One step for each MX host, or one that says that there is no host. */
  readonly mx: readonly SummaryStep[];
  /** The delivery of mail now. `word` is its short form. */
  readonly delivery: { readonly mark: Mark; readonly word: string; readonly text: string };
}

/** A verdict in one word. */
export const VERDICT_WORDS: Readonly<Record<Verdict, { readonly mark: Mark; readonly word: string }>> = {
  fail: { mark: 'error', word: 'fail' },
  unknown: { mark: 'unknown', word: 'could not be decided' },
  pass: { mark: 'good', word: 'pass' },
};

/** Summarizes a result. */
export function summarize(result: VerificationResult): DeliverySummary {
  return {
    record: recordStep(result),
    file: fileStep(result),
    mx: mxSteps(result),
    delivery: deliveryStep(result),
  };
}

/** Returns a sentence about what a sender without a cached policy learns now (RFC 8461 §3.3, §5). */
export function policySummary({ lookup, policy, domain, takenBy }: VerificationResult): string {
  if (takenBy !== undefined) return 'Senders find a malformed policy: some use it anyway and enforce it, the others deliver without MTA-STS';
  switch (lookup) {
    case 'found': return `Senders find a policy: ${MODE_SUMMARIES[policy?.mode ?? 'none']}`;
    case 'none': return `Senders find no policy: they deliver to ${domain} without MTA-STS`;
    case 'temporary-error': return 'Senders cannot tell for now: they keep a cached policy and try again later, and deliver without MTA-STS if they have none';
    case 'permanent-error': return 'Senders find a policy that they cannot use: they deliver without MTA-STS if they have none in their cache';
  }
}

/** Returns the mark of one observation. One failed address among many is a warning. It is an error only if the whole step failed. */
export function observationMark({ status }: Observation, step: Mark): Mark {
  if (status !== 'failed') return status === 'ok' ? 'good' : status;
  return step === 'error' ? 'error' : 'warning';
}

/** Returns one phrase for all observations of a step if they agree. Returns undefined if each one matters. */
export function commonAnswer(
  observations: readonly Observation[], findings: readonly LiveFinding[], kind: ObservationKind,
): string | undefined {
  const [first] = observations;
  if (first === undefined) return undefined;
  const slowestMs = Math.max(...observations.map(({ milliseconds }) => milliseconds));
  if (observations.every(({ status }) => status === 'ok')) {
    if (slowestMs > SLOW_FETCH_MS || findings.some(({ code }) => DISAGREEMENTS[kind].includes(code))) return undefined;
    return observations.length === 1 ? `from ${first.at} in ${slowestMs} ms` : `the same from ${countSources(observations, kind)}, slowest ${slowestMs} ms`;
  }
  const isSame = observations.every(({ status, answer }) => status === 'unknown' && withoutTime(answer) === withoutTime(first.answer));
  return isSame && observations.length > 1 ? `none of ${countSources(observations, kind)} could be tried from here: ${first.answer}` : undefined;
}

function withoutTime(answer: string): string {
  return answer.replace(/\d+ ms/g, 'ms');
}

export type ObservationKind = 'record' | 'file' | 'mx';

/** How long the most impatient sender in use waits for the file (PROTOCOL.md). */
const SLOW_FETCH_MS = 2000;

/** Findings that only the single observations explain. */
const DISAGREEMENTS: Readonly<Record<ObservationKind, readonly string[]>> = {
  record: ['record-disagreement', 'resolver-stale'],
  file: ['policy-disagreement'],
  mx: [],
};

const RESOLVER_PREFIX = 'the recursive resolver';

function countSources(observations: readonly Observation[], kind: ObservationKind): string {
  const count = observations.filter(({ at }) => !at.startsWith(RESOLVER_PREFIX)).length;
  const sources = kind === 'record' ? pluralize(count, 'name server') : pluralize(count, 'address', 'addresses');
  return count === observations.length ? sources : `${sources} and the resolver`;
}

/** Returns a number with its noun: `1 address`, `2 addresses`. */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

const MODE_SUMMARIES = {
  enforce: 'they deliver only to covered hosts with a valid certificate',
  testing: 'they deliver to every host and report what would have failed',
  none: 'it tells them to do without MTA-STS',
} as const;

function deliveryStep({ delivery, mx, policy, takenBy, findings }: VerificationResult): DeliverySummary['delivery'] {
  if (delivery === 'unknown' && takenBy !== undefined) {
    const text = `it depends on the sender: ${takenBy.join(', ')} use the malformed policy anyway and deliver only to hosts that it covers and whose `
      + 'certificate is valid; the others deliver, whatever they see of TLS';
    return { mark: 'warning', word: 'depends on the sender', text };
  }
  // Without a mail host there is nothing to refuse.
  if (delivery === 'refuse' && mx.length === 0) return { mark: 'skipped', word: 'takes no mail', text: 'there is no host that a sender could deliver to' };
  if (delivery === 'deliver-unverified' && policy !== null) return { ...DELIVERIES[delivery], mark: 'info' };
  const unreachable = mx.filter((host) => isUnreachable(host, findings)).length;
  if (delivery === 'refuse' && unreachable === mx.length) return { mark: 'error', word: 'not delivered', text: 'no mail host can be reached, so mail is not delivered' };
  const refused = mx.filter((host) => host.delivery === 'refuse' && !isUnreachable(host, findings)).length;
  if (delivery === 'refuse' || refused + unreachable === 0) return DELIVERIES[delivery];
  // While one host works, problems of the others stay unnoticed until that host is down.
  const { text, word } = DELIVERIES[delivery];
  const others = [...refused > 0 ? [`would refuse ${refused}`] : [], ...unreachable > 0 ? [`could not reach ${unreachable}`] : []].join(' and ');
  return { mark: 'warning', word, text: `${text}, and ${others} of the ${pluralize(mx.length, 'MX host')}` };
}

const DELIVERIES: Readonly<Record<Delivery, DeliverySummary['delivery']>> = {
  'deliver-verified': { mark: 'good', word: 'delivered, verified', text: 'a sender would now deliver over TLS to a host that it has verified' },
  'deliver-unverified': { mark: 'warning', word: 'delivered, unverified', text: 'a sender would now deliver, whatever it sees of TLS' },
  'refuse': { mark: 'error', word: 'refused', text: 'a sender would now refuse to deliver' },
  'unknown': { mark: 'unknown', word: 'not known from here', text: 'it is not known from here whether a sender would now deliver' },
};

function recordStep({ record, lookup, findings, domain, recordObservations, delegation }: VerificationResult): SummaryStep {
  const place = stsRecordName(domain);
  const mark = worstSeverity(findings.filter(({ subject }) => subject.includes('_mta-sts.')));
  const more = { observations: recordObservations, notes: aliasNotes(delegation.record) };
  if (record !== null) return { mark: mark ?? 'good', text: `id ${record.id} at ${place}`, ...more };
  return lookup === 'temporary-error'
    ? { mark: 'unknown', text: `no answer for ${place}`, ...more }
    : { mark: 'error', text: `no usable record at ${place}`, ...more };
}

function fileStep({ policy, lookup, findings, domain, policyObservations, delegation }: VerificationResult): SummaryStep {
  const place = policyUrl(policyHostName(domain));
  const mark = worstSeverity(findings.filter(({ subject }) => /(?:^|[^_])mta-sts\./.test(subject)));
  const more = { observations: policyObservations, notes: aliasNotes(delegation.policyHost) };
  if (policy !== null) return { mark: mark ?? 'good', text: `mode ${policy.mode}, kept for ${formatSeconds(policy.maxAge)}, at ${place}`, ...more };
  if (lookup === 'none') return { mark: 'skipped', text: 'senders never ask for it', ...more };
  // An error in the record alone does not decide about the file.
  const isDecided = lookup === 'permanent-error' || mark === 'error';
  return isDecided
    ? { mark: 'error', text: `no usable file at ${place}`, ...more }
    : { mark: 'unknown', text: `could not be decided for ${place}`, ...more };
}

/** Returns a note about a delegation (RFC 8461 §8.2). */
function aliasNotes(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`delegated by CNAME to ${names.join(', ')}`];
}

function mxSteps(result: VerificationResult): SummaryStep[] {
  const { mx, findings } = result;
  if (mx.length === 0) {
    const isUnknown = findings.some(({ subject, severity }) => severity === 'unknown' && /(?:^| )MX\b/.test(subject));
    return [isUnknown
      ? { mark: 'unknown', text: 'no answer', observations: [], notes: [] }
      : { mark: 'skipped', text: 'no host takes mail for the domain', observations: [], notes: [] }];
  }
  return mx.map((host) => mxStep(host, result));
}

function mxStep(mx: MxResult, { policy, findings }: VerificationResult): SummaryStep {
  const { covered, delivery, observations, dane } = mx;
  const name = mxName(mx);
  const notes = dane === true ? ['TLSA records stand there: DANE comes before MTA-STS'] : [];
  const own = worstSeverity(findings.filter(({ subject }) => isAbout(subject, mx)));
  if (isUnreachable(mx, findings)) return { mark: own ?? 'error', text: `${name} cannot be reached`, observations, notes };
  if (covered === null) return { mark: own ?? 'skipped', text: `${name}, no policy to hold it against`, observations, notes };
  const text = `${name} is ${covered ? '' : 'not '}covered${HOST_DELIVERIES[delivery]}`;
  if (!covered) return { mark: uncoveredMark(policy?.mode), text, observations, notes };
  // Without SMTP, a covered host is good: no more is known about it.
  return { mark: delivery === 'refuse' ? 'error' : own ?? 'good', text, observations, notes };
}

/** Whether DNS has no address at which senders could reach the host. Then they do not refuse, they cannot deliver. */
function isUnreachable(mx: MxResult, findings: readonly LiveFinding[]): boolean {
  return mx.delivery === 'refuse' && findings.some(({ code, subject, severity }) => isAbout(subject, mx)
    && (code === 'mx-no-address' || (code === 'address-not-public' && severity === 'error')));
}

/** Returns the name of an MX host. A null MX names the root, which zone files write as a dot (RFC 7505 §3). */
export function mxName({ host }: MxResult): string {
  return host === '' ? '.' : host;
}

function isAbout(subject: string, { host }: MxResult): boolean {
  return subject === `MX ${host}` || subject.startsWith(`MX ${host} `);
}

const HOST_DELIVERIES: Readonly<Record<Delivery, string>> = {
  'deliver-verified': ', delivered to over verified TLS',
  'deliver-unverified': '',
  'refuse': ', senders refuse to deliver to it',
  'unknown': '',
};

/** Returns the mark of a host that the policy does not cover. It depends on the mode (RFC 8461 §5). */
function uncoveredMark(mode: 'enforce' | 'testing' | 'none' | undefined): Mark {
  return mode === 'enforce' ? 'error' : mode === 'testing' ? 'warning' : 'info';
}

/** Returns the worst severity. Ignores notes, which do not change a mark. */
function worstSeverity(findings: readonly LiveFinding[]): 'error' | 'unknown' | 'warning' | undefined {
  return (['error', 'unknown', 'warning'] as const).find((severity) => findings.some((finding) => finding.severity === severity));
}
