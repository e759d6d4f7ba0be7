// Checks whether TLS reports can arrive at the addresses of the record (RFC 8460 §3). Without reports, `testing` looks clean.
import { isIP } from 'node:net';
import { hostNameProblem, toALabels } from '../../../protocol/domain-name';
import { reportingName } from '../../../protocol/records/record-names';
import { joinList, safeText } from '../../../util/safe-text';
import { answerText } from '../../evidence';
import { TLS_RPT_LIVE_FINDINGS } from '../../../protocol/findings/tls-rpt';
import { DNS_ANSWER_FINDINGS } from '../dns-answer';
import { findingFactory } from '../live-finding';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';

const liveFinding = findingFactory({ ...TLS_RPT_LIVE_FINDINGS, ...DNS_ANSWER_FINDINGS });

/** A host or mail domain that receives reports. */
interface Destination {
  readonly kind: 'mail' | 'https';
  readonly name: string;
  /** The first reporting address with this destination, as written in the record. */
  readonly uri: string;
}

/** Maximum number of destinations to look up; ordinary records have fewer. */
const MAX_DESTINATIONS = 8;

/**
 * Looks up each mail domain and each host once.
 *
 * @param domain - the domain that the reports are about. A DNS failure for its own MX records is reported by another check
 * @param ownMx - the MX records of the domain, where the caller has already asked for them: most reports go there
 */
export async function checkReportDestinations(
  resolver: Resolver, domain: string, rua: readonly string[], ownMx?: Promise<DnsAnswer<'MX'>>,
): Promise<LiveFinding[]> {
  const subject = `${reportingName(domain)} TXT`;
  const destinations = new Map<string, Destination>();
  for (const uri of rua) {
    const destination = parseDestination(uri);
    if (destination === undefined) continue;
    const key = `${destination.kind} ${destination.name}`;
    if (!destinations.has(key)) destinations.set(key, destination);
  }
  const found = await Promise.all([...destinations.values()].slice(0, MAX_DESTINATIONS).map(async (one) => {
    const findings = await (one.kind === 'mail' ? checkMailDomain(resolver, subject, one, one.name === domain ? ownMx : undefined) : checkHost(resolver, subject, one));
    return one.name === domain ? findings.filter(({ code }) => code !== 'dns-failure') : findings;
  }));
  return found.flat();
}

/** Returns undefined where there is no name to look up: for an address literal, or for an address that the linter rejects. */
function parseDestination(uri: string): Destination | undefined {
  const found = /^mailto:([^?#]*)(?:\?(?:[^#]*&)?to=([^&#]*))?/i.exec(uri);
  const mail = found?.[1] === '' ? found[2] : found?.[1];
  // Decoding cannot throw: the linter accepts only addresses that decode to text.
  const host = mail === undefined ? httpsHost(uri) : decodeURIComponent(mail.slice(mail.lastIndexOf('@') + 1)).split('@').at(-1) ?? '';
  const name = toALabels(host);
  if (hostNameProblem(name) !== undefined || !name.includes('.') || isIP(name) !== 0) return undefined;
  return { kind: mail === undefined ? 'https' : 'mail', name, uri };
}

function httpsHost(uri: string): string {
  return /^https:/i.test(uri) && URL.canParse(uri) ? new URL(uri).hostname : '';
}

async function checkMailDomain(
  resolver: Resolver, subject: string, destination: Destination, asked?: Promise<DnsAnswer<'MX'>>,
): Promise<LiveFinding[]> {
  const { name } = destination;
  const mx = await (asked ?? resolver.query(name, 'MX'));
  if (mx.status === 'failed') return [undecided(subject, destination, [mx])];
  // Without an MX record the domain itself is the host (RFC 5321 §5.1).
  if (mx.status === 'empty') return checkHost(resolver, subject, destination);
  if (mx.records.some(({ exchange }) => exchange !== '')) return [];
  return [unreachable(subject, destination, `${name} has a null MX: it takes no mail`, [mx])];
}

async function checkHost(resolver: Resolver, subject: string, destination: Destination): Promise<LiveFinding[]> {
  const { name, kind } = destination;
  const answers = await Promise.all([resolver.query(name, 'A'), resolver.query(name, 'AAAA')]);
  if (answers.some(({ status }) => status === 'found')) return [];
  if (answers.some(({ status }) => status === 'failed')) return [undecided(subject, destination, answers)];
  const isAbsent = answers.every((answer) => answer.status === 'empty' && answer.reason === 'NXDOMAIN');
  const lacking = kind === 'mail' ? `${name} has neither an MX record nor an address` : `${name} has no address`;
  return [unreachable(subject, destination, isAbsent ? `there is no ${name} in DNS` : lacking, answers)];
}

function unreachable(subject: string, { uri }: Destination, why: string, answers: readonly DnsAnswer<'MX' | 'A' | 'AAAA'>[]): LiveFinding {
  return liveFinding('tls-rpt-unreachable', {
    subject, evidence: joinEvidence(answers), message: `TLS reports to ${safeText(uri)} cannot arrive: ${why}. A failure that makes senders refuse mail goes unseen`,
  });
}

function undecided(subject: string, { uri, name }: Destination, answers: readonly DnsAnswer<'MX' | 'A' | 'AAAA'>[]): LiveFinding {
  const reasons = new Set(answers.flatMap((answer) => answer.status === 'failed' ? [answer.reason] : []));
  return liveFinding('dns-failure', {
    area: 'tls-reporting', subject, evidence: joinEvidence(answers), message: `whether TLS reports to ${safeText(uri)} can arrive is not known: ${name} could not be looked up: ${joinList([...reasons])}`,
  });
}

function joinEvidence(answers: readonly DnsAnswer<'MX' | 'A' | 'AAAA'>[]): string {
  return answers.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; ');
}
