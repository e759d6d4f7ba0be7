// Looks up the policy (RFC 8461 §3): the record, then the policy file, as the zone's authoritative name servers give them.
import { policyHostName } from '../../protocol/policy/url';
import { stsRecordName } from '../../protocol/records/record-names';
import { askEach, authoritativeServers } from '../dns/name-servers';
import type { NameServer } from '../dns/name-servers';
import { briefDns } from '../deadline';
import type { DnsNetwork, Network } from '../network';
import { bestEvidence } from '../result';
import type { Delegation, LiveFinding } from '../result';
import { findingFactory } from './live-finding';
import { checkPolicyFile } from './policy/file';
import type { PolicyFileCheck } from './policy/file';
import { askForPolicyHost, checkResolverView, findPolicyHost } from './policy/host';
import type { PolicyHostAnswers } from './policy/host';
import { checkMode, unannouncedPolicy } from './policy/mode';
import { delegationFindings } from './records/cname';
import { findMisplacedHost, findMisplacedRecord } from './records/misplaced';
import { RECORD_FINDINGS, checkRecord } from './records/record';
import type { RecordCheck } from './records/record';

const liveFinding = findingFactory(RECORD_FINDINGS);

/** The domain, the time, and the name servers to use. */
export interface PolicyLookupOptions {
  readonly domain: string;
  /** Maximum duration of the whole verification, in milliseconds. */
  readonly timeoutMs: number;
  /** The authoritative name servers of the zone, where the caller knows them. */
  readonly nameServers?: readonly string[];
  /** The port of name servers found by NS records. */
  readonly nameServerPort?: number;
}

/** The record, the file, and every problem on the way. */
export interface PolicyLookup {
  readonly record: RecordCheck;
  /** Undefined where there is no record: senders do not ask for the file then. */
  readonly file?: PolicyFileCheck;
  readonly delegation: Delegation;
  /** Whether DNS answers that there is neither a record nor a policy host. */
  readonly nothing: boolean;
  /** Whether the policy host is known to exist. */
  readonly hostExists: boolean;
  readonly findings: readonly LiveFinding[];
}

/** Maximum duration of finding the name servers, and again of asking them. */
const NAME_SERVERS_MS = 2500;

/** The same limit as a part of the whole verification. */
const NAME_SERVERS_PART = 1 / 4;

/** Takes four round trips: name servers, their addresses, record and policy host, file. */
export async function lookUpPolicy(network: Network, options: PolicyLookupOptions): Promise<PolicyLookup> {
  const { domain } = options;
  const policyHost = policyHostName(domain);
  // Many networks block port 53 except to their own resolver. Leave time for the resolver's answer.
  const limitMs = Math.min(NAME_SERVERS_MS, options.timeoutMs * NAME_SERVERS_PART);
  const { servers, findings } = await findNameServers(briefDns(network, limitMs), options);
  const brief = briefDns(network, limitMs);
  const [answers, hostAnswers] = await Promise.all([
    askEach(brief, servers, stsRecordName(domain), 'TXT'),
    askForPolicyHost(brief, servers, policyHost),
  ]);
  // Ask the resolver last: it would cache "no such name", and hide a record that appears in the meantime (RFC 2308 §5).
  const begin = network.clock.now();
  const isMissing = answers.some(({ answer }) => answer.status === 'empty') && !answers.some(({ answer }) => answer.status === 'found');
  const hostExists = exists(hostAnswers);
  const misplaced = isMissing ? findMisplacedRecord(network.resolver, domain, hostExists) : undefined;
  const [record, { file, cnames, exists: hasHost, findings: fileFindings }, misplacedHost] = await Promise.all([
    network.resolver.query(stsRecordName(domain), 'TXT')
      .then((recursive) => {
        const recursiveMs = network.clock.now() - begin;
        return checkRecord(network.resolver, { domain, servers: answers, recursive, recursiveMs, hostExists, misplaced });
      }),
    lookUpFile(network, hostAnswers, limitMs),
    isHostMissing(hostAnswers) ? findMisplacedHost(network.resolver, domain) : [],
  ]);
  const delegation = { record: record.cnames, policyHost: cnames };
  const evidence = bestEvidence([...record.observations, ...file.observations]);
  const common = [...findings, ...record.findings, ...delegationFindings(domain, delegation, evidence), ...misplacedHost];
  // Some senders accept a text that the RFC does not count as a record. To them, the policy is published.
  if (record.verdict === 'none' && (record.acceptedBy ?? []).length === 0) {
    // A stranger could register a dangling target, whether or not the policy is published.
    const leftover = fileFindings.filter(({ code }) => code === 'cname-dangling');
    const found = [...common, ...leftover, ...unannouncedPolicy(policyHost, file.policy, bestEvidence(file.observations))];
    const nothing = !hasHost && record.texts.length === 0 && record.cnames.length === 0 && !found.some(isTrace);
    return { record, delegation, nothing, hostExists, findings: found };
  }
  const weighted = record.verdict === 'undecided' ? fileFindings.map(weaken) : fileFindings;
  const fileEvidence = bestEvidence(file.observations);
  const age = { lastModified: file.lastModified, record: record.record, evidence: fileEvidence, now: network.clock.now() };
  const all = [...common, ...weighted, ...checkMode(policyHost, file.policy, age)];
  return { record, file, delegation, nothing: false, hostExists, findings: all };
}

