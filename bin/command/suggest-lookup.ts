// What DNS says of a domain that wants a policy: who takes its mail, and what is published already.
import type { Finding } from '../../lib/protocol/finding';
import { parseRecord } from '../../lib/protocol/record';
import { announcementName, reportingName } from '../../lib/protocol/record-names';
import { printable } from '../../lib/protocol/text';
import { parseTlsRpt } from '../../lib/protocol/tls-rpt';
import type { DnsAnswer, Resolver } from '../../lib/verifier/resolver';

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
}

/** Asks. Never rejects. */
export async function lookUp(resolver: Resolver, domain: string): Promise<LiveDomain> {
  const [mail, record, tlsRpt] = await Promise.all([
    mailOf(resolver, domain),
    resolver.query(announcementName(domain), 'TXT').then((answer) => published(answer, readId)),
    resolver.query(reportingName(domain), 'TXT').then((answer) => published(answer, readAddresses)),
  ]);
  return { domain, mail, record, tlsRpt };
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

function published<T>(answer: DnsAnswer<'TXT'>, read: (records: readonly (readonly string[])[]) => Reading<T>): Published<T> {
  if (answer.status === 'failed') return { status: 'unknown', reason: reasonOf(answer) };
  if (answer.status === 'empty') return { status: 'none' };
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
  return worst && `${worst.message}${worst.code.endsWith('-unrecognised') ? `; ${worst.fix ?? ''}` : ''}`;
}

function reasonOf(answer: DnsAnswer<'MX' | 'A' | 'AAAA' | 'TXT'>): string {
  return answer.status === 'failed' ? `${printable(answer.reason, 200)} from ${answer.server}` : '';
}
