// Check: what each address of each mail host showed over SMTP: STARTTLS, the certificate, and how long it lasts (RFC 8461 §4.2).
import { isIP } from 'node:net';
import type { Mode } from '../../../protocol/policy/policy';
import { joinList, safeText } from '../../../util/safe-text';
import { WRONG_NAME, endsSoon } from '../../tls/certificate';
import type { HostTlsState } from '../../delivery';
import { answerText, mxResponseText } from '../../evidence';
import { liveFinding } from '../../findings';
import type { LiveFindingCode } from '../../findings';
import { INTERNAL_ERROR } from '../../guard';
import { PORT_BLOCKED } from '../../smtp/mx-probe';
import { REFUSED, isLocalFault } from '../../network-errors';
import type { MxResponse } from '../../smtp/mx-response';
import { NOT_PUBLIC } from '../../public-only';
import type { Observation, LiveFinding } from '../../result';
import { CANCELLED, DEADLINE_EXCEEDED } from '../../network';
import { uncommonCipher } from '../policy/oddities';
import type { HostObservations, SmtpObservations, SmtpAttempt } from './smtp-collect';

/** What SMTP says of one host. */
export interface HostResult {
  readonly tls: HostTlsState['tls'];
  readonly paths: readonly Observation[];
}

export interface SmtpCheck {
  readonly byHost: ReadonlyMap<string, HostResult>;
  readonly findings: readonly LiveFinding[];
}

/**
 * Judges what was seen.
 *
 * @param mode - of the policy: only `enforce` makes senders refuse
 * @param now - milliseconds since the epoch
 */
export function classifySmtp(look: SmtpObservations, mode: Mode | undefined, now: number): SmtpCheck {
  const byHost = new Map(look.hosts.map((one): [string, HostResult] => [one.host, { tls: standing(one), paths: one.visits.map(pathOf) }]));
  const visits = look.hosts.flatMap((one) => one.visits);
  const blocked = isBlocked(look);
  return {
    byHost,
    findings: [
      ...blocked ? [portBlocked(visits)] : familiesUnusable(visits),
      ...look.hosts.flatMap((one) => [...ofVisits(one, mode, blocked), ...uncommonCiphers(one), ...nearExpiry(one, now)]),
      ...skipped(look),
    ],
  };
}

/**
 * Silence of all, from a network that has never let anything through, is the network's; so is a refusal, if it is that of several
 * hosts, for firewalls refuse as well.
 */
function isBlocked({ hosts, reachedAny }: SmtpObservations): boolean {
  const tried = hosts.flatMap(({ visits }) => visits).filter(({ response }) => response.outcome !== 'unusable' && codeOf(response) !== NOT_PUBLIC);
  const refusing = hosts.filter(({ visits }) => visits.some(isRefused));
  return !reachedAny && tried.every((visit) => isSilent(visit) || isRefused(visit)) && (tried.some(isSilent) || refusing.length > 1);
}

function isRefused({ response }: SmtpAttempt): boolean {
  return codeOf(response) === REFUSED;
}

function codeOf(response: MxResponse): string {
  return response.outcome === 'secure' ? '' : response.code;
}

/** Senders go on to the next address when one fails, so one good address is enough for mail, and one that hides leaves all open. */
function standing({ visits, addresses }: HostObservations): HostTlsState['tls'] {
  if (addresses.every(({ status }) => status === 'empty')) return 'no-address';
  if (visits.some(({ response }) => response.outcome === 'secure')) return 'secure';
  const open = visits.some(({ response: { outcome } }) => outcome === 'unusable' || outcome === 'rejected');
  return !open && visits.some(({ response }) => isInsecure(response)) ? 'insecure' : 'unknown';
}

function isInsecure({ outcome }: MxResponse): boolean {
  return outcome === 'no-starttls' || outcome === 'tls-failed' || outcome === 'untrusted';
}

function isSilent({ response }: SmtpAttempt): boolean {
  return response.outcome === 'timeout';
}

