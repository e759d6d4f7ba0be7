// Looks at one domain as a sender would (RFC 8461 §3 to §5), and reports what a sender would learn and do.
import { senderViews, acceptingViews } from '../protocol/findings/sender-quirks';
import type { SenderView } from '../protocol/findings/sender-quirks';
import { hostNameProblem, toALabels } from '../protocol/domain-name';
import type { Mode } from '../protocol/policy/policy';
import { policyHostName } from '../protocol/policy/url';
import { stsRecordName } from '../protocol/records/record-names';
import { safeText } from '../util/safe-text';
import { KNOWN_SENDERS } from '../protocol/tolerance';
import { askForTlsa, checkDane, hasTlsa } from './checks/mail/dane';
import type { TlsaAnswers } from './checks/mail/dane';
import { checkExpectation, expectedMode } from './checks/policy/expectation';
import type { Expectation } from './checks/policy/expectation';
import { checkCoverage, findMailHosts } from './checks/mail/mx-coverage';
import type { MailHosts, MxCoverage } from './checks/mail/mx-coverage';
import { checkNamedPolicy } from './checks/policy/named-policy';
import { aliasesOf, checkReach, findMailAddresses } from './checks/mail/mx-reach';
import type { MailAddresses, Reach } from './checks/mail/mx-reach';
import { classifySmtp } from './checks/mail/smtp';
import type { SmtpCheck } from './checks/mail/smtp';
import { observeMailHosts } from './checks/mail/smtp-collect';
import type { SmtpObservations } from './checks/mail/smtp-collect';
import { checkSubdomains } from './checks/records/subdomains';
import { reportingAtRecord } from './checks/records/misplaced';
import { checkTlsRpt, hasNoTlsRpt, lookUpTlsRpt } from './checks/records/tls-rpt';
import { domainDelivery, hostDelivery } from './delivery';
import { liveFinding } from './findings';
import { internalError } from './guard';
import { lookUpPolicy } from './policy-lookup';
import type { PolicyLookup } from './policy-lookup';
import { bestEvidence, safeFinding, safeObservation, sortFindings } from './result';
import type { Lookup, MxResult, VerificationResult, LiveFinding, Verdict } from './result';
import type { DnsAnswer } from './dns/answer';
import { withDeadline, publicOnly } from './network';
import type { Network } from './network';

export type { Clock, Network as World } from './network';

export interface VerifyOptions extends Expectation {
  /**
   * For the whole, in milliseconds. What is not decided by then is reported as `unknown`.
   *
   * @default 20000
   */
  readonly timeoutMs?: number;
  /**
   * The zone's own name servers, as `address`, `address:port` or `[v6]:port`, where the caller knows them.
   *
   * @default - found by the NS records
   */
  readonly nameServers?: readonly string[];
  /**
   * The port of the name servers that are found by NS records.
   *
   * @default 53
   */
  readonly nameServerPort?: number;
  /**
   * Whether to connect to the mail hosts and look at STARTTLS and their certificates.
   *
   * @default false
   */
  readonly smtp?: boolean;
  /**
   * Whether to connect to addresses that are not public, where the domain's DNS leads there.
   *
   * @default false
   */
  readonly allowPrivate?: boolean;
  /**
   * Ends the verification early: what is known by then is reported, all else is `unknown`.
   *
   * @default - only time ends it
   */
  readonly signal?: AbortSignal;
}

/**
 * Verifies one domain. Whatever the network does comes back as findings, never as a rejection.
 *
 * @param domain - the policy domain; U-labels are converted, one dot at the end is dropped
 * @param world - what to ask the world with; default: the real one
 * @throws RangeError when `domain` is no domain name
 */
