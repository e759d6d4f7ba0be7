// Looks at one domain as a sender would (RFC 8461 §3 to §5), and reports what a sender would learn and do.
import { senderViews } from '../protocol/dissent';
import { hostNameFault, toALabels } from '../protocol/domain-name';
import type { Mode } from '../protocol/policy';
import { policyHostName } from '../protocol/policy-url';
import { reportingName } from '../protocol/record-names';
import { printable } from '../protocol/text';
import { askForTlsa, checkDane } from './checks/dane';
import type { TlsaAnswers } from './checks/dane';
import { checkExpectation, expectedMode } from './checks/expectation';
import type { Expectation } from './checks/expectation';
import { checkCoverage, findMailHosts } from './checks/mx';
import type { MailHosts, MxCoverage } from './checks/mx';
import { checkNamedPolicy } from './checks/named-policy';
import { judgeSmtp } from './checks/smtp';
import type { SmtpCheck } from './checks/smtp';
import { lookAtMailHosts } from './checks/smtp-look';
import type { SmtpLook } from './checks/smtp-look';
import { checkSubdomains } from './checks/subdomains';
import { checkTlsRpt } from './checks/tls-rpt';
import { domainDelivery, hostDelivery } from './delivery';
import { lookUpPolicy } from './policy-lookup';
import type { PolicyLookup } from './policy-lookup';
import { evidenceOf, sortFindings } from './report';
import type { Lookup, MxReport, Report, ReportFinding, Verdict } from './report';
import { boundedWorld, publicWorld } from './world';
import type { World } from './world';

export type { Clock, World } from './world';

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
export async function verify(domain: string, options: VerifyOptions = {}, world: Partial<World> = {}): Promise<Report> {
  const name = policyDomain(domain);
  const ended = new AbortController();
  const { timeoutMs = 20_000, signal, allowPrivate = false, nameServers } = options;
  const bounded = boundedWorld(world, { timeoutMs, ended: ended.signal, signal });
  try {
    return await new Verification(name, { ...options, timeoutMs }, allowPrivate ? bounded : publicWorld(bounded, nameServers)).run();
  } finally {
    // With a reason at hand: without one Node makes an error, and its stack, each time.
    ended.abort('verified');
  }
}

/** What is left of 253 characters beside the longest name that is asked for, `_smtp._tls.`. */
const MAX_DOMAIN = 242;

function policyDomain(domain: string): string {
  const name = toALabels(domain.endsWith('.') ? domain.slice(0, -1) : domain);
  const fault = hostNameFault(name === '' ? domain : name)
    ?? (name.includes('.') ? undefined : 'is a single label; a domain like `example.com` is expected')
    ?? (name.length > MAX_DOMAIN ? `is longer than ${MAX_DOMAIN} characters, so no name below it could hold a record` : undefined);
  if (fault !== undefined) throw new RangeError(`the domain \`${printable(domain)}\` ${fault}`);
  return name;
}

/** The mail hosts, and what was seen of them. */
interface Mail {
  readonly hosts: MailHosts;
  readonly tlsa: TlsaAnswers;
  /** Undefined where SMTP was not tried. */
  readonly smtp?: SmtpLook;
}

/** One run. Each step waits only for what it needs. */
class Verification {
  public constructor(
    private readonly domain: string,
    private readonly options: VerifyOptions & { readonly timeoutMs: number },
    private readonly world: World,
  ) {}