async function findNameServers(
  brief: DnsNetwork, { domain, nameServers, nameServerPort }: PolicyLookupOptions,
): Promise<{ servers: readonly NameServer[]; findings: LiveFinding[] }> {
  if (nameServers !== undefined) return { servers: nameServers.map((address) => ({ name: address, addresses: [address] })), findings: [] };
  const found = await authoritativeServers(brief, domain, nameServerPort);
  if (found.status === 'found') return { servers: found.servers, findings: [] };
  const message = `the name servers of ${domain} could not be found (${found.reason}), so the recursive resolver alone decides`;
  return { servers: [], findings: [liveFinding('name-servers-unknown', { subject: `${domain} NS`, evidence: found.reason, message })] };
}

async function lookUpFile(
  network: Network, answers: PolicyHostAnswers, limitMs: number,
): Promise<{ file: PolicyFileCheck; cnames: readonly string[]; exists: boolean; findings: readonly LiveFinding[] }> {
  const { policyHost } = answers;
  const host = await findPolicyHost(network, answers, limitMs);
  const [file, view] = await Promise.all([
    host.addresses.length === 0 ? noFile(host.decided) : checkPolicyFile(network, policyHost, host.addresses),
    answers.v4.length === 0 || host.addresses.length === 0 ? [] : checkResolverView(network.resolver, policyHost, host.addresses),
  ]);
  const isThere = host.addresses.length > 0 || host.cnames.length > 0 || !host.decided;
  return { file, cnames: host.cnames, exists: isThere, findings: [...host.findings, ...view, ...file.findings] };
}

/** Returns whether a name server knows the policy host. Without name servers it returns true, since the resolver is asked anyway. */
function exists({ v4, v6 }: PolicyHostAnswers): boolean {
  const answers = [...v4, ...v6].map(({ answer }) => answer);
  return answers.length === 0 || answers.some((answer) => answer.status === 'found' || (answer.status === 'empty' && answer.reason === 'NODATA'));
}

/** Returns whether the name servers say that the policy host has no address and is not an alias. */
function isHostMissing({ v4, v6 }: PolicyHostAnswers): boolean {
  const answers = [...v4, ...v6].map(({ answer }) => answer);
  return answers.some(({ status }) => status === 'empty') && answers.every(({ status, cnames }) => status !== 'found' && cnames.length === 0);
}

/** Returns whether the finding shows that the domain has begun to publish MTA-STS. */
function isTrace({ code }: LiveFinding): boolean {
  return code === 'record-misplaced' || code === 'policy-host-misplaced' || code === 'record-disagreement';
}

/** The result where the policy host has no address, or DNS did not answer. */
function noFile(decided: boolean): PolicyFileCheck {
  return { lookup: decided ? 'permanent-error' : 'temporary-error', decided, observations: [], findings: [], contents: [] };
}

/** Weakens a problem of the file: without an answer about the record, nobody knows whether senders ask for the file. */
function weaken(finding: LiveFinding): LiveFinding {
  return finding.severity === 'error' ? { ...finding, severity: 'unknown', temporary: true } : finding;
}
