// Checks the addresses of the policy host. The authoritative name servers of the zone answer first.
import { isIP } from 'node:net';
import { policyHostName } from '../../../protocol/policy/url';
import { joinList } from '../../../util/safe-text';
import { bothFamilies } from '../../dns/both-families';
import { answerText, lifetime } from '../../evidence';
import { askEach } from '../../dns/name-servers';
import type { NameServer, ServerAnswer } from '../../dns/name-servers';
import type { LiveFinding } from '../../result';
import type { DnsAnswer, DnsEmpty, DnsFailed, DnsFound } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import type { DnsNetwork } from '../../network';
import { aliasProblem, dangling } from '../records/cname';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { DNS_ANSWER_FINDINGS } from '../dns-answer';
import { POLICY_FETCH_FINDINGS } from './response';
import { findingFactory } from '../live-finding';

export const POLICY_HOST_FINDINGS = {
  'policy-host-disagreement': {
    severity: 'error',
    area: 'policy-host',
    temporary: true,
    meaning: 'Some name servers of the zone have an address of the policy host, others have none.',
    impact: 'Senders find the policy host or not, by chance; one that does not may remember that for half a day.',
    fix: 'wait until the zone has reached all its name servers; if it stays so, a name server is cut off from its primary or serves an old copy of the zone',
    reference: 'RFC 8461 §3.3, RFC 1034 §4.3.5',
  },
  'ipv4-missing': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The policy host has no IPv4 address.',
    impact: 'Senders without IPv6, of which there are many, cannot fetch the policy.',
    fix: 'add an A record for the policy host',
    reference: 'RFC 8461 §3.3',
  },
  'ipv6-missing': {
    severity: 'info',
    area: 'policy-host',
    meaning: 'The policy host has no IPv6 address.',
    impact: 'Senders without IPv4 cannot fetch the policy; there are few.',
    fix: 'add an AAAA record for the policy host where it has IPv6',
    reference: 'RFC 8461 §3.3',
  },
  'addresses-skipped': {
    severity: 'unknown',
    area: 'policy-host',
    meaning: 'The policy host has so many addresses that not all were tried.',
    impact: 'The files at the other addresses are not known.',
    fix: 'publish fewer addresses',
    reference: 'RFC 8461 §3.3',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory({ ...POLICY_HOST_FINDINGS, ...DNS_ANSWER_FINDINGS, ...POLICY_FETCH_FINDINGS });

/** The addresses of the policy host, and their problems. */
export interface PolicyHostCheck {
  /** The addresses of both families, IPv4 first. */
  readonly addresses: readonly string[];
  /** Whether both families were answered, so that a missing address is known to be missing. */
  readonly decided: boolean;
  /** The CNAME targets, in order. */
  readonly cnames: readonly string[];
  /** Findings that matter only where the domain has a record. */
  readonly findings: readonly LiveFinding[];
}

/** The answers of the name servers about the policy host. */
export interface PolicyHostAnswers {
  readonly policyHost: string;
  readonly v4: readonly ServerAnswer<'A'>[];
  readonly v6: readonly ServerAnswer<'AAAA'>[];
}

/** Queries every name server for both families. */
export async function askForPolicyHost(
  network: DnsNetwork, servers: readonly NameServer[], policyHost: string,
): Promise<PolicyHostAnswers> {
  const [v4, v6] = await Promise.all([askEach(network, servers, policyHost, 'A'), askEach(network, servers, policyHost, 'AAAA')]);
  return { policyHost, v4, v6 };
}

/**
 * Collects the addresses from the answers of the name servers. Where none has answered, asks the recursive resolver.
 *
 * @param limitMs - how long to wait for one family after the other has been found, in milliseconds
 */
export async function findPolicyHost(network: DnsNetwork, answers: PolicyHostAnswers, limitMs: number): Promise<PolicyHostCheck> {
  const { clock, resolver } = network;
  const { policyHost } = answers;
  const v4Lookup = lookUp(resolver, policyHost, 'A', answers.v4);
  const v6Lookup = lookUp(resolver, policyHost, 'AAAA', answers.v6);
  const [v4, v6] = await bothFamilies(clock, v4Lookup, v6Lookup, limitMs);
  const all = [...usableAddresses(v4), ...usableAddresses(v6)];
  const addresses = limitAddresses(usableAddresses(v4), usableAddresses(v6));
  const both = [v4, v6];
  const subject = `${policyHost} A, AAAA`;
  const findings = both.flatMap((answer, at) => answer.status === 'failed'
    ? [liveFinding('dns-failure', {
        area: 'policy-host',
        subject: `${policyHost} ${at === 0 ? 'A' : 'AAAA'}`, message: `the addresses of ${policyHost} could not be looked up: ${answer.reason}`,
        evidence: `${answer.server}: ${answerText(answer)}`, ...aliasProblem(answer),
      })]
    : []);
  const decided = findings.length === 0;
  findings.push(...disagreement(answers.v4, policyHost, 'A'), ...disagreement(answers.v6, policyHost, 'AAAA'));
  if (decided && all.length === 0) findings.push(...noAddress(policyHost, both, subject));
  if (all.length > 0) findings.push(...missingFamily(v4, v6, policyHost));
  if (all.length > addresses.length) {
    const message = `${policyHost} has ${all.length} addresses, of which the first ${addresses.length} were tried`;
    findings.push(liveFinding('addresses-skipped', { subject, message, evidence: both.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; ') }));
  }
  return { addresses, decided, cnames: v4.cnames.length > 0 ? v4.cnames : v6.cnames, findings };
}

/** Reports a recursive resolver that still caches "no such name". Senders behind such a resolver cannot find the policy. */
export async function checkResolverView(resolver: Resolver, policyHost: string, addresses: readonly string[]): Promise<LiveFinding[]> {
  // One family is enough to notice: query that of the first address.
  const view = await resolver.query(policyHost, isIP(addresses.at(0) ?? '') === 6 ? 'AAAA' : 'A');
  if (view.status !== 'empty') return [];
  return [liveFinding('resolver-stale', {
    area: 'policy-host',
    subject: `${policyHost} A, AAAA`,
    message: `the recursive resolver still says that ${policyHost} has no such address${lifetime(view)}, the zone has ${joinList(addresses)}`,
    evidence: `${view.server}: ${answerText(view)}`,
  })];
}

/** Maximum number of addresses to try. Content delivery networks have about twelve, and each name server may give others. */
const MAX_ADDRESSES = 64;

/** Takes half of the addresses from each family, or more where the other family has fewer. */
function limitAddresses(v4: readonly string[], v6: readonly string[]): readonly string[] {
  const half = MAX_ADDRESSES / 2;
  return [...v4.slice(0, Math.max(half, MAX_ADDRESSES - v6.length)), ...v6.slice(0, Math.max(half, MAX_ADDRESSES - v4.length))];
}

/** Reports name servers without an address where others have one. Different addresses are normal. */
function disagreement(servers: readonly ServerAnswer<'A' | 'AAAA'>[], policyHost: string, type: 'A' | 'AAAA'): LiveFinding[] {
  const without = servers.filter(({ answer }) => answer.status === 'empty');
  const others = servers.filter(({ answer }) => answer.status === 'found');
  if (without.length === 0 || others.length === 0) return [];
  const names = (some: readonly ServerAnswer<'A' | 'AAAA'>[]): string => joinList(some.map(({ server }) => server), 4);
  return [liveFinding('policy-host-disagreement', {
    subject: `${policyHost} ${type}`,
    message: `${names(without)} ${without.length === 1 ? 'has' : 'have'} no ${type} record of ${policyHost}, ${names(others)} ${others.length === 1 ? 'has' : 'have'}`,
    evidence: joinList([...without, ...others].map(({ server, answer }) => `${server}: ${answerText(answer)}`), 4),
  })];
}

async function lookUp<T extends 'A' | 'AAAA'>(
  resolver: Resolver, policyHost: string, type: T, servers: readonly ServerAnswer<T>[],
): Promise<DnsAnswer<T>> {
  const answers = servers.map(({ answer }) => answer);
  const found = answers.filter((answer): answer is DnsFound<T> => answer.status === 'found');
  const first = found.at(0);
  if (first !== undefined) return { ...first, records: [...new Set(found.flatMap(({ records }) => records))] };
  return answers.find((answer): answer is DnsEmpty => answer.status === 'empty') ?? resolver.query(policyHost, type);
}

function usableAddresses(answer: DnsAnswer<'A' | 'AAAA'>): readonly string[] {
  // Sorted, so that two verifications of the same host give the same result.
  return answer.status === 'found' ? [...answer.records].filter((address) => isIP(address) !== 0).sort() : [];
}

function noAddress(policyHost: string, answers: readonly (DnsAnswer<'A' | 'AAAA'>)[], subject: string): LiveFinding[] {
  const evidence = answers.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; ');
  const cnames = answers.flatMap((answer) => answer.cnames);
  if (cnames.length > 0) return [dangling(cnames, policyHost.slice(policyHostName('').length), { area: 'policy-host', subject, evidence })];
  return [liveFinding('sts-policy-fetch-error', {
    area: 'policy-host',
    subject, evidence, message: `${policyHost} has no address`, fix: `publish A and AAAA records at ${policyHost} that lead to the policy host`,
  })];
}

function missingFamily(v4: DnsAnswer<'A'>, v6: DnsAnswer<'AAAA'>, policyHost: string): LiveFinding[] {
  const evidence = (answer: DnsEmpty | DnsFailed | DnsFound<'A' | 'AAAA'>): string => `${answer.server}: ${answerText(answer)}`;
  return [
    ...v4.status === 'empty'
      ? [liveFinding('ipv4-missing', { subject: `${policyHost} A`, message: `${policyHost} has no IPv4 address`, evidence: evidence(v4) })]
      : [],
    ...v6.status === 'empty'
      ? [liveFinding('ipv6-missing', { subject: `${policyHost} AAAA`, message: `${policyHost} has no IPv6 address`, evidence: evidence(v6) })]
      : [],
  ];
}