export async function verify(domain: string, options: VerifyOptions = {}, world: Partial<Network> = {}): Promise<VerificationResult> {
  const name = policyDomain(domain);
  const ended = new AbortController();
  const { timeoutMs = 20_000, signal, allowPrivate = false, nameServers } = options;
  const bounded = withDeadline(world, { timeoutMs, ended: ended.signal, signal });
  const begin = bounded.clock.now();
  try {
    return await new Verification(name, { ...options, timeoutMs }, allowPrivate ? bounded : publicOnly(bounded, nameServers)).run();
  } catch (error) {
    return failedReport(name, internalError(error), { begin, end: bounded.clock.now() });
  } finally {
    // With a reason at hand: without one Node makes an error, and its stack, each time.
    ended.abort('verified');
  }
}

/** A fault of this program while it looks at one domain must not end the run over many. */
function failedReport(domain: string, reason: string, { begin, end }: { readonly begin: number; readonly end: number }): VerificationResult {
  const time = new Date(end).toISOString();
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
    findings: [{ ...liveFinding('internal-fault', { subject: domain, message: `${domain} was not looked at to the end: ${reason}`, evidence: reason }), time }],
  };
}

/** What is left of 253 characters beside the longest name that is asked for, `_smtp._tls.`. */
const MAX_DOMAIN = 242;

function policyDomain(domain: string): string {
  const name = toALabels(domain.endsWith('.') ? domain.slice(0, -1) : domain);
  const fault = hostNameProblem(name === '' ? domain : name)
    ?? (name.includes('.') ? undefined : 'is a single label; a domain like `example.com` is expected')
    ?? (name.length > MAX_DOMAIN ? `is longer than ${MAX_DOMAIN} characters, so no name below it could hold a record` : undefined);
  if (fault !== undefined) throw new RangeError(`the domain \`${safeText(domain)}\` ${fault}`);
  return name;
}

/** The mail hosts, and what was seen of them. */
interface Mail {
  readonly hosts: MailHosts;
  readonly addresses: MailAddresses;
  readonly tlsa: TlsaAnswers;
  /** Undefined where SMTP was not tried. */
  readonly smtp?: SmtpObservations;
}

/** One run. Each step waits only for what it needs. */
class Verification {
  public constructor(
    private readonly domain: string,
    private readonly options: VerifyOptions & { readonly timeoutMs: number },
    private readonly network: Network,
  ) {}

