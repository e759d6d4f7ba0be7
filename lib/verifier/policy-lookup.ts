// The way to the policy (RFC 8461 §3): the record, and then the file that it announces, as the zone's own name servers give them.
import { policyHostName, policyUrl } from '../protocol/policy/url';
import { stsRecordName } from '../protocol/records/record-names';
import { safeText } from '../util/safe-text';
import { checkMode } from './checks/policy/mode';
import { checkPolicyFile } from './checks/policy/file';
import type { PolicyFileCheck } from './checks/policy/file';
import { askForPolicyHost, checkResolverView, findPolicyHost } from './checks/policy/host';
import type { PolicyHostAnswers } from './checks/policy/host';
import { findMisplacedHost, findMisplacedRecord } from './checks/records/misplaced';
import { checkRecord } from './checks/records/record';
import type { RecordCheck } from './checks/records/record';
import { liveFinding } from './findings';
import { askEach, authoritativeServers } from './dns/name-servers';
import type { NameServer } from './dns/name-servers';
import { bestEvidence } from './result';
import type { Delegation, LiveFinding } from './result';
import { briefDns } from './network';
import type { Network } from './network';

/** Where to look. */
export interface PolicyLookupOptions {
  readonly domain: string;
  /** Of the whole verification, in milliseconds. */
  readonly timeoutMs: number;
  /** The zone's own name servers, where the caller knows them. */
  readonly nameServers?: readonly string[];
  /** The port of the name servers that are found by NS records. */
  readonly nameServerPort?: number;
}

/** What was found. */
export interface PolicyLookup {
  readonly record: RecordCheck;
  /** Absent where there is no record: nobody asks for the file then. */
  readonly file?: PolicyFileCheck;
  readonly delegation: Delegation;
  /** Whether DNS holds nothing of MTA-STS, neither record nor policy host, and says so. */
  readonly nothing: boolean;
  /** Whether the policy host is known to exist. */
  readonly hostExists: boolean;
  readonly findings: readonly LiveFinding[];
}

/** What finding the name servers, and then asking them, may take each, in milliseconds; and its part of the whole. */
const NAME_SERVERS = { milliseconds: 2500, part: 1 / 4 } as const;

/** Four round trips deep: name servers, their addresses, record and policy host, file. */
export async function lookUpPolicy(network: Network, options: PolicyLookupOptions): Promise<PolicyLookup> {
  const { domain } = options;
  const policyHost = policyHostName(domain);
  // Many networks let no question through but to their own resolver (port 53); its answer must still be had in time.
  const patienceMs = Math.min(NAME_SERVERS.milliseconds, options.timeoutMs * NAME_SERVERS.part);
  const { servers, findings } = await findNameServers(briefDns(network, patienceMs), options);
  const brief = briefDns(network, patienceMs);
  const [answers, ofHost] = await Promise.all([
    askEach(brief, servers, stsRecordName(domain), 'TXT'),
    askForPolicyHost(brief, servers, policyHost),
  ]);
  // Only now: a "no such name" that a resolver remembers would outlive the record's appearance (RFC 2308 §5).
  const begin = network.clock.now();
  const isMissing = answers.some(({ answer }) => answer.status === 'empty') && !answers.some(({ answer }) => answer.status === 'found');
  const hostExists = exists(ofHost);
  const misplaced = isMissing ? findMisplacedRecord(network.resolver, domain, hostExists) : undefined;
  const [record, { file, cnames, exists: hasHost, findings: ofFile }, misplacedHost] = await Promise.all([
    network.resolver.query(stsRecordName(domain), 'TXT')
      .then((recursive) => {
        const recursiveMs = network.clock.now() - begin;
        return checkRecord(network.resolver, { domain, servers: answers, recursive, recursiveMs, hostExists, misplaced });
      }),
    lookUpFile(network, ofHost, patienceMs),
    isHostMissing(ofHost) ? findMisplacedHost(network.resolver, domain) : [],
  ]);
  const delegation = { record: record.cnames, policyHost: cnames };
  const evidence = bestEvidence([...record.paths, ...file.paths]);
  const common = [...findings, ...record.findings, ...delegated(domain, delegation, evidence), ...misplacedHost];
  // What is no record to the RFC announces the policy all the same to those who take it for one.
  if (record.verdict === 'none' && (record.takers ?? []).length === 0) {
    // A target that is gone is anyone's to take, announced or not.
    const leftover = ofFile.filter(({ code }) => code === 'cname-dangling');
    const found = [...common, ...leftover, ...unannounced(policyHost, file)];
    const nothing = !hasHost && record.texts.length === 0 && record.cnames.length === 0 && !found.some(isTrace);
    return { record, delegation, nothing, hostExists, findings: found };
  }
  const seen = record.verdict === 'undecided' ? ofFile.map(withoutWeight) : ofFile;
  const age = { lastModified: file.lastModified, record: record.record, evidence: bestEvidence(file.paths), now: network.clock.now() };
  const all = [...common, ...seen, ...checkMode(policyHost, file.policy, age)];
  return { record, file, delegation, nothing: false, hostExists, findings: all };
}

