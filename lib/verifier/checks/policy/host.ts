// Check: the addresses of the policy host, by the zone's own name servers first.
import { isIP } from 'node:net';
import { policyHostName } from '../../../protocol/policy/url';
import { joinList } from '../../../util/safe-text';
import { bothFamilies } from '../../dns/both-families';
import { answerText, lifetime } from '../../evidence';
import { liveFinding } from '../../findings';
import { askEach } from '../../dns/name-servers';
import type { NameServer, ServerAnswer } from '../../dns/name-servers';
import type { LiveFinding } from '../../result';
import type { DnsAnswer, DnsEmpty, DnsFailed, DnsFound } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import type { DnsNetwork } from '../../network';
import { aliasProblem, dangling } from '../records/cname';

/** Where to fetch the policy. */
export interface PolicyHostCheck {
  /** Every address of both families; IPv4 first. */
  readonly addresses: readonly string[];
  /** Whether the answers are complete enough to say that there is no other, or none at all. */
  readonly decided: boolean;
  /** The names that CNAMEs lead to, in order. */
  readonly cnames: readonly string[];
  /** Findings worth telling only where a policy is announced. */
  readonly findings: readonly LiveFinding[];
}

/** What the name servers say of the policy host. */
export interface PolicyHostAnswers {
  readonly policyHost: string;
  readonly v4: readonly ServerAnswer<'A'>[];
  readonly v6: readonly ServerAnswer<'AAAA'>[];
}

/** Asks every name server for both families. */
export async function askForPolicyHost(network: DnsNetwork, servers: readonly NameServer[], policyHost: string): Promise<PolicyHostAnswers> {
  const [v4, v6] = await Promise.all([askEach(network, servers, policyHost, 'A'), askEach(network, servers, policyHost, 'AAAA')]);
  return { policyHost, v4, v6 };
}

/**
 * Takes the addresses from the name servers' answers. Where none of them has answered, the recursive resolver does.
 *
 * @param patienceMs - how long one family is waited for after the other has been found
 */
export async function findPolicyHost(network: DnsNetwork, answers: PolicyHostAnswers, patienceMs: number): Promise<PolicyHostCheck> {
  const { clock, resolver } = network;
  const { policyHost } = answers;
  const ofV4 = lookUp(resolver, policyHost, 'A', answers.v4);
  const ofV6 = lookUp(resolver, policyHost, 'AAAA', answers.v6);
  const [v4, v6] = await bothFamilies(clock, ofV4, ofV6, patienceMs);
  const all = [...addressesOf(v4), ...addressesOf(v6)];
  const addresses = fewest(addressesOf(v4), addressesOf(v6));
  const both = [v4, v6];
  const subject = `${policyHost} A, AAAA`;
  const findings = both.flatMap((answer, at) => answer.status === 'failed'
    ? [liveFinding('dns-failure', {
        subject: `${policyHost} ${at === 0 ? 'A' : 'AAAA'}`, message: `the addresses of ${policyHost} could not be had: ${answer.reason}`,
        evidence: `${answer.server}: ${answerText(answer)}`, ...aliasProblem(answer),
      })]
    : []);
  const decided = findings.length === 0;
  findings.push(...lacking(answers.v4, policyHost, 'A'), ...lacking(answers.v6, policyHost, 'AAAA'));
  if (decided && all.length === 0) findings.push(...noAddress(policyHost, both, subject));
  if (all.length > 0) findings.push(...missingFamily(v4, v6, policyHost));
  if (all.length > addresses.length) {
    const message = `${policyHost} has ${all.length} addresses, of which the first ${addresses.length} were tried`;
    findings.push(liveFinding('addresses-skipped', { subject, message, evidence: both.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; ') }));
  }
  return { addresses, decided, cnames: v4.cnames.length > 0 ? v4.cnames : v6.cnames, findings };
}

/** What senders' resolvers say: one that still remembers "no such name" keeps them from a policy that is there. */
export async function checkResolverView(resolver: Resolver, policyHost: string, addresses: readonly string[]): Promise<LiveFinding[]> {
  // One address is enough to say so, so one family is asked for: that of the first.
  const view = await resolver.query(policyHost, isIP(addresses[0]) === 6 ? 'AAAA' : 'A');
  if (view.status !== 'empty') return [];
  return [liveFinding('resolver-stale', {
    subject: `${policyHost} A, AAAA`,
    message: `the recursive resolver still says that ${policyHost} has no such address${lifetime(view)}, the zone has ${joinList(addresses)}`,
    evidence: `${view.server}: ${answerText(view)}`,
  })];
}

/** Twelve are usual behind a content delivery network, and its name servers may each give others. */
const MAX_ADDRESSES = 64;

/** Neither family shall be left out for the other's sake. */
function fewest(v4: readonly string[], v6: readonly string[]): readonly string[] {
  const half = MAX_ADDRESSES / 2;
  return [...v4.slice(0, Math.max(half, MAX_ADDRESSES - v6.length)), ...v6.slice(0, Math.max(half, MAX_ADDRESSES - v4.length))];
}

/** Name servers may give different addresses, but not some and none. */
function lacking(servers: readonly ServerAnswer<'A' | 'AAAA'>[], policyHost: string, type: 'A' | 'AAAA'): LiveFinding[] {
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
  if (found.length > 0) return { ...found[0], records: [...new Set(found.flatMap(({ records }) => records))] };
  return answers.find((answer): answer is DnsEmpty => answer.status === 'empty') ?? resolver.query(policyHost, type);
}

function addressesOf(answer: DnsAnswer<'A' | 'AAAA'>): readonly string[] {
  // Sorted, so that the same host gives the same report twice.
  return answer.status === 'found' ? [...answer.records].filter((address) => isIP(address) !== 0).sort() : [];
}

function noAddress(policyHost: string, answers: readonly (DnsAnswer<'A' | 'AAAA'>)[], subject: string): LiveFinding[] {
  const evidence = answers.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; ');
  const cnames = answers.flatMap((answer) => answer.cnames);
  if (cnames.length > 0) return [dangling(cnames, policyHost.slice(policyHostName('').length), { subject, evidence })];
  return [liveFinding('sts-policy-fetch-error', {
    subject, evidence, message: `${policyHost} has no address`, fix: `publish A and AAAA records at ${policyHost} that lead to the policy host`,
  })];
}

function missingFamily(v4: DnsAnswer<'A'>, v6: DnsAnswer<'AAAA'>, policyHost: string): LiveFinding[] {
  const evidence = (answer: DnsEmpty | DnsFailed | DnsFound<'A' | 'AAAA'>): string => `${answer.server}: ${answerText(answer)}`;
  return [
    ...(v4.status === 'empty'
      ? [liveFinding('ipv4-missing', { subject: `${policyHost} A`, message: `${policyHost} has no IPv4 address`, evidence: evidence(v4) })]
      : []),
    ...(v6.status === 'empty'
      ? [liveFinding('ipv6-missing', { subject: `${policyHost} AAAA`, message: `${policyHost} has no IPv6 address`, evidence: evidence(v6) })]
      : []),
  ];
}