  public async run(): Promise<VerificationResult> {
    const { domain, options, network } = this;
    const begin = network.clock.now();
    const looked = lookUpPolicy(network, { ...options, domain });
    const ownMx = network.resolver.query(domain, 'MX');
    const [sts, mail, tlsRpt, below] = await Promise.all([
      this.timed(looked),
      this.timed(this.lookUpMail(ownMx)),
      this.timed(lookUpTlsRpt(network.resolver, domain, () => looked.then(({ hostExists }) => hostExists), ownMx)),
      this.timed(checkSubdomains(network.resolver, domain)),
    ]);
    const { record, file, delegation } = sts.value;
    const lookup = lookupOf(sts.value);
    const policy = lookup === 'found' ? file?.policy : undefined;
    const { allowPrivate = false, smtp: isSmtp = false } = options;
    const reach = checkReach(domain, mail.value.hosts, mail.value.addresses, { allowPrivate, smtp: isSmtp, policy });
    const lost = hostsWith(reach.byHost, 'unreachable');
    const coverage = checkCoverage(domain, mail.value.hosts, policy, targetsOf(mail.value.addresses), lost);
    const smtp = mail.value.smtp && classifySmtp(mail.value.smtp, policy?.mode, network.clock.now());
    const live = {
      record: record.record, recordEvidence: bestEvidence(record.paths),
      policy: file?.policy, body: file?.body, fileEvidence: bestEvidence(file?.paths ?? []),
    };
    const unexpected = checkExpectation(domain, options, live);
    // What is said of an old policy passes with it; what the mail hosts show does so only if the new one does not enforce.
    const ofLive = unexpected.length === 0 ? asTheyAre : passing;
    const ofHosts = expectedMode(options) === 'enforce' ? asTheyAre : ofLive;
    const findings = sortFindings([
      ...stamped(sts, this.awaited(sts.value)),
      ...stamped(sts, ofLive(file?.contents ?? [])),
      ...stamped(sts, unexpected),
      ...stamped(sts, checkNamedPolicy(domain, live, unexpected)),
      ...stamped(mail, mail.value.hosts.findings),
      ...stamped(mail, ofLive(coverage.findings)),
      ...stamped(mail, reach.findings),
      ...stamped(mail, ofHosts(smtp?.findings ?? [])),
      ...stamped(mail, checkDane(mail.value.tlsa, new Set(hostsWith(reach.byHost, 'unknown', 'unreachable')))),
      ...stamped(tlsRpt, checkTlsRpt(domain, tlsRpt.value, policy?.mode)),
      ...stamped(tlsRpt, hasNoTlsRpt(tlsRpt.value) ? reportingAtRecord(domain, record.texts, bestEvidence(record.paths)) : []),
      ...stamped(below, policy === undefined || policy.mode === 'none' ? [] : below.value),
    ]);
    const decided = isDecided(sts.value);
    const takenBy = lookup === 'found' ? [] : takersOf(sts.value);
    // Some deliver whatever they see, others only what they have verified.
    const circumstances = { smtp, reach: reach.byHost, mode: takenBy.length > 0 ? 'enforce' : policy?.mode, decided, ofMalformed: takenBy.length > 0 } as const;
    const mx = mxReports(coverage.mx, mail.value, circumstances);
    return {
      domain,
      time: new Date(begin).toISOString(),
      milliseconds: network.clock.now() - begin,
      verdict: verdictOf(findings, decided && reach.decided && (file?.policy?.mode !== 'enforce' || mail.value.hosts.decided)),
      lookup,
      delivery: domainDelivery(mx.map(({ delivery }) => delivery), reach.none || (decided && mail.value.hosts.decided)),
      record: record.record ?? null,
      recordObservations: record.paths.map(safeObservation),
      policy: policy ?? null,
      policyObservations: (file?.paths ?? []).map(safeObservation),
      delegation,
      mx,
      senders: policy === undefined ? withoutPolicy(findings, takenBy) : senderViews(findings),
      ...takenBy.length === 0 ? {} : { takenBy },
      findings,
    };
  }

  private async lookUpMail(ownMx: Promise<DnsAnswer<'MX'>>): Promise<Mail> {
    const { domain, options, network } = this;
    const hosts = await findMailHosts(network.resolver, domain, ownMx);
    const addresses = findMailAddresses(network, hosts.hosts);
    const [tlsa, smtp] = await Promise.all([
      askForTlsa(network.resolver, hosts.hosts),
      options.smtp === true ? addresses.then((found) => observeMailHosts(network.mxProbe, found)) : undefined,
    ]);
    return { hosts, addresses: await addresses, tlsa, smtp };
  }

  /** Whoever expects something has just published it, and it may still have to appear in DNS. */
  private awaited({ findings, nothing }: PolicyLookup): readonly LiveFinding[] {
    const { domain, options: { expectId, expectMode, expectPolicy } } = this;
    if (expectId === undefined && expectMode === undefined && expectPolicy === undefined) {
      return nothing ? findings.map((one) => unpublished(domain, one)) : findings;
    }
    const addresses = `${policyHostName(domain)} A, AAAA`;
    const appears = ({ code, subject }: LiveFinding): boolean => code === 'record-missing' || (code === 'sts-policy-fetch-error' && subject === addresses);
    return findings.map((one) => appears(one) ? { ...one, temporary: true } : one);
  }

  private async timed<T>(step: Promise<T>): Promise<Timed<T>> {
    const value = await step;
    return { value, time: new Date(this.network.clock.now()).toISOString() };
  }
}

/** Where there is nothing at all, the record alone would be a poor place to begin. */
function unpublished(domain: string, finding: LiveFinding): LiveFinding {
  if (finding.code !== 'record-missing') return finding;
  return {
    ...finding,
    message: `MTA-STS is not published for ${domain}: there is neither a TXT record at ${stsRecordName(domain)} nor a policy host ${policyHostName(domain)}`,
    fix: `begin with \`npx cdk-mta-sts suggest ${domain}\`, which prints a policy for the mail hosts of today and the steps to publish it`,
  };
}

