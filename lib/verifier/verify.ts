// Verifies one domain as a sender would (RFC 8461 §3 to §5): what senders find, what they do with mail, and every problem.
import { acceptingViews, senderViews } from '../protocol/findings/sender-quirks';
import type { SenderView } from '../protocol/findings/sender-quirks';
import { hostNameProblem, toALabels } from '../protocol/domain-name';
import { policyHostName } from '../protocol/policy/url';
import { stsRecordName } from '../protocol/records/record-names';
import { KNOWN_SENDERS } from '../protocol/findings/tolerance';
import { safeText } from '../util/safe-text';
import { afterMailLookup, afterPolicyLookup } from './checks/check';
import type { Check, CheckContext, Observed } from './checks/check';
import { CONNECTION_FINDINGS } from './checks/connection';
import { findingFactory } from './checks/live-finding';
import { checkDane } from './checks/mail/dane';
import { evaluateMail, hostsWithReach, lookUpMail, mxResults } from './checks/mail/mail-lookup';
import { checkExpectation, expectedMode } from './checks/policy/expectation';
import type { Expectation } from './checks/policy/expectation';
import { checkNamedPolicy } from './checks/policy/named-policy';
import { lookUpPolicy } from './checks/policy-lookup';
import type { PolicyLookup } from './checks/policy-lookup';
import { checkSubdomains } from './checks/records/subdomains';
import { checkTlsReporting } from './checks/records/tls-rpt';
import { domainDelivery } from './delivery';
import { internalError } from './guard';
import { withDeadline } from './deadline';
import type { Clock, Network } from './network';
import { publicOnly } from './public-only';
import { bestEvidence, safeFinding, safeObservation, sortFindings } from './result';
import type { LiveFinding, Lookup, Verdict, VerificationResult } from './result';

export type { Clock, Network } from './network';

/**
 * Every check, in the order of RFC 8461: record and policy, mail hosts, TLS reporting, names below the domain. Findings of one
 * severity are reported in this order.
 */
const CHECKS: readonly Check[] = [
  afterPolicyLookup((observed) => policyLookupFindings(observed)),
  afterPolicyLookup((observed) => markReplaced(observed.policyLookup.file?.contents ?? [], observed)),
  afterPolicyLookup(({ unexpected }) => unexpected),
  afterPolicyLookup(checkNamedPolicy),
  afterMailLookup(({ mailLookup }) => mailLookup.hosts.findings),
  afterMailLookup((observed) => markReplaced(observed.mail.coverage.findings, observed)),
  afterMailLookup(({ mail }) => mail.reach.findings),
  afterMailLookup((observed) => smtpFindings(observed)),
  afterMailLookup(({ mailLookup, mail }) => checkDane(mailLookup.tlsa, new Set(hostsWithReach(mail.reach, 'unknown', 'unreachable')))),
  checkTlsReporting,
  checkSubdomains,
];

export interface VerifyOptions extends Expectation {
  /**
   * Maximum duration of the verification, in milliseconds. The rest is then reported as `unknown`.
   *
   * @default 20000
   */
  readonly timeoutMs?: number;
  /**
   * The authoritative name servers of the zone, as `address`, `address:port` or `[v6]:port`.
   *
   * @default - the servers that the NS records name
   */
  readonly nameServers?: readonly string[];
  /**
   * The port of name servers found by NS records.
   *
   * @default 53
   */
  readonly nameServerPort?: number;
  /**
   * Whether to connect to the mail hosts, and check STARTTLS and their certificates.
   *
   * @default false
   */
  readonly smtp?: boolean;
  /**
   * Whether to connect to non-public addresses that the domain's DNS names.
   *
   * @default false
   */
  readonly allowPrivate?: boolean;
  /**
   * Ends the verification early. The rest is then reported as `unknown`.
   *
   * @default - only the timeout ends it
   */
  readonly signal?: AbortSignal;
}

/**
 * Verifies one domain. Network failures become findings; they never reject the promise.
 *
 * @param domain - the policy domain; U-labels are converted, one trailing dot is dropped
 * @param network - parts that replace the real network
 * @throws RangeError when `domain` is not a domain name
 */
export async function verify(domain: string, options: VerifyOptions = {}, network: Partial<Network> = {}): Promise<VerificationResult> {
  const name = policyDomain(domain);
  const ended = new AbortController();
  const { timeoutMs = 20_000, signal, allowPrivate = false, nameServers } = options;
  const bounded = withDeadline(network, { timeoutMs, ended: ended.signal, signal });
  const begin = bounded.clock.now();
  try {
    return await runChecks(name, { ...options, timeoutMs }, allowPrivate ? bounded : publicOnly(bounded, nameServers));
  } catch (error) {
    return failedResult(name, internalError(error), { begin, end: bounded.clock.now() });
  } finally {
    // Pass a reason: without one, `abort()` builds an Error with a stack trace on every call.
    ended.abort('verified');
  }
}

