// Checks whether the mail hosts have usable addresses (RFC 5321 §5.1), with and without SMTP.
import { isIP } from 'node:net';
import { mxCoverage } from '../../../protocol/mx/coverage';
import type { Policy } from '../../../protocol/policy/policy';
import { joinList, safeText } from '../../../util/safe-text';
import { appendedZone } from '../../dns/appended-zone';
import { bothFamilies } from '../../dns/both-families';
import type { BothFamilies } from '../../dns/both-families';
import { answerText } from '../../evidence';
import { NOT_PUBLIC_REASON, isPublicAddress } from '../../public-only';
import type { LiveFinding } from '../../result';
import { SOME_RESOLVER } from '../../dns/answer';
import type { DnsEmpty } from '../../dns/answer';
import type { DnsNetwork } from '../../network';
import { aliasProblem } from '../records/cname';
import { limitFindings } from './mx-coverage';
import type { MailHosts } from './mx-coverage';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { CONNECTION_FINDINGS } from '../connection';
import { DNS_ANSWER_FINDINGS } from '../dns-answer';
import { findingFactory } from '../live-finding';

export const MX_REACH_FINDINGS = {
  'mx-no-address': {
    severity: 'warning',
    area: 'mx',
    meaning: 'A mail host cannot be reached: its name does not exist, or it has no address.',
    impact: 'Senders skip it. Where no mail host can be reached it is an error in every mode, because no mail is delivered.',
    fix: 'publish A and AAAA records for the host, or remove the MX record',
    reference: 'RFC 5321 §5.1',
  },
  'mx-alias': {
    severity: 'warning',
    area: 'mx',
    meaning: 'A mail host is an alias (CNAME) of another name.',
    impact: 'Some senders refuse such a host, and its certificate and the pattern of the policy must be for the name in the MX record, not for the target.',
    fix: 'let the MX record name the target of the CNAME, after the policy names that as well',
    reference: 'RFC 2181 §10.3',
  },
  'mx-skipped': {
    severity: 'unknown',
    area: 'smtp',
    meaning: 'The domain has so many mail hosts or addresses that not all were checked.',
    impact: 'The state of the others is not known.',
    fix: 'publish fewer MX records',
    reference: 'RFC 5321 §5.1',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory({ ...MX_REACH_FINDINGS, ...CONNECTION_FINDINGS, ...DNS_ANSWER_FINDINGS });

/** One mail host, and the DNS answers about its addresses. */
export interface HostAddresses {
  readonly host: string;
  readonly answers: BothFamilies;
}

/** The addresses of the mail hosts. */
export interface MailAddresses {
  readonly hosts: readonly HostAddresses[];
  /** Number of hosts beyond the maximum. */
  readonly skipped: number;
}

/** Maximum number of hosts to look up; ordinary domains have fewer. */
const MAX_HOSTS = 20;

/** How long to wait for one address family after the other has been found. */
const SECOND_FAMILY_MS = 2000;

/** Looks up the addresses of the first hosts at the same time. */
export async function findMailAddresses(dns: DnsNetwork, hosts: readonly string[]): Promise<MailAddresses> {
  const asked = await Promise.all(hosts.slice(0, MAX_HOSTS).map(async (host) => ({ host, answers: await lookUpAddresses(dns, host) })));
  return { hosts: asked, skipped: Math.max(0, hosts.length - MAX_HOSTS) };
}

/** Looks up one host. An MX record with an address in place of a name needs no query. */
async function lookUpAddresses({ clock, resolver }: DnsNetwork, host: string): Promise<BothFamilies> {
  if (isIP(host) !== 0) return [NO_SUCH_NAME, NO_SUCH_NAME];
  return bothFamilies(clock, resolver.query(host, 'A'), resolver.query(host, 'AAAA'), SECOND_FAMILY_MS);
}

const NO_SUCH_NAME: DnsEmpty = { status: 'empty', reason: 'NXDOMAIN', authoritative: false, server: SOME_RESOLVER, cnames: [] };

/** `unknown`: DNS did not answer, so the host may have an address. */
export type Reach = 'reachable' | 'unreachable' | 'unknown';

/** The state of all mail hosts, and their problems. */
export interface MailReach {
  readonly byHost: ReadonlyMap<string, Reach>;
  /** Whether it is certain that a host can be reached, or that none can. */
  readonly decided: boolean;
  /** Whether the domain has mail hosts and none of them can be reached, so that mail cannot be delivered. */
  readonly none: boolean;
  readonly findings: readonly LiveFinding[];
}

/** Options for `checkReach`. */
export interface ReachOptions {
  /** Whether non-public addresses count as reachable. */
  readonly allowPrivate: boolean;
  /** Whether SMTP is tried. The SMTP check then reports the hosts that were skipped. */
  readonly smtp: boolean;
  /** The policy that senders find. */
  readonly policy?: Policy;
}

/** Reports hosts that cannot be reached, that are aliases (RFC 2181 §10.3), or whose addresses are unknown or not public. */
export function checkReach(domain: string, mail: MailHosts, { hosts, skipped }: MailAddresses, options: ReachOptions): MailReach {
  const byHost = new Map(hosts.map((one) => [one.host, reachOf(one, options.allowPrivate)] as const));
  const all = [...byHost.values()];
  const none = hosts.length > 0 && skipped === 0 && all.every((reach) => reach === 'unreachable');
  const withoutAddress = hosts.filter((one) => byHost.get(one.host) === 'unreachable' && addressesIn(one).length === 0);
  const consequence = consequenceOf(domain, hosts.length, none);
  return {
    byHost,
    none,
    decided: none || hosts.length === 0 || all.includes('reachable'),
    findings: [
      ...limitFindings(withoutAddress, (one, more) => unreachable(domain, mail, one, { severity: none ? 'error' : 'warning', text: consequence + more })),
      ...options.allowPrivate ? [] : limitFindings(hosts.filter(hasPrivate), (one, more) => notPublic(one, none, consequence + more)),
      ...limitFindings(hosts.filter(isFailed), undecided),
      ...limitFindings(hosts.filter((one) => byHost.get(one.host) !== 'unreachable' && mail.preferences.has(one.host) && aliasesOf(one).length > 0 && !isLoop(one)),
        (one, more) => alias(one, options.policy, more)),
      ...skipped === 0 || options.smtp ? [] : [tooMany(domain, mail, skipped)],
    ],
  };
}

function tooMany(domain: string, { evidence }: MailHosts, skipped: number): LiveFinding {
  return liveFinding('mx-skipped', { area: 'mx', subject: `${domain} MX`, evidence, message: `not checked: ${skipped} mail hosts` });
}

/** Returns the CNAME targets of a host, in order. */
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

/** Returns whether the aliases form a loop. Then no target is a name for the MX record. */
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
    evidence: isAddress ? evidence : joinEvidence(one),
    message: `the mail host ${shown} cannot be reached: ${why}${mistake}${text}`,
    fix: missingAddressFix(isAddress, meant?.meant),
  });
}