  public async run(): Promise<Report> {
    const { domain, options, world } = this;
    const begin = world.clock.now();
    const [sts, mail, tlsRpt, below] = await Promise.all([
      this.timed(lookUpPolicy(world, { ...options, domain })),
      this.timed(this.lookUpMail()),
      this.timed(world.resolver.query(reportingName(domain), 'TXT')),
      this.timed(checkSubdomains(world.resolver, domain)),
    ]);
    const { record, file, delegation } = sts.value;
    const lookup = lookupOf(sts.value);
    const policy = lookup === 'found' ? file?.policy : undefined;
    const coverage = checkCoverage(domain, mail.value.hosts, policy);
    const smtp = mail.value.smtp && judgeSmtp(mail.value.smtp, policy?.mode, world.clock.now());
    const live = {
      record: record.record, recordEvidence: evidenceOf(record.paths),
      policy: file?.policy, body: file?.body, fileEvidence: evidenceOf(file?.paths ?? []),
    };
    const unexpected = checkExpectation(domain, options, live);
    // What is said of an old policy passes with it; what the mail hosts show does so only if the new one does not enforce.
    const ofLive = unexpected.length === 0 ? asTheyAre : passing;
    const ofHosts = expectedMode(options) === 'enforce' ? asTheyAre : ofLive;
    const findings = sortFindings([
      ...stamped(sts, this.awaited(sts.value.findings)),
      ...stamped(sts, ofLive(file?.contents ?? [])),
      ...stamped(sts, unexpected),
      ...stamped(sts, checkNamedPolicy(domain, live, unexpected)),
      ...stamped(mail, mail.value.hosts.findings),
      ...stamped(mail, ofLive(coverage.findings)),
      ...stamped(mail, ofHosts(smtp?.findings ?? [])),
      ...stamped(mail, checkDane(mail.value.tlsa)),
      ...stamped(tlsRpt, checkTlsRpt(domain, tlsRpt.value, policy?.mode)),
      ...stamped(below, policy === undefined || policy.mode === 'none' ? [] : below.value),
    ]);
    const decided = isDecided(sts.value);
    const mx = mxReports(coverage.mx, mail.value, { smtp, mode: policy?.mode, decided });
    return {
      domain,
      time: new Date(begin).toISOString(),
      milliseconds: world.clock.now() - begin,
      verdict: verdictOf(findings, decided && (file?.policy?.mode !== 'enforce' || mail.value.hosts.decided)),
      lookup,
      delivery: domainDelivery(mx.map(({ delivery }) => delivery), decided && mail.value.hosts.decided),
      record: record.record ?? null,
      recordPaths: record.paths,
      policy: policy ?? null,
      policyPaths: file?.paths ?? [],
      delegation,
      mx,
      // Of what is no valid policy every sender says the same, or should.
      senders: policy === undefined ? [] : senderViews(findings),
      findings,
    };
  }

  private async lookUpMail(): Promise<Mail> {
    const { domain, options, world } = this;
    const hosts = await findMailHosts(world.resolver, domain);
    const [tlsa, smtp] = await Promise.all([
      askForTlsa(world.resolver, hosts.hosts),
      options.smtp === true ? lookAtMailHosts(world, hosts.hosts) : undefined,
    ]);
    return { hosts, tlsa, smtp };
  }

  /** Whoever expects something has just published it, and it may still have to appear in DNS. */
  private awaited(findings: readonly ReportFinding[]): readonly ReportFinding[] {
    const { domain, options: { expectId, expectMode, expectPolicy } } = this;
    if (expectId === undefined && expectMode === undefined && expectPolicy === undefined) return findings;
    const addresses = `${policyHostName(domain)} A, AAAA`;
    const appears = ({ code, subject }: ReportFinding): boolean => code === 'record-missing' || (code === 'sts-policy-fetch-error' && subject === addresses);
    return findings.map((one) => appears(one) ? { ...one, temporary: true } : one);
  }

  private async timed<T>(step: Promise<T>): Promise<Timed<T>> {
    const value = await step;
    return { value, time: new Date(this.world.clock.now()).toISOString() };
  }
}

/** The outcome of a step, and when it was there. */
interface Timed<T> {
  readonly value: T;
  readonly time: string;
}

function stamped({ time }: Timed<unknown>, findings: readonly ReportFinding[]): ReportFinding[] {
  return findings.map((one) => ({ ...one, time }));
}

function asTheyAre(findings: readonly ReportFinding[]): readonly ReportFinding[] {
  return findings;
}

function passing(findings: readonly ReportFinding[]): ReportFinding[] {
  return findings.map((one) => ({ ...one, temporary: true }));
}

/** What the delivery to a host depends on besides the host. */
interface Circumstances {
  readonly smtp?: SmtpCheck;
  readonly mode?: Mode;
  /** Whether it is known which policy there is, if any. */
  readonly decided: boolean;
}

function mxReports(covered: readonly MxCoverage[], { hosts, tlsa }: Mail, { smtp, mode, decided }: Circumstances): MxReport[] {
  return covered.map(({ host, covered: isCovered }) => {
    const seen = smtp?.byHost.get(host);
    return {
      host,
      preference: hosts.preferences.get(host) ?? null,
      covered: isCovered,
      delivery: decided ? hostDelivery(mode, { covered: isCovered, tls: seen?.tls ?? 'unknown' }) : 'unknown',
      dane: tlsa.get(host)?.status === 'found',
      paths: seen?.paths ?? [],
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
function verdictOf(findings: readonly ReportFinding[], decided: boolean): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'fail';
  return decided ? 'pass' : 'unknown';
}
