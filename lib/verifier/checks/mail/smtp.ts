// Checks the mail hosts over SMTP: STARTTLS, the certificate, and its expiry (RFC 8461 §4.2).
import { isIP } from 'node:net';
import type { Mode } from '../../../protocol/policy/policy';
import { joinList, safeText } from '../../../util/safe-text';
import { WRONG_NAME, endsSoon } from '../../tls/certificate';
import type { HostTlsState } from '../../delivery';
import { answerText, mxResponseText } from '../../evidence';
import { INTERNAL_ERROR } from '../../guard';
import { PORT_BLOCKED } from '../../smtp/mx-response';
import { REFUSED, isLocalFault } from '../../network-errors';
import type { MxResponse } from '../../smtp/mx-response';
import { NOT_PUBLIC } from '../../public-only';
import type { Observation, LiveFinding } from '../../result';
import { CANCELLED, DEADLINE_EXCEEDED } from '../../network-errors';
import { uncommonCipher } from '../policy/oddities';
import type { HostObservations, SmtpObservations, SmtpAttempt } from './smtp-collect';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { CONNECTION_FINDINGS } from '../connection';
import { MX_REACH_FINDINGS } from './mx-reach';
import { findingFactory } from '../live-finding';

export const SMTP_FINDINGS = {
  'smtp-blocked': {
    severity: 'unknown',
    area: 'smtp',
    meaning: 'No connection to any mail host succeeded: this network probably blocks port 25.',
    impact: 'STARTTLS and the certificates of the mail hosts were not checked. Everything else was verified.',
    fix: 'verify from a network that is allowed to send mail, or give `--no-smtp` to leave this out',
    reference: 'RFC 8461 §4.2',
  },
  'smtp-turned-away': {
    severity: 'unknown',
    area: 'smtp',
    meaning: 'A mail host answered, but ended the session before TLS could be checked.',
    impact: 'Its TLS for real senders is not known. Many hosts reject unknown clients by their address.',
    fix: 'verify from the address of a known sender; if the host rejects everyone, fix the server',
    reference: 'RFC 5321 §3.1',
  },
  'mx-unreachable': {
    severity: 'warning',
    area: 'smtp',
    temporary: true,
    meaning: 'A mail host could not be connected to, or the connection was lost before TLS could be checked.',
    impact: 'Senders skip it and try again later. Its TLS is not known.',
    fix: 'check that the server runs and is reachable at port 25 at each of its addresses; remove the address or MX record of one that has been given up',
    reference: 'RFC 5321 §4.5.4.1',
  },
  'starttls-not-supported': {
    severity: 'error',
    area: 'smtp',
    meaning: 'A mail host does not offer STARTTLS.',
    impact: 'In mode `enforce` senders do not deliver to it; otherwise they deliver in plain text.',
    fix: 'turn on TLS with a certificate for the name of the MX host; if it is on, look for a firewall that strips the offer',
    reference: 'RFC 8461 §4.2, RFC 8460 §4.3',
  },
  'certificate-host-mismatch': {
    severity: 'error',
    area: 'smtp',
    meaning: 'The certificate of a mail host is not for the name in the MX record.',
    impact: 'In mode `enforce` senders do not deliver to it; in `testing` they report it.',
    fix: 'serve a certificate whose SAN holds the name of the MX host, or let the MX record name the host that the certificate is for',
    reference: 'RFC 8461 §4.2, RFC 8460 §4.3',
  },
  'certificate-expired': {
    severity: 'error',
    area: 'smtp',
    meaning: 'The certificate of a mail host has expired.',
    impact: 'In mode `enforce` senders do not deliver to it; in `testing` they report it.',
    fix: 'renew the certificate, and let the mail server load it',
    reference: 'RFC 8461 §4.2, RFC 8460 §4.3',
  },
  'certificate-not-trusted': {
    severity: 'error',
    area: 'smtp',
    meaning: 'The certificate of a mail host is not of an authority that senders trust, or its chain is incomplete.',
    impact: 'In mode `enforce` senders do not deliver to it; in `testing` they report it.',
    fix: 'serve a certificate of a public authority, with its intermediate certificates',
    reference: 'RFC 8461 §4.2, RFC 8460 §4.3',
  },
  'validation-failure': {
    severity: 'error',
    area: 'smtp',
    meaning: 'TLS with a mail host failed for a reason that no other result type names: the catch-all of RFC 8460 §4.3.',
    impact: 'In mode `enforce` senders do not deliver to it; otherwise most deliver in plain text.',
    fix: 'offer TLS 1.2 or later with ordinary ciphers, and let nothing stand between the answer to STARTTLS and the handshake',
    reference: 'RFC 8461 §4.2, RFC 8460 §4.3',
  },
  'mx-certificate-near-expiry': {
    severity: 'warning',
    area: 'smtp',
    meaning: 'The certificate of a mail host ends in less than 14 days, or in less than a quarter of its time.',
    impact: 'From then on senders that enforce the policy do not deliver to it.',
    fix: 'renew the certificate, and find out why it was not renewed automatically',
    reference: 'RFC 8461 §4.2',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory({ ...SMTP_FINDINGS, ...CONNECTION_FINDINGS, ...MX_REACH_FINDINGS });

/** The TLS state of one host. */
export interface HostResult {
  readonly tls: HostTlsState['tls'];
  readonly observations: readonly Observation[];
}

/** The TLS state of all hosts, and their problems. */
export interface SmtpCheck {
  readonly byHost: ReadonlyMap<string, HostResult>;
  readonly findings: readonly LiveFinding[];
}

/**
 * Classifies the responses of all mail hosts.
 *
 * @param mode - the mode of the policy; only `enforce` makes senders refuse
 * @param now - milliseconds since the epoch
 */
export function classifySmtp(observed: SmtpObservations, mode: Mode | undefined, now: number): SmtpCheck {
  const byHost = new Map(observed.hosts.map((one): [string, HostResult] => {
    return [one.host, { tls: tlsState(one), observations: one.attempts.map(toObservation) }];
  }));
  const attempts = observed.hosts.flatMap((one) => one.attempts);
  const blocked = isBlocked(observed);
  return {
    byHost,
    findings: [
      ...blocked ? [portBlocked(attempts)] : familiesUnusable(attempts),
      ...observed.hosts.flatMap((one) => [...attemptFindings(one, mode, blocked), ...uncommonCiphers(one), ...nearExpiry(one, now)]),
      ...skipped(observed),
    ],
  };
}

/**
 * Returns whether this network seems to block port 25: no host has ever answered from it. A refused connection counts only when several
 * hosts
 * refuse, because firewalls refuse too.
 */
function isBlocked({ hosts, reachedAny }: SmtpObservations): boolean {
  const tried = hosts.flatMap(({ attempts }) => attempts).filter(({ response }) => response.outcome !== 'unusable' && codeOf(response) !== NOT_PUBLIC);
  const refusing = hosts.filter(({ attempts }) => attempts.some(isRefused));
  return !reachedAny && tried.every((attempt) => isSilent(attempt) || isRefused(attempt)) && (tried.some(isSilent) || refusing.length > 1);
}

function isRefused({ response }: SmtpAttempt): boolean {
  return codeOf(response) === REFUSED;
}

function codeOf(response: MxResponse): string {
  return response.outcome === 'secure' ? '' : response.code;
}

/**
 * Returns the TLS state of a host. Senders try the next address when one fails, so one secure address is enough, and one address with
 * an unknown state leaves the host unknown.
 */
function tlsState({ attempts, addresses }: HostObservations): HostTlsState['tls'] {
  if (addresses.every(({ status }) => status === 'empty')) return 'no-address';
  if (attempts.some(({ response }) => response.outcome === 'secure')) return 'secure';
  const isOpen = attempts.some(({ response: { outcome } }) => outcome === 'unusable' || outcome === 'rejected');
  return !isOpen && attempts.some(({ response }) => isInsecure(response)) ? 'insecure' : 'unknown';
}

function isInsecure({ outcome }: MxResponse): boolean {
  return outcome === 'no-starttls' || outcome === 'tls-failed' || outcome === 'untrusted';
}

function isSilent({ response }: SmtpAttempt): boolean {
  return response.outcome === 'timeout';
}

/** Returns whether this machine has no route to the address. */
function isUnusable({ response }: SmtpAttempt): boolean {
  return response.outcome === 'unusable' && !isCutOff(response.code) && !isLocalFault(response.code) && response.code !== INTERNAL_ERROR;
}

function isCutOff(code: string): boolean {
  return code === DEADLINE_EXCEEDED || code === CANCELLED;
}

function toObservation({ address, response }: SmtpAttempt): Observation {
  const failed = isInsecure(response) || response.outcome === 'unreachable';
  return {
    at: address,
    status: response.outcome === 'secure' ? 'ok' : failed ? 'failed' : 'unknown',
    answer: mxResponseText(response),
    milliseconds: response.milliseconds,
  };
}

function portBlocked(attempts: readonly SmtpAttempt[]): LiveFinding {
  const silent = attempts.filter((attempt) => isSilent(attempt) || isRefused(attempt));
  return liveFinding('smtp-blocked', {
    subject: 'SMTP',
    evidence: joinEvidence(silent),
    message: `no connection succeeded to any of ${silent.length === 1 ? 'one address' : `${silent.length} addresses`} of the mail hosts. This network probably blocks port 25. `
      + 'STARTTLS and certificates were not checked',
  });
}

/** Reports an address family that this machine cannot use: once, not for each host. */
function familiesUnusable(attempts: readonly SmtpAttempt[]): LiveFinding[] {
  const unusable = attempts.filter(isUnusable);
  return ['IPv4', 'IPv6'].flatMap((family) => {
    const where = unusable.filter(({ address }) => isIP(address) === (family === 'IPv6' ? 6 : 4));
    return where.length === 0
      ? []
      : [liveFinding('address-family-unusable', {
          area: 'smtp', subject: 'SMTP', evidence: joinEvidence(where), message: `${addressList(where)} could not be tried, this machine has no route for ${family}`,
        })];
  });
}

type SmtpCode = keyof typeof SMTP_FINDINGS | keyof typeof CONNECTION_FINDINGS;

/** A problem that one or more addresses of a host have. */
interface Problem {
  readonly code: SmtpCode;
  readonly message: string;
  /** Whether senders that enforce a policy refuse the host for it. */
  readonly isTlsProblem: boolean;
  readonly temporary?: boolean;
}

function attemptFindings({ host, attempts }: HostObservations, mode: Mode | undefined, blocked: boolean): LiveFinding[] {
  const groups = new Map<string, { readonly problem: Problem; readonly attempts: SmtpAttempt[] }>();
  for (const attempt of attempts) {
    if ((blocked && (isSilent(attempt) || isRefused(attempt))) || isUnusable(attempt)) continue;
    for (const problem of findProblems(attempt.response, host)) {
      const key = `${problem.code} ${problem.message}`;
      const group = groups.get(key) ?? { problem, attempts: [] };
      group.attempts.push(attempt);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map(({ problem, attempts: where }) => liveFinding(problem.code, {
    area: 'smtp',
    subject: `MX ${safeText(host)}`,
    message: `${problem.message}, at ${addressList(where)}${problem.isTlsProblem ? consequence(mode) : ''}`,
    evidence: joinEvidence(where),
    temporary: problem.temporary,
    severity: !problem.isTlsProblem ? undefined : mode === 'enforce' ? 'error' : 'warning',
  }));
}

function consequence(mode: Mode | undefined): string {
  switch (mode) {
    case 'enforce': return '; in mode enforce senders refuse to deliver there';
    case 'testing': return '; in mode testing senders deliver there and report it';
    case 'none':
    case undefined: return '; senders deliver there anyway, because no policy forbids it';
  }
}

function findProblems(response: MxResponse, host: string): Problem[] {
  const { outcome } = response;
  if (outcome === 'secure') return [];
  const { reason, code } = response;
  // `checkReach` reports such addresses, with and without SMTP.
  if (code === NOT_PUBLIC) return [];
  switch (outcome) {
    case 'unusable':
      if (code === INTERNAL_ERROR) return [{ code: 'internal-fault', message: `${safeText(host)} was not checked completely: ${reason}`, isTlsProblem: false }];
      if (isLocalFault(code)) return [{ code: 'local-fault', message: `${safeText(host)} could not be tried: ${reason}`, isTlsProblem: false }];
      return [{ code: 'not-reached', message: `${safeText(host)} was not checked completely: ${reason}`, isTlsProblem: false }];
    case 'timeout':
    case 'unreachable':
      return [{ code: 'mx-unreachable', message: reason, isTlsProblem: false, temporary: code !== PORT_BLOCKED }];
    case 'rejected':
      return [{ code: 'smtp-turned-away', message: reason, isTlsProblem: false, temporary: code.startsWith('4') }];
    case 'no-starttls':
      return [{ code: 'starttls-not-supported', message: reason, isTlsProblem: true, temporary: code.startsWith('4') }];
    case 'tls-failed':
      return [{ code: 'validation-failure', message: reason, isTlsProblem: true, temporary: CONNECTION_LOST.has(code) }];
    case 'untrusted':
      return response.faults.map((one) => ({ code: certificateCode(one.code), message: one.reason, isTlsProblem: true }));
  }
}

/** Error codes of an interrupted handshake. The next one may succeed. */
const CONNECTION_LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/** Returns the result type of RFC 8460 §4.3. */
function certificateCode(code: string): SmtpCode {
  if (code === WRONG_NAME) return 'certificate-host-mismatch';
  return code === 'CERT_HAS_EXPIRED' ? 'certificate-expired' : 'certificate-not-trusted';
}

/** Senders that deliver with Go's TLS. Other senders written in Go leave delivery to Postfix. */
const GO_MAIL_SERVERS = ['mox', 'chasquid'];

function uncommonCiphers({ host, attempts }: HostObservations): LiveFinding[] {
  const groups = new Map<string, SmtpAttempt[]>();
  for (const attempt of attempts) {
    const { response } = attempt;
    if (response.outcome === 'secure' && response.cipher !== undefined) groups.set(response.cipher, [...groups.get(response.cipher) ?? [], attempt]);
  }
  return [...groups].map(([cipher, where]) => {
    const { message, quirks } = uncommonCipher(cipher, GO_MAIL_SERVERS);
    return liveFinding('tls-cipher-uncommon', { area: 'smtp', subject: `MX ${safeText(host)}`, message: `${message}, at ${addressList(where)}`, quirks, evidence: joinEvidence(where) });
  });
}

/** Certificates of public authorities are usually renewed 30 days before their end. */
const EXPIRY_WARNING_MS = 14 * 86_400_000;

function nearExpiry({ host, attempts }: HostObservations, now: number): LiveFinding[] {
  const groups = new Map<string, SmtpAttempt[]>();
  for (const attempt of attempts) {
    const { response } = attempt;
    if (response.outcome !== 'secure' || !endsSoon(response.certificate, now, EXPIRY_WARNING_MS)) continue;
    const { validTo } = response.certificate;
    groups.set(validTo, [...groups.get(validTo) ?? [], attempt]);
  }
  return [...groups].map(([validTo, where]) => liveFinding('mx-certificate-near-expiry', {
    subject: `MX ${safeText(host)}`,
    message: `the certificate ends on ${validTo}, at ${addressList(where)}`,
    evidence: joinEvidence(where),
  }));
}

function skipped({ hosts, skipped: more }: SmtpObservations): LiveFinding[] {
  const addresses = hosts.filter((one) => one.skipped > 0).map(({ host, skipped: rest }) => `${rest} addresses of ${safeText(host)}`);
  const all = [...more === 0 ? [] : [`${more} mail hosts`], ...addresses];
  if (all.length === 0) return [];
  const answers = hosts.flatMap((one) => one.addresses.map((answer) => `${safeText(one.host)}: ${answerText(answer)}`));
  return [liveFinding('mx-skipped', { subject: 'SMTP', evidence: joinList(answers, 3), message: `not checked: ${joinList(all)}` })];
}

function addressList(attempts: readonly SmtpAttempt[]): string {
  return joinList(attempts.map(({ address }) => address));
}

function joinEvidence(attempts: readonly SmtpAttempt[]): string {
  return joinList(attempts.map(({ address, response }) => `${address}: ${mxResponseText(response)}`), 3);
}
