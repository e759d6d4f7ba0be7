// Check: can the mail hosts be reached at all? Their addresses are asked for, whether or not SMTP is tried (RFC 5321 §5.1).
import { isIP } from 'node:net';
import { mxCoverage } from '../../../protocol/mx/coverage';
import type { Policy } from '../../../protocol/policy/policy';
import { joinList, safeText } from '../../../util/safe-text';
import { appendedZone } from '../../dns/appended-zone';
import { bothFamilies } from '../../dns/both-families';
import type { BothFamilies } from '../../dns/both-families';
import { answerText } from '../../evidence';
import { liveFinding } from '../../findings';
import { NOT_PUBLIC_REASON, isPublicAddress } from '../../public-only';
import type { LiveFinding } from '../../result';
import { SOME_RESOLVER } from '../../dns/answer';
import type { DnsEmpty } from '../../dns/answer';
import type { DnsNetwork } from '../../network';
import { aliasProblem } from '../records/cname';
import { eachOf } from './mx-coverage';
import type { MailHosts } from './mx-coverage';

/** One mail host and what DNS says of its addresses. */
export interface HostAddresses {
  readonly host: string;
  readonly answers: BothFamilies;
}

/** The mail hosts that were asked for. */
export interface MailAddresses {
  readonly hosts: readonly HostAddresses[];
  /** Hosts beyond those that are asked for. */
  readonly skipped: number;
}

/** More than any honest domain has. */
const MOST_HOSTS = 20;

/** What one address family is worth waiting for after the other has been found. */
const FAMILY_PATIENCE_MS = 2000;

/** Asks for the addresses of the first twenty hosts, all at once. */
export async function findMailAddresses(dns: DnsNetwork, hosts: readonly string[]): Promise<MailAddresses> {
  const asked = await Promise.all(hosts.slice(0, MOST_HOSTS).map(async (host) => ({ host, answers: await addressesOf(dns, host) })));
  return { hosts: asked, skipped: Math.max(0, hosts.length - MOST_HOSTS) };
}

/** An MX record that holds an address names no host, and no DNS server is needed to say so. */
async function addressesOf({ clock, resolver }: DnsNetwork, host: string): Promise<BothFamilies> {
  if (isIP(host) !== 0) return [NO_SUCH_NAME, NO_SUCH_NAME];
  return bothFamilies(clock, resolver.query(host, 'A'), resolver.query(host, 'AAAA'), FAMILY_PATIENCE_MS);
}

const NO_SUCH_NAME: DnsEmpty = { status: 'empty', reason: 'NXDOMAIN', authoritative: false, server: SOME_RESOLVER, cnames: [] };

/** `unknown`: DNS did not answer, which never means "no address". */
export type Reach = 'reachable' | 'unreachable' | 'unknown';

/** What the addresses come to. */
export interface MailReach {
  readonly byHost: ReadonlyMap<string, Reach>;
  /** Whether it is known that some host can be reached, or that none can. */
  readonly decided: boolean;
  /** Whether mail cannot be delivered: the domain has mail hosts, and none of them can be reached. */
  readonly none: boolean;
  readonly findings: readonly LiveFinding[];
}

/** How to judge the addresses. */
export interface ReachOptions {
  /** Whether addresses that are not public count as well. */
  readonly allowPrivate: boolean;
  /** Whether SMTP is tried, which tells itself which hosts it has left out. */
  readonly smtp: boolean;
  /** The policy of the domain, where there is one. */
  readonly policy?: Policy;
}

/** Says which hosts can be reached, which are aliases (RFC 2181 §10.3), and what is wrong with the others. */
export function checkReach(domain: string, mail: MailHosts, { hosts, skipped }: MailAddresses, options: ReachOptions): MailReach {
  const byHost = new Map(hosts.map((one) => [one.host, reachOf(one, options.allowPrivate)] as const));
  const all = [...byHost.values()];
  const none = hosts.length > 0 && skipped === 0 && all.every((reach) => reach === 'unreachable');
  const of = (reach: Reach): readonly HostAddresses[] => hosts.filter(({ host }) => byHost.get(host) === reach);
  const lost = of('unreachable').filter((one) => addressesIn(one).length === 0);
  const consequence = consequenceOf(domain, hosts.length, none);
  const byName = new Map(hosts.map((one) => [one.host, one]));
  const each = (some: readonly HostAddresses[], make: (one: HostAddresses, more: string) => LiveFinding): LiveFinding[] => {
    return eachOf(some.map(({ host }) => host), (host, more) => make(byName.get(host) ?? some[0], more));
  };
  return {
    byHost,
    none,
    decided: none || hosts.length === 0 || all.includes('reachable'),
    findings: [
      ...each(lost, (one, more) => unreachable(domain, mail, one, { severity: none ? 'error' : 'warning', text: consequence + more })),
      ...options.allowPrivate ? [] : each(hosts.filter(hasPrivate), (one, more) => notPublic(one, none, consequence + more)),
      ...each(hosts.filter(isFailed), undecided),
      ...each(hosts.filter((one) => byHost.get(one.host) !== 'unreachable' && mail.preferences.has(one.host) && aliasesOf(one).length > 0 && !isLoop(one)),
        (one, more) => alias(one, options.policy, more)),
      ...skipped === 0 || options.smtp ? [] : [tooMany(domain, mail, skipped)],
    ],
  };
}

function tooMany(domain: string, { evidence }: MailHosts, skipped: number): LiveFinding {
  return liveFinding('mx-skipped', { subject: `${domain} MX`, evidence, message: `not looked at: ${skipped} mail hosts` });
}

