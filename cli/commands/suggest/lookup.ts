// What DNS says of a domain that wants a policy: who takes its mail, and what is published already.
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
  /** In lower case, without a dot at the end; whatever stands in DNS. */
  readonly name: string;
  /** Null for the domain itself, where there is no MX record. */
  readonly preference: number | null;
}

/** Who takes the mail of a domain. */
export type Mail = MailHosts | { readonly kind: 'null' } | NoMailHost | { readonly kind: 'unknown'; readonly reason: string };

/** Somebody, in the order in which senders try them. */
export interface MailHosts {
  readonly kind: 'hosts';
  readonly hosts: readonly MailHost[];
  /** There is no MX record: the host is the domain itself. */
  readonly implicit: boolean;
  /** A null MX stands beside them. */
  readonly nullBeside: boolean;
  /** Whether they can be reached; missing where nobody asked. */
  readonly reach?: Reach;
}

/** What DNS says of the hosts' addresses. */
export interface Reach {
  /** The hosts that have none. */
  readonly lost: readonly string[];
  /** Whether all are lost. */
  readonly none: boolean;
  /** What is to be said of them: sentences without a full stop. */
  readonly notes: readonly string[];
}

/** Neither an MX record nor an address; a null MX, which says that this is meant, is a kind of its own. */
export interface NoMailHost {
  readonly kind: 'nobody';
  /** Whether the name is in DNS at all. */
  readonly exists: boolean;
}

/** What stands at the name of a TXT record; `reason` is a phrase that says what else. */
export type Published<T> = { readonly status: 'valid'; readonly value: T } | { readonly status: 'none' }
  | { readonly status: 'broken' | 'unknown'; readonly reason: string };

/** All of it. */
export interface LiveDomain {
  readonly domain: string;
  readonly mail: Mail;
  /** The id of the record at `_mta-sts`. */
  readonly record: Published<string>;
  /** The addresses of the record at `_smtp._tls`. */
  readonly tlsRpt: Published<readonly string[]>;
  /** What else is wrong with what is published: sentences without a full stop. */
  readonly notes?: readonly string[];
}

/** Asks. Never rejects. */
export async function lookUp(resolver: Resolver, domain: string): Promise<LiveDomain> {
  const [mail, record, { tlsRpt, unreachable }, host] = await Promise.all([
    mailOf(resolver, domain).then((found) => withReach(resolver, domain, found)),
    resolver.query(stsRecordName(domain), 'TXT').then((answer) => published(answer, domain, readId)),
    resolver.query(reportingName(domain), 'TXT').then((answer) => reporting(resolver, domain, published(answer, domain, readAddresses))),
    policyHost(resolver, domain),
  ]);
  const misplaced = await Promise.all([
    record.status === 'none' ? findMisplacedRecord(resolver, domain, host.exists) : [],
    tlsRpt.status === 'none' ? findMisplacedReporting(resolver, domain, host.exists) : [],
  ]);
  return { domain, mail, record, tlsRpt, notes: [...host.notes, ...unreachable, ...misplaced.flat().map(noteOf)] };
}

/** The hosts, and which of them cannot be reached. Whether an address is public is for the verification to say. */
async function withReach(resolver: Resolver, domain: string, mail: Mail): Promise<Mail> {
  if (mail.kind !== 'hosts') return mail;
  const hosts = mail.hosts.map(({ name }) => name);
  const preferences = new Map(mail.hosts.flatMap(({ name, preference }): [string, number][] => {
    return preference === null ? [] : [[name, preference]];
  }));
  const addresses = await findMailAddresses({ clock: REAL_CLOCK, resolver }, hosts);
  const options = { allowPrivate: true, smtp: true };
  const { byHost, none, findings } = checkReach(domain, { hosts, preferences, evidence: '', decided: true, findings: [] }, addresses, options);
  return { ...mail, reach: { lost: hosts.filter((host) => byHost.get(host) === 'unreachable'), none, notes: findings.map(noteOf) } };
}

function noteOf({ message, fix, reference }: LiveFinding): string {
  return `${message}${fix === undefined ? '' : `; ${fix}`}${reference === undefined ? '' : ` (${reference})`}`;
}

async function reporting(
  resolver: Resolver, domain: string, tlsRpt: LiveDomain['tlsRpt'],
): Promise<{ readonly tlsRpt: LiveDomain['tlsRpt']; readonly unreachable: readonly string[] }> {
  return { tlsRpt, unreachable: tlsRpt.status === 'valid' ? (await checkReportDestinations(resolver, domain, tlsRpt.value)).map(noteOf) : [] };
}

