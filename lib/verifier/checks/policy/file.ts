// Checks the policy file: fetches it from every address of the policy host, as a sender would.
import { parsePolicy } from '../../../protocol/policy/policy';
import type { Mode, Policy } from '../../../protocol/policy/policy';
import { policyUrl } from '../../../protocol/policy/url';
import { joinList } from '../../../util/safe-text';
import { acceptingSenders } from '../../../protocol/findings/tolerance';
import { endsSoon } from '../../tls/certificate';
import { firstDifference } from '../../../util/first-difference';
import { responseText } from '../../evidence';
import type { PolicyResponse } from '../../https/policy-response';
import { duration } from '../../network-errors';
import type { Lookup, Observation, LiveFinding } from '../../result';
import type { Network } from '../../network';
import { classifyResponse } from './response';
import type { FetchProblem, Classification } from './response';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { CONNECTION_FINDINGS } from '../connection';
import { ODDITY_FINDINGS } from './oddities';
import { POLICY_FETCH_FINDINGS } from './response';
import { findingFactory } from '../live-finding';

export const POLICY_FILE_FINDINGS = {
  'policy-disagreement': {
    severity: 'error',
    area: 'policy-file',
    temporary: true,
    meaning: 'The addresses of the policy host serve different files.',
    impact: 'Senders get one or the other by chance, and keep it for as long as the id stays the same.',
    fix: 'serve the same bytes at every address, and change the id afterwards',
    reference: 'RFC 8461 §8.1',
  },
  'address-unreachable': {
    severity: 'warning',
    area: 'policy-host',
    temporary: true,
    meaning: 'An address of the policy host does not answer, others do.',
    impact: 'Senders that try this address first lose time or give up; one sender tries only the first.',
    fix: 'fix the server at this address, or remove the address record',
    reference: 'RFC 8461 §3.3',
  },
  'policy-slow': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The policy file took longer than 2 seconds.',
    impact: 'Senders in use give up after 2 to 4 seconds and then have no policy.',
    fix: 'serve the file from a host that answers well under 2 seconds at every address',
    reference: 'RFC 8461 §3.3',
  },
  'certificate-near-expiry': {
    severity: 'warning',
    area: 'policy-host',
    meaning: 'The certificate of the policy host ends in less than 21 days, or in less than a quarter of its time.',
    impact: 'From then on senders cannot fetch the policy.',
    fix: 'renew the certificate, and find out why it was not renewed automatically',
    reference: 'RFC 8461 §3.3',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory({ ...POLICY_FILE_FINDINGS, ...CONNECTION_FINDINGS, ...ODDITY_FINDINGS, ...POLICY_FETCH_FINDINGS });

/** The policy file, and its problems. */
export interface PolicyFileCheck {
  /** The result for a sender that has seen the record. */
  readonly lookup: Exclude<Lookup, 'none'>;
  /** False where the file could not be fetched from here, which says nothing about the server. */
  readonly decided: boolean;
  readonly policy?: Policy;
  /** How some senders use a file that is invalid by the RFC; undefined where no known sender uses it. */
  readonly tolerated?: Toleration;
  /** The bytes from the first address that serves a file. */
  readonly body?: Uint8Array;
  /** The `Last-Modified` header of that address. */
  readonly lastModified?: string;
  /** One observation for each address. */
  readonly observations: readonly Observation[];
  /** Problems with fetching the file. */
  readonly findings: readonly LiveFinding[];
  /** Problems with the contents of the file. */
  readonly contents: readonly LiveFinding[];
}

/** The senders that use an invalid policy, and the mode that they act on. */
export interface Toleration {
  readonly mode: Mode;
  readonly senders: readonly string[];
}

/** The fetch from one address. */
interface Attempt {
  readonly address: string;
  readonly response: PolicyResponse;
  readonly classification: Classification;
}

interface FailedAttempt extends Attempt {
  readonly classification: FetchProblem;
}

/**
 * Fetches the file from every address, and compares the responses.
 *
 * @param addresses - at least one
 */
export async function checkPolicyFile(network: Network, policyHost: string, addresses: readonly string[]): Promise<PolicyFileCheck> {
  const attempts = await Promise.all(addresses.map(async (address): Promise<Attempt> => {
    const response = await network.fetchPolicy({ policyHost, address });
    return { address, response, classification: classifyResponse(response) };
  }));
  const subject = policyUrl(policyHost);
  const files = attempts.filter(({ classification }) => classification.kind === 'file');
  const first = files.at(0);
  const failures = attempts.flatMap(({ classification, ...attempt }): FailedAttempt[] => {
    return classification.kind === 'fault' ? [{ ...attempt, classification }] : [];
  });
  const findings = [
    ...problems(failures, files.length > 0, subject),
    ...unknowns(attempts, subject),
    ...oddities(attempts, subject),
    ...slowOrExpiring(network, attempts, subject),
  ];
  if (first?.classification.kind !== 'file') {
    const observations = attempts.map((attempt) => toObservation(attempt, false));
    return { ...withoutFile(failures), tolerated: toleratedAnswer(failures), observations, findings, contents: [] };
  }
  const { response, classification: { body } } = first;
  findings.push(...differences(first, body, files, subject));
  const { policy, mode, findings: found } = parsePolicy(body);
  const evidence = joinEvidence([first]);
  return {
    lookup: policy === undefined ? 'permanent-error' : 'found',
    decided: true,
    policy,
    tolerated: toleration(mode, acceptingSenders(found)),
    body,
    lastModified: response.outcome === 'answered' ? response.lastModified : undefined,
    observations: attempts.map((attempt) => toObservation(attempt, policy !== undefined)),
    findings,
    contents: [
      ...policy === undefined ? [malformed(found, subject, evidence)] : [],
      ...found.map((one) => ({ ...one, area: 'policy-file', subject, evidence } as const)),
    ],
  };
}

function toleration(mode: Mode | undefined, senders: readonly string[]): Toleration | undefined {
  return mode === undefined || senders.length === 0 ? undefined : { mode, senders };
}

/** Handles a response that only some senders refuse, such as one with another media type. The others read the body. */
function toleratedAnswer(failures: readonly FailedAttempt[]): Toleration | undefined {
  for (const { response, classification: { quirks = [] } } of failures) {
    if (quirks.length === 0 || response.outcome !== 'answered') continue;
    const { policy, mode, findings } = parsePolicy(response.body);
    const refusers = quirks.filter(({ accepts }) => accepts === undefined).flatMap(({ senders }) => senders);
    const tolerated = toleration(policy?.mode ?? mode, acceptingSenders(findings).filter((sender) => !refusers.includes(sender)));
    if (tolerated !== undefined) return tolerated;
  }
  return undefined;
}

function toObservation({ address, response, classification }: Attempt, valid: boolean): Observation {
  const status = classification.kind === 'file' && valid ? 'ok' : classification.kind === 'file' || classification.kind === 'fault' ? 'failed' : 'unknown';
  return { at: address, status, answer: responseText(response), milliseconds: response.milliseconds };
}

/**
 * Reports failed fetches. A silent address among others costs senders time. A wrong answer costs them the policy: they try no other
 * address.
 */
function problems(failures: readonly FailedAttempt[], othersServe: boolean, subject: string): LiveFinding[] {
  return grouped(failures, ({ classification }) => `${classification.code} ${classification.message}`).map((group) => {
    const [{ classification: { code, message, fix, quirks, unreachable, temporary } }] = group;
    const detail = { subject, message: `${message}, at ${addressList(group)}`, evidence: joinEvidence(group), fix, quirks };
    const isSkipped = othersServe && unreachable;
    if (code === 'address-not-public') return liveFinding(code, { ...detail, severity: isSkipped ? 'warning' : 'error' });
    return isSkipped ? liveFinding('address-unreachable', detail) : liveFinding(code, { ...detail, temporary });
  });
}

/** Reports attempts that say nothing about the server. */
function unknowns(attempts: readonly Attempt[], subject: string): LiveFinding[] {
  const groups = grouped(attempts, ({ classification }) => classification.kind === 'file' || classification.kind === 'fault' ? undefined : `${classification.kind} ${classification.message}`);
  return groups.map((group) => {
    const [{ address, classification }] = group;
    const detail = { subject, evidence: joinEvidence(group) };
    switch (classification.kind) {
      case 'internal-fault':
        return liveFinding('internal-fault', { ...detail, message: `${addressList(group)} was not checked completely: ${classification.message}` });
      case 'unusable':
        return liveFinding('address-family-unusable', { ...detail, message: `${addressList(group)} could not be tried, this machine has no route for ${familyOf(address)}` });
      case 'local-fault':
        return liveFinding('local-fault', { ...detail, message: `${addressList(group)} could not be tried: ${classification.message}` });
      case 'file':
      case 'fault':
      case 'not-reached':
        return liveFinding('not-reached', { ...detail, message: `${addressList(group)} was not decided in time` });
    }
  });
}

/** Reports responses that only some senders can read. */
function oddities(attempts: readonly Attempt[], subject: string): LiveFinding[] {
  const all = attempts.flatMap((attempt) => attempt.classification.kind === 'file' ? attempt.classification.oddities.map((oddity) => ({ ...attempt, oddity })) : []);
  return grouped(all, ({ oddity }) => `${oddity.code} ${oddity.message}`).map((group) => {
    const [{ oddity: { code, message, quirks } }] = group;
    return liveFinding(code, { subject, message: `${message}, at ${addressList(group)}`, quirks, evidence: joinEvidence(group) });
  });
}

function familyOf(address: string): string {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** The shortest timeout of a sender in use. RFC 8461 §3.3 allows a minute. */
const SLOW_FETCH_MS = 2000;

const EXPIRY_WARNING_MS = 21 * 86_400_000;

function slowOrExpiring(network: Network, attempts: readonly Attempt[], subject: string): LiveFinding[] {
  const slow = attempts.filter(({ response }) => response.outcome === 'answered' && response.milliseconds > SLOW_FETCH_MS);
  const slowest = Math.max(...slow.map(({ response }) => response.milliseconds));
  const ending = grouped(attempts, ({ response }) => {
    if (response.outcome !== 'answered') return undefined;
    return endsSoon(response.certificate, network.clock.now(), EXPIRY_WARNING_MS) ? response.certificate.validTo : undefined;
  });
  return [
    ...slow.length === 0
      ? []
      : [liveFinding('policy-slow', {
          subject, evidence: joinEvidence(slow), message: `the policy file took up to ${duration(slowest)}, at ${addressList(slow)}; senders give up after 2 to 4 s`,
        })],
    ...ending.map((group) => liveFinding('certificate-near-expiry', {
      subject, evidence: joinEvidence(group),
      message: `the certificate ends on ${group[0].response.certificate?.validTo ?? ''}, at ${addressList(group)}`,
    })),
  ];
}

function differences(first: Attempt, body: Uint8Array, files: readonly Attempt[], subject: string): LiveFinding[] {
  const others = files.filter(({ classification }) => classification.kind === 'file' && !Buffer.from(body).equals(classification.body));
  const other = others.at(0);
  if (other?.classification.kind !== 'file') return [];
  return [liveFinding('policy-disagreement', {
    subject,
    message: `${addressList(others)} serves another file than ${first.address}: ${firstDifference(body, other.classification.body, first.address, other.address)}`,
    evidence: joinEvidence([first, ...others]),
  })];
}

function malformed(found: readonly { severity: string; message: string }[], subject: string, evidence: string): LiveFinding {
  const errors = found.filter(({ severity }) => severity === 'error');
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return liveFinding('sts-policy-invalid', { subject, evidence, message: `the policy file is malformed: ${errors.at(0)?.message ?? 'it cannot be read'}${more}` });
}

function withoutFile(failures: readonly FailedAttempt[]): Pick<PolicyFileCheck, 'lookup' | 'decided'> {
  const temporary = failures.length === 0 || failures.some(({ classification }) => classification.temporary);
  return { lookup: temporary ? 'temporary-error' : 'permanent-error', decided: failures.length > 0 };
}

/** Groups attempts with the same key, in the order of their first one. An attempt without a key is left out. */
function grouped<V>(attempts: readonly V[], keyOf: (attempt: V) => string | undefined): [V, ...V[]][] {
  const groups = new Map<string, [V, ...V[]]>();
  for (const attempt of attempts) {
    const key = keyOf(attempt);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [attempt]);
    else group.push(attempt);
  }
  return [...groups.values()];
}

function addressList(attempts: readonly Attempt[]): string {
  return joinList(attempts.map(({ address }) => address));
}

function joinEvidence(attempts: readonly Attempt[]): string {
  return joinList(attempts.map(({ address, response }) => `${address}: ${responseText(response)}`), 3);
}
