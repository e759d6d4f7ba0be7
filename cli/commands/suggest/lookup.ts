// Looks up a domain in DNS: its mail hosts, and its published MTA-STS and TLSRPT records.
import type { Finding } from '../../../lib/protocol/findings/finding';
import { policyHostName } from '../../../lib/protocol/policy/url';
import { parseRecord } from '../../../lib/protocol/records/sts-record';
import { stsRecordName, reportingName } from '../../../lib/protocol/records/record-names';
import { safeText } from '../../../lib/util/safe-text';
import { parseTlsRpt } from '../../../lib/protocol/records/tls-rpt';
import { danglingText } from '../../../lib/verifier/checks/records/cname';
import { findMisplacedRecord, findMisplacedReporting } from '../../../lib/verifier/checks/records/misplaced';
import { checkReach, findMailAddresses } from '../../../lib/verifier/checks/mail/mx-reach';
import { checkReportDestinations } from '../../../lib/verifier/checks/records/report-destinations';
import type { LiveFinding } from '../../../lib/verifier/result';
import type { DnsAnswer } from '../../../lib/verifier/dns/answer';
import type { Resolver } from '../../../lib/verifier/dns/resolver';
import { REAL_CLOCK } from '../../../lib/verifier/network';

/** One mail host. */
export interface MailHost {
  /** In lower case, without a dot at the end. Not checked: any name from DNS. */
  readonly name: string;
  /** Null for the domain itself if there is no MX record. */
  readonly preference: number | null;
}

/** The mail hosts of a domain. */
export type Mail = MailHosts | { readonly kind: 'null' } | NoMailHost | { readonly kind: 'unknown'; readonly reason: string };

/** Mail hosts in the order in which senders try them. */
export interface MailHosts {
  readonly kind: 'hosts';
  readonly hosts: readonly MailHost[];
  /** Whether the host is the domain itself, without an MX record. */
  readonly findImplicitHost: boolean;
  /** Whether there is also a null MX. */
  readonly hasNullMx: boolean;
  /** Missing if the addresses were not looked up. */
  readonly reach?: Reach;
}

/** Whether the hosts have addresses in DNS. */
export interface Reach {
  /** The hosts without an address. */
  readonly unreachable: readonly string[];
  /** Whether no host has an address. */
  readonly none: boolean;
  /** Sentences without a full stop. */
  readonly notes: readonly string[];
}

/** The domain has neither an MX record nor an address. A null MX, which states this on purpose, is a separate kind. */
interface NoMailHost {
  readonly kind: 'none';
  /** Whether the domain exists in DNS. */
  readonly exists: boolean;
}

/** The state of a published TXT record. `reason` is a phrase. */
export type Published<T> = { readonly status: 'valid'; readonly value: T } | { readonly status: 'none' }
  | { readonly status: 'broken' | 'unknown'; readonly reason: string };

/** The result of the look-up. */
export interface LiveDomain {
  readonly domain: string;
  readonly mail: Mail;
  /** The record at `_mta-sts`; its value is the id. */
  readonly record: Published<string>;
  /** The record at `_smtp._tls`; its value is the addresses. */
  readonly tlsRpt: Published<readonly string[]>;
  /** Further problems of the published records: sentences without a full stop. */
  readonly notes?: readonly string[];
}

/** Looks up a domain. Never rejects. */
export async function lookUp(resolver: Resolver, domain: string): Promise<LiveDomain> {
  const [mail, record, { tlsRpt, unreachable }, host] = await Promise.all([
    findMail(resolver, domain).then((found) => addReach(resolver, domain, found)),
    resolver.query(stsRecordName(domain), 'TXT').then((answer) => readPublished(answer, domain, readId)),
    resolver.query(reportingName(domain), 'TXT').then((answer) => checkReporting(resolver, domain, readPublished(answer, domain, readAddresses))),
    findPolicyHost(resolver, domain),
  ]);
  const misplaced = await Promise.all([
    record.status === 'none' ? findMisplacedRecord(resolver, domain, host.exists) : [],
    tlsRpt.status === 'none' ? findMisplacedReporting(resolver, domain, host.exists) : [],
  ]);
  return { domain, mail, record, tlsRpt, notes: [...host.notes, ...unreachable, ...misplaced.flat().map(formatNote)] };
}

/** Adds the hosts that have no address. Only the verification checks whether an address is public. */
async function addReach(resolver: Resolver, domain: string, mail: Mail): Promise<Mail> {
  if (mail.kind !== 'hosts') return mail;
  const hosts = mail.hosts.map(({ name }) => name);
  const preferences = new Map(mail.hosts.flatMap(({ name, preference }): [string, number][] => {
    return preference === null ? [] : [[name, preference]];
  }));
  const addresses = await findMailAddresses({ clock: REAL_CLOCK, resolver }, hosts);
  const options = { allowPrivate: true, smtp: true };
  const { byHost, none, findings } = checkReach(domain, { hosts, preferences, evidence: '', decided: true, findings: [] }, addresses, options);
  return { ...mail, reach: { unreachable: hosts.filter((host) => byHost.get(host) === 'unreachable'), none, notes: findings.map(formatNote) } };
}