type BoundedOptions = VerifyOptions & { readonly timeoutMs: number };

/** Starts all lookups at once, runs every check on their results, and sums up. */
async function runChecks(domain: string, options: BoundedOptions, network: Network): Promise<VerificationResult> {
  const { clock } = network;
  const begin = clock.now();
  const context = startLookups(domain, options, network);
  const evaluations = await Promise.all(CHECKS.map((check) => timed(check(context), clock)));
  const observed = await observe(context, options);
  const findings = sortFindings(evaluations.flatMap(({ value: evaluate, time }) => withTime(evaluate(observed), time)));

  const { policyLookup, policy, mailLookup, mail } = observed;
  const { record, file, delegation } = policyLookup;
  const decided = isDecided(policyLookup);
  const lookup = lookupResult(policyLookup);
  // Some senders use a malformed policy. What they do then differs from what the others do.
  const takenBy = lookup === 'found' ? [] : sendersOfMalformed(policyLookup);
  const malformed = takenBy.length > 0;
  const mx = mxResults(mailLookup, mail, { mode: malformed ? 'enforce' : policy?.mode, decided, malformed });
  return {
    domain,
    time: new Date(begin).toISOString(),
    milliseconds: clock.now() - begin,
    verdict: verdict(findings, decided && mail.reach.decided && (file?.policy?.mode !== 'enforce' || mailLookup.hosts.decided)),
    lookup,
    delivery: domainDelivery(mx.map(({ delivery }) => delivery), mail.reach.none || (decided && mailLookup.hosts.decided)),
    record: record.record ?? null,
    recordObservations: record.observations.map(safeObservation),
    policy: policy ?? null,
    policyObservations: (file?.observations ?? []).map(safeObservation),
    delegation,
    mx,
    senders: policy === undefined ? viewsWithoutPolicy(findings, takenBy) : senderViews(findings),
    takenBy: malformed ? takenBy : undefined,
    findings,
  };
}

function startLookups(domain: string, options: BoundedOptions, network: Network): CheckContext {
  const policyLookup = lookUpPolicy(network, { ...options, domain });
  const mxRecords = network.resolver.query(domain, 'MX');
  return { domain, network, policyLookup, mxRecords, mailLookup: lookUpMail(network, domain, mxRecords, options.smtp === true) };
}

/** Waits for the shared lookups, and compares policy, expectation and mail hosts with each other. */
async function observe({ domain, network, ...lookups }: CheckContext, options: VerifyOptions): Promise<Observed> {
  const [policyLookup, mailLookup] = await Promise.all([lookups.policyLookup, lookups.mailLookup]);
  const { record, file } = policyLookup;
  const policy = lookupResult(policyLookup) === 'found' ? file?.policy : undefined;
  const published = {
    record: record.record, recordEvidence: bestEvidence(record.observations),
    policy: file?.policy, body: file?.body, fileEvidence: bestEvidence(file?.observations ?? []),
  };
  const { allowPrivate = false, smtp = false } = options;
  return {
    domain,
    expectation: options,
    policyLookup,
    policy,
    published,
    unexpected: checkExpectation(domain, options, published),
    mailLookup,
    mail: evaluateMail(domain, mailLookup, { allowPrivate, smtp, policy, now: network.clock.now() }),
  };
}

/** A bug of this program on one domain must not end a run over many domains. */
function failedResult(domain: string, reason: string, time: { readonly begin: number; readonly end: number }): VerificationResult {
  const { begin, end } = time;
  const finding = findingFactory(CONNECTION_FINDINGS)('internal-fault', {
    area: 'other', subject: domain, message: `the verification of ${domain} did not finish: ${reason}`, evidence: reason,
  });
  return {
    domain,
    time: new Date(begin).toISOString(),
    milliseconds: end - begin,
    verdict: 'unknown',
    lookup: 'temporary-error',
    delivery: 'unknown',
    record: null,
    recordObservations: [],
    policy: null,
    policyObservations: [],
    delegation: { record: [], policyHost: [] },
    mx: [],
    senders: [],
    findings: withTime([finding], new Date(end).toISOString()),
  };
}

/** 253, the length of the longest DNS name, minus the longest prefix that is queried: `_smtp._tls.`. */
const MAX_DOMAIN_LENGTH = 242;