/** Not tried, for want of a route. */
function isUnusable({ response }: SmtpAttempt): boolean {
  return response.outcome === 'unusable' && !isCutOff(response.code) && !isLocalFault(response.code) && response.code !== INTERNAL_ERROR;
}

function isCutOff(code: string): boolean {
  return code === DEADLINE_EXCEEDED || code === CANCELLED;
}

function pathOf({ address, response }: SmtpAttempt): Observation {
  const fault = isInsecure(response) || response.outcome === 'unreachable';
  return {
    at: address,
    status: response.outcome === 'secure' ? 'ok' : fault ? 'failed' : 'unknown',
    answer: mxResponseText(response),
    milliseconds: response.milliseconds,
  };
}

function portBlocked(visits: readonly SmtpAttempt[]): LiveFinding {
  const silent = visits.filter((visit) => isSilent(visit) || isRefused(visit));
  return liveFinding('smtp-blocked', {
    subject: 'SMTP',
    evidence: evidenceOf(silent),
    message: `no connection came about with any of ${silent.length === 1 ? 'one address' : `${silent.length} addresses`} of the mail hosts, as where a network blocks port 25; `
      + 'STARTTLS and certificates were not looked at',
  });
}

/** It is this machine's lack, so it is told once and not for each host. */
function familiesUnusable(visits: readonly SmtpAttempt[]): LiveFinding[] {
  const unusable = visits.filter(isUnusable);
  return ['IPv4', 'IPv6'].flatMap((family) => {
    const where = unusable.filter(({ address }) => isIP(address) === (family === 'IPv6' ? 6 : 4));
    return where.length === 0
      ? []
      : [liveFinding('address-family-unusable', {
          subject: 'SMTP', evidence: evidenceOf(where), message: `${placesOf(where)} could not be tried, this machine has no route for ${family}`,
        })];
  });
}

/** A kind of fault, and the addresses that show it. */
interface Fault {
  readonly code: LiveFindingCode;
  readonly message: string;
  /** Whether it is one that senders that enforce a policy refuse for. */
  readonly ofTls: boolean;
  readonly temporary?: boolean;
}

