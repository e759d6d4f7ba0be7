// The way of a look-up as pictures show it: from record to file to MX to delivery, with a mark and a phrase for each station.
import { policyHostName, policyUrl } from '../../lib/protocol/policy/url';
import { stsRecordName } from '../../lib/protocol/records/record-names';
import type { Delivery, MxResult, Observation, VerificationResult, LiveFinding, Verdict } from '../../lib/verifier/result';
import { days } from '../../lib/util/seconds';
import type { Mark } from './terminal';

/** One station, and the ways that lead to it. */
export interface SummaryStep {
  readonly mark: Mark;
  /** What stands there, a phrase. */
  readonly text: string;
  readonly observations: readonly Observation[];
  /** What else is to be said of it, a phrase each. */
  readonly notes: readonly string[];
}

/** The stations in the order of a sender's own steps. */
export interface DeliverySummary {
  readonly record: SummaryStep;
  readonly file: SummaryStep;
  /** One for each MX host, or one that says that there is none. */
  readonly mx: readonly SummaryStep[];
  /** What becomes of mail now; `word` is the short of it. */
  readonly delivery: { readonly standing: Mark; readonly word: string; readonly text: string };
}

/** A verdict, in a word. */
export const VERDICTS: Readonly<Record<Verdict, { readonly standing: Mark; readonly word: string }>> = {
  fail: { standing: 'error', word: 'fail' },
  unknown: { standing: 'unknown', word: 'could not be decided' },
  pass: { standing: 'good', word: 'pass' },
};

/** Reads the way off a report. */
export function summarize(result: VerificationResult): DeliverySummary {
  return {
    record: recordStation(result),
    file: fileStation(result),
    mx: mxStations(result),
    delivery: deliveryOf(result),
  };
}

/** What a sender without a cached policy learns now (RFC 8461 §3.3, §5). */
export function policySummary({ lookup, policy, domain, takenBy }: VerificationResult): string {
  if (takenBy !== undefined) return 'Senders find a malformed policy: some use it all the same and enforce it, the others deliver without MTA-STS';
  switch (lookup) {
    case 'found': return `Senders find a policy: ${MODE_LESSONS[policy?.mode ?? 'none']}`;
    case 'none': return `Senders find no policy: they deliver to ${domain} without MTA-STS`;
    case 'temporary-error': return 'Senders cannot tell for now: they keep a policy that they know and try again later, all others deliver without MTA-STS';
    case 'permanent-error': return 'Senders are told of a policy that they cannot use: those that know none yet deliver without MTA-STS';
  }
}

/** As bad as the station makes it: one address of many that fails is no more than a warning. */
export function observationMark({ status }: Observation, station: Mark): Mark {
  if (status !== 'failed') return status === 'ok' ? 'good' : status;
  return station === 'error' ? 'error' : 'warning';
}

/** What all ways to a station have in common, in one phrase; undefined where each deserves to be looked at. */
export function commonAnswer(paths: readonly Observation[], findings: readonly LiveFinding[], what: ObservationKind): string | undefined {
  const [first] = paths;
  const slowest = Math.max(...paths.map(({ milliseconds }) => milliseconds));
  if (paths.every(({ status }) => status === 'ok')) {
    if (slowest > SLOW || findings.some(({ code }) => DISAGREEMENTS[what].includes(code))) return undefined;
    return paths.length === 1 ? `from ${first.at} in ${slowest} ms` : `the same from ${kinds(paths, what)}, slowest ${slowest} ms`;
  }
  const same = paths.every(({ status: standing, answer }) => standing === 'unknown' && timeless(answer) === timeless(first.answer));
  return same && paths.length > 1 ? `none of ${kinds(paths, what)} could be tried from here: ${first.answer}` : undefined;
}

function timeless(answer: string): string {
  return answer.replace(/\d+ ms/g, 'ms');
}

export type ObservationKind = 'record' | 'file' | 'mx';

