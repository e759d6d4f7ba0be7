// Looks at one domain as a sender would (RFC 8461 §3 and §4), and reports what a sender would learn.
import { hostNameFault, toALabels } from '../protocol/domain-name';
import { policyHostName, policyUrl } from '../protocol/policy-url';
import { printable } from '../protocol/text';
import { checkExpectation } from './checks/expectation';
import type { Expectation } from './checks/expectation';
import { checkCoverage, findMailHosts } from './checks/mx';
import type { MailHosts } from './checks/mx';
import { checkPolicyFile } from './checks/policy-file';
import type { PolicyFileCheck } from './checks/policy-file';
import { askForPolicyHost, checkResolverView, findPolicyHost } from './checks/policy-host';
import type { PolicyHostAnswers } from './checks/policy-host';
import { checkRecord } from './checks/record';
import type { RecordCheck } from './checks/record';
import { checkTlsRpt } from './checks/tls-rpt';
import { liveFinding } from './findings';
import { askEach, authoritativeServers } from './name-servers';
import type { NameServer } from './name-servers';
import { sortFindings } from './report';
import type { Lookup, Report, ReportFinding, Verdict } from './report';
import { boundedWorld, briefDns } from './world';
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
  try {
    return await new Verification(name, options, boundedWorld(world, timeLimit(options), ended.signal)).run();
  } finally {
    // With a reason at hand: without one Node makes an error, and its stack, each time.
    ended.abort('verified');
  }
}

function timeLimit({ timeoutMs = 20_000 }: VerifyOptions): number {
  return timeoutMs;
}

/** What finding the name servers, and then asking them, may take each, in milliseconds; and its part of the whole. */
const NAME_SERVERS = { milliseconds: 2500, part: 1 / 4 } as const;

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

/** What is found out in the end, before it is judged as a whole. */
interface Outcome {
  readonly record: RecordCheck;
  readonly file?: PolicyFileCheck;
  readonly mail: MailHosts;
}

/** One run. Each step waits only for what it needs: the whole is four round trips deep. */
class Verification {
  private readonly policyHost: string;
  /** Many networks let no question through but to their own resolver (port 53); its answer must still be had in time. */
  private readonly nameServerTime: number;

  public constructor(private readonly domain: string, private readonly options: VerifyOptions, private readonly world: World) {
    this.policyHost = policyHostName(domain);
    this.nameServerTime = Math.min(NAME_SERVERS.milliseconds, timeLimit(options) * NAME_SERVERS.part);
  }

  public async run(): Promise<Report> {
    const { domain, options } = this;
    const begin = this.world.clock.now();
    const [sts, mail, tlsRpt] = await Promise.all([
      this.policyLookup(),
      findMailHosts(this.world.resolver, domain),
      this.world.resolver.query(`_smtp._tls.${domain}`, 'TXT'),
    ]);
    const { record, file } = sts;
    const lookup = lookupOf(record, file);
    const policy = lookup === 'found' ? file?.policy : undefined;
    const coverage = checkCoverage(domain, mail, policy);
    const findings = sortFindings([
      ...sts.findings,
      ...checkExpectation(domain, options, { record: record.record, policy: file?.policy, body: file?.body }),
      ...mail.findings,
      ...coverage.findings,
      ...checkTlsRpt(domain, tlsRpt, policy?.mode),
    ]);
    return {
      domain,
      verdict: verdictOf(findings, { record, file, mail }),
      lookup,
      time: new Date(begin).toISOString(),
      milliseconds: this.world.clock.now() - begin,
      delivery: 'unknown',
      record: record.record ?? null,
      recordPaths: [],
      policy: policy ?? null,
      policyPaths: [],
      delegation: { record: [], policyHost: [] },
      mx: coverage.mx.map((one) => ({ ...one, preference: null, delivery: 'unknown', dane: false, paths: [] })),
      senders: [],
      findings,
    };
  }