async function findNameServers(
  brief: Parameters<typeof authoritativeServers>[0], { domain, nameServers, nameServerPort }: PolicyLookupOptions,
): Promise<{ servers: readonly NameServer[]; findings: LiveFinding[] }> {
  if (nameServers !== undefined) return { servers: nameServers.map((address) => ({ name: address, addresses: [address] })), findings: [] };
  const found = await authoritativeServers(brief, domain, nameServerPort);
  if (found.status === 'found') return { servers: found.servers, findings: [] };
  const message = `the name servers of ${domain} could not be found (${found.reason}), so the recursive resolver alone decides`;
  return { servers: [], findings: [liveFinding('name-servers-unknown', { subject: `${domain} NS`, evidence: found.reason, message })] };
}

async function lookUpFile(
  network: Network, answers: PolicyHostAnswers, patienceMs: number,
): Promise<{ file: PolicyFileCheck; cnames: readonly string[]; exists: boolean; findings: readonly LiveFinding[] }> {
  const { policyHost } = answers;
  const host = await findPolicyHost(network, answers, patienceMs);
  const [file, view] = await Promise.all([
    host.addresses.length === 0 ? noFile(host.decided) : checkPolicyFile(network, policyHost, host.addresses),
    answers.v4.length === 0 || host.addresses.length === 0 ? [] : checkResolverView(network.resolver, policyHost, host.addresses),
  ]);
  const isThere = host.addresses.length > 0 || host.cnames.length > 0 || !host.decided;
  return { file, cnames: host.cnames, exists: isThere, findings: [...host.findings, ...view, ...file.findings] };
}

/** Whether a name server says that the policy host exists. Where none is known the resolver is asked for it anyway. */
function exists({ v4, v6 }: PolicyHostAnswers): boolean {
  const answers = [...v4, ...v6].map(({ answer }) => answer);
  return answers.length === 0 || answers.some((answer) => answer.status === 'found' || (answer.status === 'empty' && answer.reason === 'NODATA'));
}

/** Whether the name servers say that the policy host has no address, nor is an alias. */
function isHostMissing({ v4, v6 }: PolicyHostAnswers): boolean {
  const answers = [...v4, ...v6].map(({ answer }) => answer);
  return answers.some(({ status }) => status === 'empty') && answers.every(({ status, cnames }) => status !== 'found' && cnames.length === 0);
}

/** What shows that somebody has begun with MTA-STS. */
function isTrace({ code }: LiveFinding): boolean {
  return code === 'record-misplaced' || code === 'policy-host-misplaced' || code === 'record-disagreement';
}

/** The policy host has no address, or DNS did not say. */
function noFile(decided: boolean): PolicyFileCheck {
  return { lookup: decided ? 'permanent-error' : 'temporary-error', decided, paths: [], findings: [], contents: [] };
}

/** Whether anybody looks for the file is not known, so its faults may be none. */
function withoutWeight(finding: LiveFinding): LiveFinding {
  return finding.severity === 'error' ? { ...finding, severity: 'unknown', temporary: true } : finding;
}

/** Nobody looks for a file that is not announced, so its faults are of no matter. */
function unannounced(policyHost: string, { policy, paths }: PolicyFileCheck): LiveFinding[] {
  const subject = policyUrl(policyHost);
  return policy === undefined
    ? []
    : [liveFinding('policy-unannounced', { subject, evidence: bestEvidence(paths), message: `a policy in mode ${policy.mode} is served, but no TXT record announces it` })];
}

function delegated(domain: string, { record, policyHost }: Delegation, evidence: string | undefined): LiveFinding[] {
  const aliases = [[stsRecordName(domain), record], [policyHostName(domain), policyHost]] as const;
  const shown = aliases.filter(([, names]) => names.length > 0)
    .map(([name, names]) => `${name} is an alias of ${names.map((one) => safeText(one)).join(', an alias of ')}`);
  return shown.length === 0 ? [] : [liveFinding('delegated', { subject: `${domain} CNAME`, evidence, message: shown.join('; ') })];
}