/** The names that the CNAMEs at a host lead to, in order. */
export function aliasesOf({ answers: [v4, v6] }: HostAddresses): readonly string[] {
  return v4.cnames.length > 0 ? v4.cnames : v6.cnames;
}

function reachOf(one: HostAddresses, allowPrivate: boolean): Reach {
  if (addressesIn(one).some((address) => allowPrivate || isPublicAddress(address))) return 'reachable';
  return one.answers.some(({ status }) => status === 'failed') ? 'unknown' : 'unreachable';
}

function addressesIn({ answers }: HostAddresses): readonly string[] {
  return answers.flatMap((answer) => answer.status === 'found' ? answer.records : []);
}

function hasPrivate(one: HostAddresses): boolean {
  return addressesIn(one).some((address) => !isPublicAddress(address));
}

function isFailed({ answers }: HostAddresses): boolean {
  return answers.some(({ status }) => status === 'failed');
}

/** Where the aliases lead back to a name that was there before, none of them is a name to write into the MX record. */
function isLoop(one: HostAddresses): boolean {
  return one.answers.some((answer) => answer.status === 'failed' && aliasProblem(answer).temporary === false);
}

function consequenceOf(domain: string, hosts: number, none: boolean): string {
  if (!none) return '. Senders pass it over';
  return hosts === 1
    ? `. It is the only mail host of ${domain}, so mail to ${domain} is not delivered`
    : `. No mail host of ${domain} can be reached, so mail to ${domain} is not delivered`;
}

function unreachable(
  domain: string, { evidence }: MailHosts, one: HostAddresses, { severity, text }: { readonly severity: 'error' | 'warning'; readonly text: string },
): LiveFinding {
  const { host } = one;
  const shown = safeText(host);
  const isAddress = isIP(host) !== 0;
  const cnames = aliasesOf(one);
  const meant = isAddress ? undefined : appendedZone(host, domain);
  const why = isAddress
    ? 'an MX record must name a host, and this is an address'
    : cnames.length > 0
      ? `it is an alias (CNAME) of ${safeText(cnames.at(-1) ?? '')}, which has no address`
      : one.answers.every((answer) => answer.status === 'empty' && answer.reason === 'NXDOMAIN') ? 'there is no such name in DNS' : 'it has no address';
  const mistake = meant === undefined
    ? ''
    : meant.twice ? '; the zone name is appended twice' : `; if \`${safeText(meant.meant)}\` is meant, the dot at its end is missing`;
  return liveFinding('mx-no-address', {
    subject: `MX ${shown}`,
    severity,
    evidence: isAddress ? evidence : evidenceOf(one),
    message: `the mail host ${shown} cannot be reached: ${why}${mistake}${text}`,
    ...fixOf(isAddress, meant?.meant),
  });
}

function fixOf(isAddress: boolean, meant: string | undefined): { readonly fix?: string } {
  if (isAddress) return { fix: 'give the address a host name by an A or AAAA record, and let the MX record name that' };
  if (meant === undefined) return {};
  const written = isIP(meant) === 0 ? `let the MX record name \`${safeText(meant)}.\`, with the dot at its end` : undefined;
  return { fix: written ?? `\`${safeText(meant)}\` is an address: give it a host name by an A or AAAA record, and let the MX record name that` };
}

function notPublic(one: HostAddresses, none: boolean, consequence: string): LiveFinding {
  const shown = safeText(one.host);
  const where = joinList(addressesIn(one).filter((address) => !isPublicAddress(address)));
  return liveFinding('address-not-public', {
    subject: `MX ${shown}`,
    // Senders pass it over, as they do a host that has no address.
    severity: none ? 'error' : 'warning',
    evidence: evidenceOf(one),
    message: `the address of the mail host ${NOT_PUBLIC_REASON}, at ${where}`
      + (none ? `. ${shown} cannot be reached${consequence}` : ''),
  });
}

function undecided(one: HostAddresses, more: string): LiveFinding {
  const failed = one.answers.flatMap((answer) => answer.status === 'failed' ? [answer] : []);
  return liveFinding('dns-failure', {
    subject: `MX ${safeText(one.host)}`,
    evidence: evidenceOf(one),
    message: `the addresses of the mail host ${safeText(one.host)} could not all be had: ${joinList([...new Set(failed.map(({ reason }) => reason))])}${more}`,
    ...aliasProblem(failed[0]),
  });
}

function alias(one: HostAddresses, policy: Policy | undefined, more: string): LiveFinding {
  const target = safeText(aliasesOf(one).at(-1) ?? '');
  const shown = safeText(one.host);
  return liveFinding('mx-alias', {
    subject: `MX ${shown}`,
    evidence: evidenceOf(one),
    message: `the mail host ${shown} is an alias (CNAME) of ${target}. An MX record must name a host that has addresses itself, and some senders refuse an alias${more}`,
    fix: aliasFix(one, target, policy),
  });
}

/** In which order to change record and policy, so that no sender refuses the host in between. */
function aliasFix(one: HostAddresses, target: string, policy: Policy | undefined): string {
  if (policy === undefined || policy.mode === 'none') return `change the MX record: let it name \`${target}\`, or give the host A and AAAA records in place of the CNAME`;
  return !mxCoverage(policy.mx, aliasesOf(one).slice(-1)).covered[0]
    ? `add the line \`mx: ${target}\` to the policy and change the id, then change the MX record: let it name \`${target}\`; or give the host A and AAAA records in place of the CNAME`
    : `change the MX record: let it name \`${target}\`, which the policy names already`;
}

function evidenceOf({ answers }: HostAddresses): string {
  return answers.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; ');
}