function formatNote({ message, fix, reference }: LiveFinding): string {
  return `${message}${fix === undefined ? '' : `; ${fix}`}${reference === undefined ? '' : ` (${reference})`}`;
}

async function checkReporting(
  resolver: Resolver, domain: string, tlsRpt: LiveDomain['tlsRpt'],
): Promise<{ readonly tlsRpt: LiveDomain['tlsRpt']; readonly unreachable: readonly string[] }> {
  return { tlsRpt, unreachable: tlsRpt.status === 'valid' ? (await checkReportDestinations(resolver, domain, tlsRpt.value)).map(formatNote) : [] };
}

/** Finds an alias at the name of the policy host, where the deployment creates its own records. */
async function findPolicyHost(
  resolver: Resolver, domain: string,
): Promise<{ readonly exists: boolean; readonly notes: readonly string[] }> {
  const name = policyHostName(domain);
  const answers = await Promise.all([resolver.query(name, 'A'), resolver.query(name, 'AAAA')]);
  const exists = answers.some((answer) => answer.status === 'found' || (answer.status === 'empty' && answer.reason === 'NODATA'));
  const cnames = answers.flatMap((answer) => answer.cnames);
  if (cnames.length === 0 || answers.some(({ status }) => status !== 'empty')) return { exists, notes: [] };
  return { exists, notes: [`at ${name} ${danglingText(cnames, domain)} (cname-dangling); the deployment refuses to overwrite it, so delete it first`] };
}

async function findMail(resolver: Resolver, domain: string): Promise<Mail> {
  const answer = await resolver.query(domain, 'MX');
  if (answer.status === 'failed') return { kind: 'unknown', reason: failureReason(answer) };
  if (answer.status === 'empty') return implicit(resolver, domain, answer.reason !== 'NXDOMAIN');
  const sorted = [...answer.records].sort((one, other) => one.preference - other.preference || (one.exchange < other.exchange ? -1 : 1));
  const hosts = sorted.filter(({ exchange }, index) => exchange !== '' && sorted.findIndex((record) => record.exchange === exchange) === index);
  if (hosts.length === 0) return { kind: 'null' };
  return {
    kind: 'hosts',
    hosts: hosts.map(({ exchange, preference }) => ({ name: exchange, preference })),
    findImplicitHost: false,
    hasNullMx: sorted.some(({ exchange }) => exchange === ''),
  };
}

/** Returns the domain itself as its mail host if it has an address but no MX record (RFC 5321 §5.1). */
async function implicit(resolver: Resolver, domain: string, exists: boolean): Promise<Mail> {
  const [v4, v6] = await Promise.all([resolver.query(domain, 'A'), resolver.query(domain, 'AAAA')]);
  if (v4.status === 'found' || v6.status === 'found') {
    return { kind: 'hosts', hosts: [{ name: domain, preference: null }], findImplicitHost: true, hasNullMx: false };
  }
  const failed = [v4, v6].find((answer) => answer.status === 'failed');
  return failed === undefined ? { kind: 'none', exists } : { kind: 'unknown', reason: failureReason(failed) };
}

/** The value of the records of one name. */
interface Reading<T> {
  readonly value?: T;
  /** The worst finding. */
  readonly message?: string;
}

function readPublished<T>(answer: DnsAnswer<'TXT'>, domain: string, read: (records: readonly (readonly string[])[]) => Reading<T>): Published<T> {
  if (answer.status === 'failed') return { status: 'unknown', reason: failureReason(answer) };
  if (answer.status === 'empty') {
    // A target that exists without a TXT record often comes from a wildcard, so it is not a problem.
    const isDangling = answer.cnames.length > 0 && answer.reason === 'NXDOMAIN';
    return isDangling ? { status: 'broken', reason: `${danglingText(answer.cnames, domain)} (cname-dangling)` } : { status: 'none' };
  }
  const { value, message = 'it cannot be read' } = read(answer.records);
  return value === undefined ? { status: 'broken', reason: message } : { status: 'valid', value };
}

function readId(records: readonly (readonly string[])[]): Reading<string> {
  const { record, findings } = parseRecord(records);
  return { value: record?.id, message: worstMessage(findings) };
}

function readAddresses(records: readonly (readonly string[])[]): Reading<readonly string[]> {
  const { record, findings } = parseTlsRpt(records);
  return { value: record?.rua, message: worstMessage(findings) };
}

/** Returns the worst message, with its fix if only the version of a record is not recognised. */
function worstMessage(findings: readonly Finding[]): string | undefined {
  const worst = findings.find(({ severity }) => severity === 'error');
  // A record of the other name must be moved, not deleted.
  const swapped = findings.find(({ code, fix }) => code.endsWith('-unrelated-txt') && fix?.startsWith('move it') === true);
  const withFix = worst?.code.endsWith('-unrecognised') === true ? worst : swapped;
  return worst && `${worst.message}${withFix === undefined ? '' : `; ${withFix.fix ?? ''}`}`;
}

function failureReason(answer: DnsAnswer<'MX' | 'A' | 'AAAA' | 'TXT'>): string {
  return answer.status === 'failed' ? `${safeText(answer.reason, 200)} from ${answer.server}` : '';
}
