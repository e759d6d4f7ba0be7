// Check: the addresses of the policy host, by the zone's own name servers first.
import { isIP } from 'node:net';
import { answerText, lifetime } from '../evidence';
import { liveFinding } from '../findings';
import { askEach } from '../name-servers';
import type { NameServer } from '../name-servers';
import type { ReportFinding } from '../report';
import type { DnsAnswer, DnsEmpty, DnsFailed, DnsFound, Resolver } from '../resolver';
import { dangling } from './dangling';

/** Where to fetch the policy. */
export interface PolicyHostCheck {
  /** Every address of both families; IPv4 first. */
  readonly addresses: readonly string[];
  /** Whether the answers are complete enough to say that there is no other, or none at all. */
  readonly decided: boolean;
  /** Findings worth telling only where a policy is announced. */
  readonly findings: readonly ReportFinding[];
}

/** Asks every name server for both families. Where none of them answers, the recursive resolver does. */
export async function findPolicyHost(resolver: Resolver, policyHost: string, servers: readonly NameServer[]): Promise<PolicyHostCheck> {
  const [v4, v6] = await Promise.all([lookUp(resolver, policyHost, servers, 'A'), lookUp(resolver, policyHost, servers, 'AAAA')]);
  const all = [...addressesOf(v4), ...addressesOf(v6)];
  const addresses = all.slice(0, MAX_ADDRESSES);
  const both = [v4, v6];
  const subject = `${policyHost} A, AAAA`;
  const findings = both.flatMap((answer, at) => answer.status === 'failed'
    ? [liveFinding('dns-failure', {
        subject: `${policyHost} ${at === 0 ? 'A' : 'AAAA'}`, message: `the addresses of ${policyHost} could not be had: ${answer.reason}`,
        evidence: `${answer.server}: ${answerText(answer)}`,
      })]
    : []);
  const decided = findings.length === 0;
  if (decided && all.length === 0) findings.push(...noAddress(policyHost, both, subject));
  if (all.length > 0) findings.push(...missingFamily(v4, v6, policyHost));
  if (all.length > addresses.length) {
    const message = `${policyHost} has ${all.length} addresses, of which the first ${addresses.length} were tried`;
    findings.push(liveFinding('addresses-skipped', { subject, message }));
  }
  return { addresses, decided, findings };
}

/** What senders' resolvers say: one that still remembers "no such name" keeps them from a policy that is there. */
export async function checkResolverView(resolver: Resolver, policyHost: string): Promise<ReportFinding[]> {
  const answers = await Promise.all([resolver.query(policyHost, 'A'), resolver.query(policyHost, 'AAAA')]);
  const [v4] = answers;
  if (!answers.every((answer) => answer.status === 'empty')) return [];
  return [liveFinding('resolver-stale', {
    subject: `${policyHost} A, AAAA`,
    message: `the recursive resolver still says that ${policyHost} has no address${lifetime(v4)}, the zone has some`,
    evidence: `${v4.server}: ${answerText(v4)}`,
  })];
}

/** Twelve are usual behind a content delivery network. */
const MAX_ADDRESSES = 32;

async function lookUp<T extends 'A' | 'AAAA'>(
  resolver: Resolver, policyHost: string, servers: readonly NameServer[], type: T,
): Promise<DnsAnswer<T>> {
  const answers = (await askEach(resolver, servers, policyHost, type)).map(({ answer }) => answer);
  const found = answers.filter((answer): answer is DnsFound<T> => answer.status === 'found');
  if (found.length > 0) return { ...found[0], records: [...new Set(found.flatMap(({ records }) => records))] };
  return answers.find((answer): answer is DnsEmpty => answer.status === 'empty') ?? resolver.query(policyHost, type);
}

function addressesOf(answer: DnsAnswer<'A' | 'AAAA'>): readonly string[] {
  // Sorted, so that the same host gives the same report twice.
  return answer.status === 'found' ? [...answer.records].filter((address) => isIP(address) !== 0).sort() : [];
}

function noAddress(policyHost: string, answers: readonly (DnsAnswer<'A' | 'AAAA'>)[], subject: string): ReportFinding[] {
  const evidence = answers.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; ');
  const cnames = answers.flatMap((answer) => answer.cnames);
  if (cnames.length > 0) return [dangling(cnames, subject, evidence)];
  return [liveFinding('sts-policy-fetch-error', {
    subject, evidence, message: `${policyHost} has no address`, fix: `publish A and AAAA records at ${policyHost} that lead to the policy host`,
  })];
}

function missingFamily(v4: DnsAnswer<'A'>, v6: DnsAnswer<'AAAA'>, policyHost: string): ReportFinding[] {
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