function missingAddressFix(isAddress: boolean, meant: string | undefined): string | undefined {
  if (isAddress) return 'give the address a host name by an A or AAAA record, and let the MX record name that';
  if (meant === undefined) return undefined;
  return isIP(meant) === 0
    ? `let the MX record name \`${safeText(meant)}.\`, with the dot at its end`
    : `\`${safeText(meant)}\` is an address: give it a host name by an A or AAAA record, and let the MX record name that`;
}

function notPublic(one: HostAddresses, none: boolean, consequence: string): LiveFinding {
  const shown = safeText(one.host);
  const where = joinList(addressesIn(one).filter((address) => !isPublicAddress(address)));
  return liveFinding('address-not-public', {
    area: 'smtp',
    subject: `MX ${shown}`,
    // Senders skip such a host, like a host without an address.
    severity: none ? 'error' : 'warning',
    evidence: joinEvidence(one),
    message: `the address of the mail host ${NOT_PUBLIC_REASON}, at ${where}`
      + (none ? `. ${shown} cannot be reached${consequence}` : ''),
  });
}

function undecided(one: HostAddresses, more: string): LiveFinding {
  const failed = one.answers.flatMap((answer) => answer.status === 'failed' ? [answer] : []);
  return liveFinding('dns-failure', {
    area: 'smtp',
    subject: `MX ${safeText(one.host)}`,
    evidence: joinEvidence(one),
    message: `the addresses of the mail host ${safeText(one.host)} could not all be looked up: ${joinList([...new Set(failed.map(({ reason }) => reason))])}${more}`,
    ...failed.slice(0, 1).map(aliasProblem)[0],
  });
}

function alias(one: HostAddresses, policy: Policy | undefined, more: string): LiveFinding {
  const target = safeText(aliasesOf(one).at(-1) ?? '');
  const shown = safeText(one.host);
  return liveFinding('mx-alias', {
    subject: `MX ${shown}`,
    evidence: joinEvidence(one),
    message: `the mail host ${shown} is an alias (CNAME) of ${target}. An MX record must name a host that has addresses itself, and some senders refuse an alias${more}`,
    fix: aliasFix(one, target, policy),
  });
}

/** Returns the order in which to change record and policy, so that no sender refuses the host in between. */
function aliasFix(one: HostAddresses, target: string, policy: Policy | undefined): string {
  if (policy === undefined || policy.mode === 'none') return `change the MX record: let it name \`${target}\`, or give the host A and AAAA records in place of the CNAME`;
  return !mxCoverage(policy.mx, aliasesOf(one).slice(-1)).covered[0]
    ? `add the line \`mx: ${target}\` to the policy and change the id, then change the MX record: let it name \`${target}\`; or give the host A and AAAA records in place of the CNAME`
    : `change the MX record: let it name \`${target}\`, which the policy names already`;
}

function joinEvidence({ answers }: HostAddresses): string {
  return answers.map((answer) => `${answer.server}: ${answerText(answer)}`).join('; ');
}
