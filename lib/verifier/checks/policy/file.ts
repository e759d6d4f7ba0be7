// Check: the policy file, fetched from every address of the policy host as a sender would.
import { parsePolicy } from '../../../protocol/policy/policy';
import type { Mode, Policy } from '../../../protocol/policy/policy';
import { policyUrl } from '../../../protocol/policy/url';
import { joinList } from '../../../util/safe-text';
import { acceptingSenders } from '../../../protocol/tolerance';
import { endsSoon } from '../../tls/certificate';
import { firstDifference } from '../../difference';
import { responseText } from '../../evidence';
import type { PolicyResponse } from '../../https/policy-response';
import { liveFinding } from '../../findings';
import { duration } from '../../network-errors';
import type { Lookup, Observation, LiveFinding } from '../../result';
import type { Network } from '../../network';
import { classifyResponse } from './response';
import type { FetchProblem, Classification } from './response';

/** What the policy file comes to. */
export interface PolicyFileCheck {
  /** What a sender that knows of the policy learns. */
  readonly lookup: Exclude<Lookup, 'none'>;
  /** Whether the file is the fault's cause, or it could only not be looked at from here. */
  readonly decided: boolean;
  readonly policy?: Policy;
  /** What some senders make of a file that is no policy by the RFC; absent where none is known to use it. */
  readonly tolerated?: Toleration;
  /** As served, by the first address that serves a file. */
  readonly body?: Uint8Array;
  /** The `Last-Modified` header of that address. */
  readonly lastModified?: string;
  /** What each address came to. */
  readonly paths: readonly Observation[];
  /** Of getting the file. */
  readonly findings: readonly LiveFinding[];
  /** Of what stands in it. */
  readonly contents: readonly LiveFinding[];
}

/** The senders that use what is invalid, and the mode by which they go. */
export interface Toleration {
  readonly mode: Mode;
  readonly senders: readonly string[];
}

/** One address and what it served. */
interface Visit {
  readonly address: string;
  readonly response: PolicyResponse;
  readonly judgement: Classification;
}

interface Faulty extends Visit {
  readonly judgement: FetchProblem;
}

/** @param addresses - at least one */
export async function checkPolicyFile(network: Network, policyHost: string, addresses: readonly string[]): Promise<PolicyFileCheck> {
  const visits = await Promise.all(addresses.map(async (address): Promise<Visit> => {
    const response = await network.fetchPolicy({ policyHost, address });
    return { address, response, judgement: classifyResponse(response) };
  }));
  const subject = policyUrl(policyHost);
  const files = visits.filter(({ judgement }) => judgement.kind === 'file');
  const faulty = visits.flatMap(({ judgement, ...visit }): Faulty[] => judgement.kind === 'fault' ? [{ ...visit, judgement }] : []);
  const findings = [
    ...faults(faulty, files.length > 0, subject), ...undecided(visits, subject), ...odd(visits, subject), ...health(network, visits, subject),
  ];
  const served = files.at(0)?.judgement;
  if (served?.kind !== 'file') return { ...withoutFile(faulty), tolerated: toleratedAnswer(faulty), paths: visits.map((visit) => pathOf(visit, false)), findings, contents: [] };
  const { body } = served;
  findings.push(...differences(files, body, subject));
  const { policy, mode, findings: found } = parsePolicy(body);
  const evidence = evidenceOf([files[0]]);
  return {
    lookup: policy === undefined ? 'permanent-error' : 'found',
    decided: true,
    policy,
    tolerated: toleration(mode, acceptingSenders(found)),
    body,
    lastModified: files[0].response.outcome === 'answered' ? files[0].response.lastModified : undefined,
    paths: visits.map((visit) => pathOf(visit, policy !== undefined)),
    findings,
    contents: [
      ...policy === undefined ? [malformed(found, subject, evidence)] : [],
      ...found.map((one) => ({ ...one, subject, evidence })),
    ],
  };
}

function toleration(mode: Mode | undefined, senders: readonly string[]): Toleration | undefined {
  return mode === undefined || senders.length === 0 ? undefined : { mode, senders };
}

/** An answer that only some senders refuse, such as one of another media type; the others read the body. */
function toleratedAnswer(faulty: readonly Faulty[]): Toleration | undefined {
  for (const { response, judgement: { quirks = [] } } of faulty) {
    if (quirks.length === 0 || response.outcome !== 'answered') continue;
    const { policy, mode, findings } = parsePolicy(response.body);
    const refusers = quirks.filter(({ accepts }) => accepts === undefined).flatMap(({ senders }) => senders);
    const tolerated = toleration(policy?.mode ?? mode, acceptingSenders(findings).filter((sender) => !refusers.includes(sender)));
    if (tolerated !== undefined) return tolerated;
  }
  return undefined;
}

function pathOf({ address, response, judgement }: Visit, valid: boolean): Observation {
  const status = judgement.kind === 'file' && valid ? 'ok' : judgement.kind === 'file' || judgement.kind === 'fault' ? 'failed' : 'unknown';
  return { at: address, status, answer: responseText(response), milliseconds: response.milliseconds };
}

/**
 * An address that does not answer among others that do costs senders time; one that answers wrongly costs them the policy, for they
 * try no other.
 */