/** Slower than the most impatient sender in use waits for the file (PROTOCOL.md), in milliseconds. */
const SLOW = 2000;

/** The findings that only a look at each way explains. */
const DISAGREEMENTS: Readonly<Record<ObservationKind, readonly string[]>> = {
  record: ['record-disagreement', 'resolver-stale'],
  file: ['policy-disagreement'],
  mx: [],
};

const RECURSIVE = 'the recursive resolver';

function kinds(paths: readonly Observation[], what: ObservationKind): string {
  const servers = paths.filter(({ at }) => !at.startsWith(RECURSIVE)).length;
  const own = what === 'record' ? plural(servers, 'name server') : plural(servers, 'address', 'addresses');
  return servers === paths.length ? own : `${own} and the resolver`;
}

/** `1 address`, `2 addresses` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

const MODE_LESSONS = {
  enforce: 'they deliver only to covered hosts with a valid certificate',
  testing: 'they deliver to every host and report what would have failed',
  none: 'it tells them to do without MTA-STS',
} as const;

function deliveryOf({ delivery, mx, policy, takenBy, findings }: VerificationResult): DeliverySummary['delivery'] {
  if (delivery === 'unknown' && takenBy !== undefined) {
    const text = `it depends on the sender: ${takenBy.join(', ')} use the malformed policy all the same and deliver only to hosts that it covers and whose `
      + 'certificate is valid; the others deliver, whatever they see of TLS';
    return { standing: 'warning', word: 'depends on the sender', text };
  }
  // Where there is no mail host there is nothing to refuse.
  if (delivery === 'refuse' && mx.length === 0) return { standing: 'skipped', word: 'takes no mail', text: 'there is no host that a sender could deliver to' };
  if (delivery === 'deliver-unverified' && policy !== null) return { ...DELIVERIES[delivery], standing: 'info' };
  const lost = mx.filter((host) => isLost(host, findings)).length;
  if (delivery === 'refuse' && lost === mx.length) return { standing: 'error', word: 'not delivered', text: 'no mail host can be reached, so mail is not delivered' };
  const refused = mx.filter((host) => host.delivery === 'refuse' && !isLost(host, findings)).length;
  if (delivery === 'refuse' || refused + lost === 0) return DELIVERIES[delivery];
  // While one host is good enough the others go unseen, until it is down.
  const { text, word } = DELIVERIES[delivery];
  const others = [...refused > 0 ? [`would refuse ${refused}`] : [], ...lost > 0 ? [`could not reach ${lost}`] : []].join(' and ');
  return { standing: 'warning', word, text: `${text}, and ${others} of the ${plural(mx.length, 'MX host')}` };
}

const DELIVERIES: Readonly<Record<Delivery, DeliverySummary['delivery']>> = {
  'deliver-verified': { standing: 'good', word: 'delivered, verified', text: 'a sender would now deliver over TLS to a host that it has verified' },
  'deliver-unverified': { standing: 'warning', word: 'delivered, unverified', text: 'a sender would now deliver, whatever it sees of TLS' },
  'refuse': { standing: 'error', word: 'refused', text: 'a sender would now refuse to deliver' },
  'unknown': { standing: 'unknown', word: 'not known from here', text: 'whether a sender would now deliver cannot be told from here' },
};

function recordStation({ record, lookup, findings, domain, recordObservations: recordPaths, delegation }: VerificationResult): SummaryStep {
  const place = stsRecordName(domain);
  const standing = worstOf(findings.filter(({ subject }) => subject.includes('_mta-sts.')));
  const more = { observations: recordPaths, notes: aliases(delegation.record) };
  if (record !== null) return { mark: standing ?? 'good', text: `id ${record.id} at ${place}`, ...more };
  return lookup === 'temporary-error'
    ? { mark: 'unknown', text: `no answer for ${place}`, ...more }
    : { mark: 'error', text: `no usable record at ${place}`, ...more };
}

function fileStation({ policy, lookup, findings, domain, policyObservations: policyPaths, delegation }: VerificationResult): SummaryStep {
  const place = policyUrl(policyHostName(domain));
  const standing = worstOf(findings.filter(({ subject }) => /(?:^|[^_])mta-sts\./.test(subject)));
  const more = { observations: policyPaths, notes: aliases(delegation.policyHost) };
  if (policy !== null) return { mark: standing ?? 'good', text: `mode ${policy.mode}, kept for ${days(policy.maxAge)}, at ${place}`, ...more };
  if (lookup === 'none') return { mark: 'skipped', text: 'senders never ask for it', ...more };
  // Trouble with the record alone leaves the file unjudged.
  const decided = lookup === 'permanent-error' || standing === 'error';
  return decided
    ? { mark: 'error', text: `no usable file at ${place}`, ...more }
    : { mark: 'unknown', text: `could not be decided for ${place}`, ...more };
}

/** RFC 8461 §8.2 */
function aliases(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`delegated by CNAME to ${names.join(', ')}`];
}