/** An alias at the name of the policy host, where the deployment wants to make records of its own. */
async function policyHost(resolver: Resolver, domain: string): Promise<{ readonly exists: boolean; readonly notes: readonly string[] }> {
  const name = policyHostName(domain);
  const answers = await Promise.all([resolver.query(name, 'A'), resolver.query(name, 'AAAA')]);
  const exists = answers.some((answer) => answer.status === 'found' || (answer.status === 'empty' && answer.reason === 'NODATA'));
  const cnames = answers.flatMap((answer) => answer.cnames);
  if (cnames.length === 0 || answers.some(({ status }) => status !== 'empty')) return { exists, notes: [] };
  return { exists, notes: [`at ${name} ${danglingText(cnames, domain)} (cname-dangling); the deployment refuses to overwrite it, so delete it first`] };
}

async function mailOf(resolver: Resolver, domain: string): Promise<Mail> {
  const answer = await resolver.query(domain, 'MX');
  if (answer.status === 'failed') return { kind: 'unknown', reason: reasonOf(answer) };
  if (answer.status === 'empty') return implicit(resolver, domain, answer.reason !== 'NXDOMAIN');
  const sorted = [...answer.records].sort((one, other) => one.preference - other.preference || (one.exchange < other.exchange ? -1 : 1));
  const hosts = sorted.filter(({ exchange }, index) => exchange !== '' && sorted.findIndex((one) => one.exchange === exchange) === index);
  if (hosts.length === 0) return { kind: 'null' };
  return {
    kind: 'hosts',
    hosts: hosts.map(({ exchange, preference }) => ({ name: exchange, preference })),
    implicit: false,
    nullBeside: sorted.some(({ exchange }) => exchange === ''),
  };
}

/** Without an MX record the domain itself is the host, if it has an address (RFC 5321 §5.1). */
async function implicit(resolver: Resolver, domain: string, exists: boolean): Promise<Mail> {
  const [v4, v6] = await Promise.all([resolver.query(domain, 'A'), resolver.query(domain, 'AAAA')]);
  if (v4.status === 'found' || v6.status === 'found') {
    return { kind: 'hosts', hosts: [{ name: domain, preference: null }], implicit: true, nullBeside: false };
  }
  const failed = [v4, v6].find((answer) => answer.status === 'failed');
  return failed === undefined ? { kind: 'nobody', exists } : { kind: 'unknown', reason: reasonOf(failed) };
}

/** What the records of one name come to. */
interface Reading<T> {
  readonly value?: T;
  /** The worst that was found. */
  readonly message?: string;
}

function published<T>(answer: DnsAnswer<'TXT'>, domain: string, read: (records: readonly (readonly string[])[]) => Reading<T>): Published<T> {
  if (answer.status === 'failed') return { status: 'unknown', reason: reasonOf(answer) };
  if (answer.status === 'empty') {
    // A target that exists without the record is often a wildcard's, which means nothing by it.
    const isDangling = answer.cnames.length > 0 && answer.reason === 'NXDOMAIN';
    return isDangling ? { status: 'broken', reason: `${danglingText(answer.cnames, domain)} (cname-dangling)` } : { status: 'none' };
  }
  const { value, message = 'it cannot be read' } = read(answer.records);
  return value === undefined ? { status: 'broken', reason: message } : { status: 'valid', value };
}

function readId(records: readonly (readonly string[])[]): Reading<string> {
  const { record, findings } = parseRecord(records);
  return { value: record?.id, message: worstOf(findings) };
}

function readAddresses(records: readonly (readonly string[])[]): Reading<readonly string[]> {
  const { record, findings } = parseTlsRpt(records);
  return { value: record?.rua, message: worstOf(findings) };
}

/** With what to write where a record is there and only its version is not recognised. */
function worstOf(findings: readonly Finding[]): string | undefined {
  const worst = findings.find(({ severity }) => severity === 'error');
  // The record of the other name is to be moved, not lost.
  const swapped = findings.find(({ code, fix }) => code.endsWith('-unrelated-txt') && fix?.startsWith('move it') === true);
  const told = worst?.code.endsWith('-unrecognised') === true ? worst : swapped;
  return worst && `${worst.message}${told === undefined ? '' : `; ${told.fix ?? ''}`}`;
}

function reasonOf(answer: DnsAnswer<'MX' | 'A' | 'AAAA' | 'TXT'>): string {
  return answer.status === 'failed' ? `${safeText(answer.reason, 200)} from ${answer.server}` : '';
}