function faults(faulty: readonly Faulty[], othersServe: boolean, subject: string): LiveFinding[] {
  return grouped(faulty, ({ judgement }) => `${judgement.code} ${judgement.message}`).map((group) => {
    const { code, message, fix, quirks, unreachable, temporary } = group[0].judgement;
    const detail = { subject, message: `${message}, at ${where(group)}`, evidence: evidenceOf(group), fix, quirks };
    const passedOver = othersServe && unreachable;
    if (code === 'address-not-public') return liveFinding(code, { ...detail, severity: passedOver ? 'warning' : 'error' });
    return passedOver ? liveFinding('address-unreachable', detail) : liveFinding(code, { ...detail, temporary });
  });
}

/** What says nothing about the server. */
function undecided(visits: readonly Visit[], subject: string): LiveFinding[] {
  const groups = grouped(visits, ({ judgement }) => judgement.kind === 'file' || judgement.kind === 'fault' ? undefined : `${judgement.kind} ${judgement.message}`);
  return groups.map((group) => {
    const [{ address, judgement }] = group;
    const detail = { subject, evidence: evidenceOf(group) };
    switch (judgement.kind) {
      case 'internal-fault':
        return liveFinding('internal-fault', { ...detail, message: `${where(group)} was not looked at to the end: ${judgement.message}` });
      case 'unusable':
        return liveFinding('address-family-unusable', { ...detail, message: `${where(group)} could not be tried, this machine has no route for ${familyOf(address)}` });
      case 'local-fault':
        return liveFinding('local-fault', { ...detail, message: `${where(group)} could not be tried: ${judgement.message}` });
      case 'file':
      case 'fault':
      case 'not-reached':
        return liveFinding('not-reached', { ...detail, message: `${where(group)} was not decided in time` });
    }
  });
}

/** What only some senders can read. */
function odd(visits: readonly Visit[], subject: string): LiveFinding[] {
  const all = visits.flatMap((visit) => visit.judgement.kind === 'file' ? visit.judgement.oddities.map((oddity) => ({ ...visit, oddity })) : []);
  return grouped(all, ({ oddity }) => `${oddity.code} ${oddity.message}`).map((group) => {
    const { code, message, quirks } = group[0].oddity;
    return liveFinding(code, { subject, message: `${message}, at ${where(group)}`, quirks, evidence: evidenceOf(group) });
  });
}

function familyOf(address: string): string {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** RFC 8461 §3.3 allows a minute; the most impatient sender in use waits this long. */
const SLOW = 2000;

const EXPIRY = 21 * 86_400_000;

function health(network: Network, visits: readonly Visit[], subject: string): LiveFinding[] {
  const slow = visits.filter(({ response }) => response.outcome === 'answered' && response.milliseconds > SLOW);
  const slowest = Math.max(...slow.map(({ response }) => response.milliseconds));
  const ending = grouped(visits, ({ response }) => {
    if (response.outcome !== 'answered') return undefined;
    return endsSoon(response.certificate, network.clock.now(), EXPIRY) ? response.certificate.validTo : undefined;
  });
  return [
    ...(slow.length === 0
      ? []
      : [liveFinding('policy-slow', {
          subject, evidence: evidenceOf(slow), message: `the policy file took up to ${duration(slowest)}, at ${where(slow)}; senders give up after 2 to 4 s`,
        })]),
    ...ending.map((group) => liveFinding('certificate-near-expiry', {
      subject, evidence: evidenceOf(group),
      message: `the certificate ends on ${group[0].response.certificate?.validTo ?? ''}, at ${where(group)}`,
    })),
  ];
}

function differences(files: readonly Visit[], body: Uint8Array, subject: string): LiveFinding[] {
  const others = files.filter(({ judgement }) => judgement.kind === 'file' && !Buffer.from(body).equals(judgement.body));
  const other = others.at(0)?.judgement;
  if (other?.kind !== 'file') return [];
  return [liveFinding('policy-disagreement', {
    subject,
    message: `${where(others)} serves another file than ${files[0].address}: ${firstDifference(body, other.body, files[0].address, others[0].address)}`,
    evidence: evidenceOf([files[0], ...others]),
  })];
}

function malformed(found: readonly { severity: string; message: string }[], subject: string, evidence: string): LiveFinding {
  const errors = found.filter(({ severity }) => severity === 'error');
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return liveFinding('sts-policy-invalid', { subject, evidence, message: `the policy file is malformed: ${errors.at(0)?.message ?? 'it cannot be read'}${more}` });
}

function withoutFile(faulty: readonly Faulty[]): Pick<PolicyFileCheck, 'lookup' | 'decided'> {
  const temporary = faulty.length === 0 || faulty.some(({ judgement }) => judgement.temporary);
  return { lookup: temporary ? 'temporary-error' : 'permanent-error', decided: faulty.length > 0 };
}

function grouped<V>(visits: readonly V[], keyOf: (visit: V) => string | undefined): V[][] {
  const groups = new Map<string, V[]>();
  for (const visit of visits) {
    const key = keyOf(visit);
    if (key !== undefined) groups.set(key, [...groups.get(key) ?? [], visit]);
  }
  return [...groups.values()];
}

function where(visits: readonly Visit[]): string {
  return joinList(visits.map(({ address }) => address));
}

function evidenceOf(visits: readonly Visit[]): string {
  return joinList(visits.map(({ address, response }) => `${address}: ${responseText(response)}`), 3);
}