/** The outcome of a step, and when it was there. */
interface Timed<T> {
  readonly value: T;
  readonly time: string;
}

function stamped({ time }: Timed<unknown>, findings: readonly LiveFinding[]): LiveFinding[] {
  return findings.map((one) => ({ ...safeFinding(one), time }));
}

function asTheyAre(findings: readonly LiveFinding[]): readonly LiveFinding[] {
  return findings;
}

function passing(findings: readonly LiveFinding[]): LiveFinding[] {
  return findings.map((one) => ({ ...one, temporary: true }));
}

/** Where the hosts that are aliases lead to, by host. */
function targetsOf({ hosts }: MailAddresses): ReadonlyMap<string, string> {
  return new Map(hosts.flatMap((one): [string, string][] => aliasesOf(one).slice(-1).map((target) => [one.host, target])));
}

function hostsWith(byHost: ReadonlyMap<string, Reach>, ...reaches: readonly Reach[]): readonly string[] {
  return [...byHost].filter(([, reach]) => reaches.includes(reach)).map(([host]) => host);
}

/** What the delivery to a host depends on besides the host. */
interface Circumstances {
  readonly smtp?: SmtpCheck;
  readonly reach: ReadonlyMap<string, Reach>;
  readonly mode?: Mode;
  /** Whether it is known which policy there is, if any. */
  readonly decided: boolean;
  /** Whether the policy is malformed, and some senders use it all the same. */
  readonly ofMalformed: boolean;
}

/** Of what is no policy to anyone all senders say the same; the reporting record is another matter. */
function withoutPolicy(findings: readonly LiveFinding[], takenBy: readonly string[]): readonly SenderView[] {
  return takenBy.length > 0 ? acceptingViews(findings, takenBy) : senderViews(findings.filter(({ subject }) => subject.startsWith('_smtp._tls.')));
}

/** The senders that use a malformed record or policy in mode `enforce`; those that use another mode deliver as the others do. */
function takersOf({ record, file }: PolicyLookup): readonly string[] {
  if (file === undefined) return [];
  const { mode, senders } = file.policy === undefined
    ? file.tolerated ?? { mode: undefined, senders: [] }
    : { mode: file.policy.mode, senders: KNOWN_SENDERS };
  return mode === 'enforce' ? senders.filter((sender) => record.takers?.includes(sender)) : [];
}

function mxReports(covered: readonly MxCoverage[], { hosts, tlsa }: Mail, circumstances: Circumstances): MxResult[] {
  const { smtp, reach, mode, decided, ofMalformed } = circumstances;
  return covered.map(({ host, covered: isCovered }) => {
    const seen = smtp?.byHost.get(host);
    // Nobody delivers to a host without an address, whatever the policy says or does not say.
    const gone = reach.get(host) === 'unreachable';
    const tls = ofMalformed && seen?.tls !== 'no-address' ? 'unknown' : seen?.tls ?? 'unknown';
    return {
      host,
      preference: hosts.preferences.get(host) ?? null,
      covered: isCovered,
      delivery: gone ? 'refuse' : decided ? hostDelivery(mode, { covered: isCovered, tls }) : 'unknown',
      dane: hasTlsa(tlsa.get(host)),
      observations: (seen?.paths ?? []).map(safeObservation),
    };
  });
}

function lookupOf({ record, file }: PolicyLookup): Lookup {
  if (record.verdict === 'undecided') return 'temporary-error';
  return record.verdict === 'valid' && file !== undefined ? file.lookup : 'none';
}

/** DNS or a route that fails us says nothing about the domain. */
function isDecided({ record, file }: PolicyLookup): boolean {
  return record.verdict !== 'undecided' && record.validated && file?.decided !== false;
}

/** What is undecided makes the verdict `unknown`, unless something else is wrong for certain. */
function verdictOf(findings: readonly LiveFinding[], decided: boolean): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'fail';
  return decided ? 'pass' : 'unknown';
}