function policyDomain(domain: string): string {
  const name = toALabels(domain.endsWith('.') ? domain.slice(0, -1) : domain);
  const problem = hostNameProblem(name === '' ? domain : name)
    ?? (name.includes('.') ? undefined : 'is a single label; a domain like `example.com` is expected')
    ?? (name.length > MAX_DOMAIN_LENGTH ? `is longer than ${MAX_DOMAIN_LENGTH} characters, so no name below it could hold a record` : undefined);
  if (problem !== undefined) throw new RangeError(`the domain \`${safeText(domain)}\` ${problem}`);
  return name;
}

/** Returns the findings of the policy lookup. Some of them change their weight with the expectation. */
function policyLookupFindings({ domain, expectation, policyLookup: { findings, nothing } }: Observed): readonly LiveFinding[] {
  const { expectId, expectMode, expectPolicy } = expectation;
  const isExpecting = expectId !== undefined || expectMode !== undefined || expectPolicy !== undefined;
  if (isExpecting) return markAwaited(domain, findings);
  return nothing ? findings.map((one) => explainUnpublished(domain, one)) : findings;
}

/** A caller with an expectation has just published. The record and the policy host may still have to appear in DNS. */
function markAwaited(domain: string, findings: readonly LiveFinding[]): readonly LiveFinding[] {
  const addresses = `${policyHostName(domain)} A, AAAA`;
  const isAwaited = ({ code, subject }: LiveFinding): boolean => code === 'record-missing' || (code === 'sts-policy-fetch-error' && subject === addresses);
  return findings.map((one) => isAwaited(one) ? { ...one, temporary: true } : one);
}

/** Replaces the advice for a missing record where a domain has nothing of MTA-STS: the record is not the first step. */
function explainUnpublished(domain: string, finding: LiveFinding): LiveFinding {
  if (finding.code !== 'record-missing') return finding;
  return {
    ...finding,
    message: `MTA-STS is not published for ${domain}: there is neither a TXT record at ${stsRecordName(domain)} nor a policy host ${policyHostName(domain)}`,
    fix: `begin with \`npx cdk-mta-sts suggest ${domain}\`, which prints a policy for the mail hosts of today and the steps to publish it`,
  };
}

/** Findings about MX hosts disappear with an old policy, unless the new policy enforces. */
function smtpFindings(observed: Observed): readonly LiveFinding[] {
  const findings = observed.mail.smtp?.findings ?? [];
  return expectedMode(observed.expectation) === 'enforce' ? findings : markReplaced(findings, observed);
}

/** Findings about an old policy disappear once the expected one is visible. */
function markReplaced(findings: readonly LiveFinding[], { unexpected }: Observed): readonly LiveFinding[] {
  return unexpected.length === 0 ? findings : markTemporary(findings);
}

function markTemporary(findings: readonly LiveFinding[]): readonly LiveFinding[] {
  return findings.map((one) => ({ ...one, temporary: true }));
}

function withTime(findings: readonly LiveFinding[], time: string): readonly LiveFinding[] {
  return findings.map((one) => ({ ...safeFinding(one), time }));
}

async function timed<T>(step: Promise<T>, clock: Clock): Promise<{ readonly value: T; readonly time: string }> {
  const value = await step;
  return { value, time: new Date(clock.now()).toISOString() };
}

/** Without a valid policy, all senders act alike, so only their treatment of the reporting record differs. */
function viewsWithoutPolicy(findings: readonly LiveFinding[], takenBy: readonly string[]): readonly SenderView[] {
  return takenBy.length > 0 ? acceptingViews(findings, takenBy) : senderViews(findings.filter(({ area }) => area === 'tls-reporting'));
}

/** Returns the senders that use a malformed record or policy in mode `enforce`. Those that use another mode deliver as all others do. */
function sendersOfMalformed({ record, file }: PolicyLookup): readonly string[] {
  if (file === undefined) return [];
  const { mode, senders } = file.policy === undefined
    ? file.tolerated ?? { mode: undefined, senders: [] }
    : { mode: file.policy.mode, senders: KNOWN_SENDERS };
  return mode === 'enforce' ? senders.filter((sender) => record.acceptedBy?.includes(sender)) : [];
}

function lookupResult({ record, file }: PolicyLookup): Lookup {
  if (record.verdict === 'undecided') return 'temporary-error';
  return record.verdict === 'valid' && file !== undefined ? file.lookup : 'none';
}

/** Returns whether the lookup was conclusive. A failing resolver or route says nothing about the domain. */
function isDecided({ record, file }: PolicyLookup): boolean {
  return record.verdict !== 'undecided' && record.validated && file?.decided !== false;
}

/** Returns `fail` for any error, and `unknown` where an essential step was not conclusive. */
function verdict(findings: readonly LiveFinding[], decided: boolean): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'fail';
  return decided ? 'pass' : 'unknown';
}