  /** The record, and then the file that it announces; both from the zone's own name servers where they can be had. */
  private async policyLookup(): Promise<{ record: RecordCheck; file?: PolicyFileCheck; findings: ReportFinding[] }> {
    const { domain, policyHost, world: { resolver } } = this;
    const { servers, findings } = await this.nameServers();
    const brief = briefDns(this.world, this.nameServerTime);
    const [answers, ofHost] = await Promise.all([
      askEach(brief, servers, `_mta-sts.${domain}`, 'TXT'),
      askForPolicyHost(brief, servers, policyHost),
    ]);
    // Only now: a "no such name" that a resolver remembers would outlive the record's appearance (RFC 2308 §5).
    const [record, { file, findings: ofFile }] = await Promise.all([
      resolver.query(`_mta-sts.${domain}`, 'TXT').then((recursive) => checkRecord(resolver, { domain, servers: answers, recursive })),
      this.fileLookup(ofHost),
    ]);
    if (record.verdict === 'none') return { record, findings: [...findings, ...record.findings, ...this.unannounced(file)] };
    findings.push(...record.findings, ...ofFile);
    return { record, file, findings };
  }

  private async fileLookup(answers: PolicyHostAnswers): Promise<{ file: PolicyFileCheck; findings: ReportFinding[] }> {
    const { policyHost, world } = this;
    const host = await findPolicyHost(world, answers, this.nameServerTime);
    const [file, view] = await Promise.all([
      host.addresses.length === 0 ? noFile(host.decided) : checkPolicyFile(world, policyHost, host.addresses),
      answers.v4.length === 0 || host.addresses.length === 0 ? [] : checkResolverView(world.resolver, policyHost),
    ]);
    return { file, findings: [...host.findings, ...view, ...file.findings, ...modeNote(policyHost, file)] };
  }

  private async nameServers(): Promise<{ servers: readonly NameServer[]; findings: ReportFinding[] }> {
    const { domain, options } = this;
    if (options.nameServers !== undefined) {
      return { servers: options.nameServers.map((address) => ({ name: address, addresses: [address] })), findings: [] };
    }
    const found = await authoritativeServers(briefDns(this.world, this.nameServerTime), domain, options.nameServerPort);
    if (found.status === 'found') return { servers: found.servers, findings: [] };
    const message = `the name servers of ${domain} could not be found (${found.reason}), so the recursive resolver alone decides`;
    return { servers: [], findings: [liveFinding('name-servers-unknown', { subject: `${domain} NS`, message })] };
  }

  /** Nobody looks for a file that is not announced, so its faults are of no matter. */
  private unannounced(file: PolicyFileCheck): ReportFinding[] {
    const subject = policyUrl(this.policyHost);
    return file.policy === undefined
      ? []
      : [liveFinding('policy-unannounced', { subject, message: `a policy in mode ${file.policy.mode} is served, but no TXT record announces it` })];
  }
}

/** The policy host has no address, or DNS did not say. */
function noFile(decided: boolean): PolicyFileCheck {
  return { lookup: decided ? 'permanent-error' : 'temporary-error', decided, findings: [] };
}

function modeNote(policyHost: string, { policy }: PolicyFileCheck): ReportFinding[] {
  const subject = policyUrl(policyHost);
  switch (policy?.mode) {
    case 'testing':
      return [liveFinding('mode-testing', { subject, message: 'the policy is in mode `testing`: senders deliver to hosts that fail all the same, and report it' })];
    case 'none':
      return [liveFinding('mode-none', { subject, message: 'the policy is in mode `none`: senders act as if there were no policy' })];
    case 'enforce':
    case undefined:
      return [];
  }
}

function lookupOf(record: RecordCheck, file: PolicyFileCheck | undefined): Lookup {
  if (record.verdict === 'undecided') return 'temporary-error';
  return record.verdict === 'valid' && file !== undefined ? file.lookup : 'none';
}

/** DNS or a route that fails us says nothing about the domain: `unknown`, unless something else is wrong for certain. */
function verdictOf(findings: readonly ReportFinding[], { record, file, mail }: Outcome): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'fail';
  const undecided = record.verdict === 'undecided' || file?.decided === false || (file?.policy?.mode === 'enforce' && !mail.decided);
  return undecided ? 'unknown' : 'pass';
}