function ofVisits({ host, visits }: HostObservations, mode: Mode | undefined, blocked: boolean): LiveFinding[] {
  const groups = new Map<string, { readonly fault: Fault; readonly visits: SmtpAttempt[] }>();
  for (const visit of visits) {
    if ((blocked && (isSilent(visit) || isRefused(visit))) || isUnusable(visit)) continue;
    for (const fault of faultsOf(visit.response, host)) {
      const key = `${fault.code} ${fault.message}`;
      const group = groups.get(key) ?? { fault, visits: [] };
      group.visits.push(visit);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map(({ fault, visits: where }) => liveFinding(fault.code, {
    subject: `MX ${safeText(host)}`,
    message: `${fault.message}, at ${placesOf(where)}${fault.ofTls ? consequence(mode) : ''}`,
    evidence: evidenceOf(where),
    temporary: fault.temporary,
    ...(fault.ofTls ? { severity: mode === 'enforce' ? 'error' : 'warning' } : {}),
  }));
}

function consequence(mode: Mode | undefined): string {
  switch (mode) {
    case 'enforce': return '; in mode enforce senders refuse to deliver there';
    case 'testing': return '; in mode testing senders deliver there and report it';
    case 'none':
    case undefined: return '; senders deliver there all the same, for no policy tells them otherwise';
  }
}

function faultsOf(response: MxResponse, host: string): Fault[] {
  const { outcome } = response;
  if (outcome === 'secure') return [];
  const { reason, code } = response;
  // Said of the addresses themselves, whether or not SMTP is tried.
  if (code === NOT_PUBLIC) return [];
  switch (outcome) {
    case 'unusable':
      if (code === INTERNAL_ERROR) return [{ code: 'internal-fault', message: `${safeText(host)} was not looked at to the end: ${reason}`, ofTls: false }];
      if (isLocalFault(code)) return [{ code: 'local-fault', message: `${safeText(host)} could not be tried: ${reason}`, ofTls: false }];
      return [{ code: 'not-reached', message: `${safeText(host)} was not looked at to the end: ${reason}`, ofTls: false }];
    case 'timeout':
    case 'unreachable':
      return [{ code: 'mx-unreachable', message: reason, ofTls: false, temporary: code !== PORT_BLOCKED }];
    case 'rejected':
      return [{ code: 'smtp-turned-away', message: reason, ofTls: false, temporary: code.startsWith('4') }];
    case 'no-starttls':
      return [{ code: 'starttls-not-supported', message: reason, ofTls: true, temporary: code.startsWith('4') }];
    case 'tls-failed':
      return [{ code: 'validation-failure', message: reason, ofTls: true, temporary: LOST.has(code) }];
    case 'untrusted':
      return response.faults.map((one) => ({ code: certificateCode(one.code), message: one.reason, ofTls: true }));
  }
}

/** The codes of a handshake that was not finished, which says nothing of the next. */
const LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/** RFC 8460 §4.3. */
function certificateCode(code: string): LiveFindingCode {
  if (code === WRONG_NAME) return 'certificate-host-mismatch';
  return code === 'CERT_HAS_EXPIRED' ? 'certificate-expired' : 'certificate-not-trusted';
}

/** Senders that deliver by Go's own TLS; the others of Go leave that to Postfix. */
const GO_MAIL_SERVERS = ['mox', 'chasquid'];

function uncommonCiphers({ host, visits }: HostObservations): LiveFinding[] {
  const groups = new Map<string, SmtpAttempt[]>();
  for (const visit of visits) {
    const { response } = visit;
    if (response.outcome === 'secure' && response.cipher !== undefined) groups.set(response.cipher, [...groups.get(response.cipher) ?? [], visit]);
  }
  return [...groups].map(([cipher, where]) => {
    const { code, message, quirks } = uncommonCipher(cipher, GO_MAIL_SERVERS);
    return liveFinding(code, { subject: `MX ${safeText(host)}`, message: `${message}, at ${placesOf(where)}`, quirks, evidence: evidenceOf(where) });
  });
}

/** Public authorities renew 30 days before the end. */
const EXPIRY = 14 * 86_400_000;

function nearExpiry({ host, visits }: HostObservations, now: number): LiveFinding[] {
  const groups = new Map<string, SmtpAttempt[]>();
  for (const visit of visits) {
    const { response } = visit;
    if (response.outcome !== 'secure' || !endsSoon(response.certificate, now, EXPIRY)) continue;
    const { validTo } = response.certificate;
    groups.set(validTo, [...groups.get(validTo) ?? [], visit]);
  }
  return [...groups].map(([validTo, where]) => liveFinding('mx-certificate-near-expiry', {
    subject: `MX ${safeText(host)}`,
    message: `the certificate ends on ${validTo}, at ${placesOf(where)}`,
    evidence: evidenceOf(where),
  }));
}

function skipped({ hosts, skipped: more }: SmtpObservations): LiveFinding[] {
  const addresses = hosts.filter((one) => one.skipped > 0).map(({ host, skipped: rest }) => `${rest} addresses of ${safeText(host)}`);
  const all = [...more === 0 ? [] : [`${more} mail hosts`], ...addresses];
  if (all.length === 0) return [];
  const answers = hosts.flatMap((one) => one.addresses.map((answer) => `${safeText(one.host)}: ${answerText(answer)}`));
  return [liveFinding('mx-skipped', { subject: 'SMTP', evidence: joinList(answers, 3), message: `not looked at: ${joinList(all)}` })];
}

function placesOf(visits: readonly SmtpAttempt[]): string {
  return joinList(visits.map(({ address }) => address));
}

function evidenceOf(visits: readonly SmtpAttempt[]): string {
  return joinList(visits.map(({ address, response }) => `${address}: ${mxResponseText(response)}`), 3);
}