function mxStations(result: VerificationResult): SummaryStep[] {
  const { mx, findings } = result;
  if (mx.length === 0) {
    const unknown = findings.some(({ subject, severity }) => severity === 'unknown' && /(?:^| )MX\b/.test(subject));
    return [unknown
      ? { mark: 'unknown', text: 'no answer', observations: [], notes: [] }
      : { mark: 'skipped', text: 'no host takes mail for the domain', observations: [], notes: [] }];
  }
  return mx.map((one) => mxStation(one, result));
}

function mxStation(mx: MxResult, { policy, findings }: VerificationResult): SummaryStep {
  const { covered, delivery, observations: paths, dane } = mx;
  const name = mxName(mx);
  const notes = dane === true ? ['TLSA records stand there: DANE comes before MTA-STS'] : [];
  const own = worstOf(findings.filter(({ subject }) => isAbout(subject, mx)));
  if (isLost(mx, findings)) return { mark: own ?? 'error', text: `${name} cannot be reached`, observations: paths, notes };
  if (covered === null) return { mark: own ?? 'skipped', text: `${name}, no policy to hold it against`, observations: paths, notes };
  const text = `${name} is ${covered ? '' : 'not '}covered${TO_HOST[delivery]}`;
  if (!covered) return { mark: uncovered(policy?.mode), text, observations: paths, notes };
  // Without SMTP nothing more is known of a host than that it is covered, which is good.
  return { mark: delivery === 'refuse' ? 'error' : own ?? 'good', text, observations: paths, notes };
}

/** Whether DNS leads to no address at which senders could reach the host, so that they refuse nothing. */
function isLost(mx: MxResult, findings: readonly LiveFinding[]): boolean {
  return mx.delivery === 'refuse' && findings.some(({ code, subject, severity }) => isAbout(subject, mx)
    && (code === 'mx-no-address' || (code === 'address-not-public' && severity === 'error')));
}

/** As zone files write the root, which a null MX names (RFC 7505 §3). */
export function mxName({ host }: MxResult): string {
  return host === '' ? '.' : host;
}

function isAbout(subject: string, { host }: MxResult): boolean {
  return subject === `MX ${host}` || subject.startsWith(`MX ${host} `);
}

const TO_HOST: Readonly<Record<Delivery, string>> = {
  'deliver-verified': ', delivered to over verified TLS',
  'deliver-unverified': '',
  'refuse': ', senders refuse to deliver to it',
  'unknown': '',
};

/** As bad as the mode makes it (RFC 8461 §5). */
function uncovered(mode: 'enforce' | 'testing' | 'none' | undefined): Mark {
  return mode === 'enforce' ? 'error' : mode === 'testing' ? 'warning' : 'info';
}

/** Notes do not spoil a mark. */
function worstOf(findings: readonly LiveFinding[]): 'error' | 'unknown' | 'warning' | undefined {
  return (['error', 'unknown', 'warning'] as const).find((severity) => findings.some((finding) => finding.severity === severity));
}
