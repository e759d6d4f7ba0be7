// Check: does the policy cover every mail host of the domain (RFC 8461 §4.1), and is every pattern of use?
import { parse as parseDomain } from 'tldts';
import { mxGrammarProblem } from '../../../protocol/mx/pattern';
import { DEEP_WILDCARD_QUIRK, deepWildcard } from '../../../protocol/mx/deep-wildcard';
import { mxCoverage } from '../../../protocol/mx/coverage';
import type { Policy } from '../../../protocol/policy/policy';
import { providerOf } from '../../../protocol/mx/providers';
import { joinList, safeText } from '../../../util/safe-text';
import { appendedZone } from '../../dns/appended-zone';
import { answerText } from '../../evidence';
import { liveFinding } from '../../findings';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import { aliasProblem } from '../records/cname';

/** The mail hosts of a domain. */
export interface MailHosts {
  /** In the order that senders try them. */
  readonly hosts: readonly string[];
  /** The preference of each host that has an MX record. */
  readonly preferences: ReadonlyMap<string, number>;
  /** What DNS said. */
  readonly evidence: string;
  /** False when DNS did not answer: then `hosts` says nothing. */
  readonly decided: boolean;
  readonly findings: readonly LiveFinding[];
}

/**
 * Finds the mail hosts; where there is no MX record, the domain itself is the host if it has an address (RFC 5321 §5.1).
 *
 * @param asked - what DNS says of the MX records of the domain, where that has been asked for already
 */
export async function findMailHosts(resolver: Resolver, domain: string, asked?: Promise<DnsAnswer<'MX'>>): Promise<MailHosts> {
  const subject = `${domain} MX`;
  const answer = await (asked ?? resolver.query(domain, 'MX'));
  const evidence = `${answer.server}: ${answerText(answer)}`;
  if (answer.status === 'failed') {
    const message = `the MX records of ${domain} could not be had: ${answer.reason}`;
    return { ...NO_HOSTS, evidence, decided: false, findings: [liveFinding('dns-failure', { subject, message, evidence, ...aliasProblem(answer) })] };
  }
  if (answer.status === 'empty') return implicit(resolver, domain, evidence);
  const sorted = [...answer.records].sort((a, b) => a.preference - b.preference || (a.exchange < b.exchange ? -1 : 1));
  const hosts = [...new Set(sorted.map(({ exchange }) => exchange))].filter((host) => host !== '');
  const findings = sorted.some(({ exchange }) => exchange === '') ? [nullMx(hosts, domain, evidence)] : [];
  // Of a host that is there twice the first one counts.
  const preferences = new Map([...sorted].reverse().map(({ exchange, preference }) => [exchange, preference]));
  return { hosts, preferences, evidence, decided: true, findings };
}

const NO_HOSTS = { hosts: [], preferences: new Map<string, number>() } as const;

/** One mail host, and whether the policy covers it; `null` while there is no policy to ask. */
export interface MxCoverage {
  readonly host: string;
  readonly covered: boolean | null;
}

/** Which hosts the policy covers. */
export interface Coverage {
  readonly mx: readonly MxCoverage[];
  readonly findings: readonly LiveFinding[];
}

/**
 * Compares hosts and policy.
 *
 * @param targets - where the hosts that are aliases lead to, by host
 * @param lost - the hosts that cannot be reached
 */
export function checkCoverage(
  domain: string, mail: MailHosts, policy: Policy | undefined, targets: ReadonlyMap<string, string> = new Map<string, string>(),
  lost: readonly string[] = [],
): Coverage {
  if (policy === undefined) return { mx: mail.hosts.map((host) => ({ host, covered: null })), findings: [] };
  const { covered, unused } = mxCoverage(policy.mx, mail.hosts);
  const mx = mail.hosts.map((host, at) => ({ host, covered: covered[at] }));
  if (policy.mode === 'none') return { mx, findings: [] };
  const uncovered = mail.hosts.filter((_, at) => !covered[at]);
  const repairs = new Map(uncovered.flatMap((host): [string, Repair][] => {
    const repair = repairOf(domain, host, { target: targets.get(host), isLost: lost.includes(host) }, policy);
    return repair === undefined ? [] : [[host, repair]];
  }));
  const findings = eachOf(uncovered, (host, more) => {
    const circumstances = { isLost: lost.includes(host), isImplicit: !mail.preferences.has(host) };
    return notCovered({ host, repair: repairs.get(host), ...circumstances }, policy, more);
  });
  const spare = sparePatterns(mail.hosts);
  const idling = unused.filter((pattern) => !spare.has(pattern.toLowerCase()));
  // Without its only line the policy would be none at all.
  const meant = mail.hosts.map((host) => repairs.get(host)?.name ?? host);
  const fix = unused.length === new Set(policy.mx).size ? inPlaceOf(meant) : undefined;
  if (mx.length > 0) {
    findings.push(...eachOf(idling, (pattern, more) => idle(domain, mail.hosts, { pattern, more, fix: kept(pattern, repairs) ?? fix })));
  }
  findings.push(...eachOf(policy.mx.filter(isShared), (pattern, more) => shared(domain, pattern, more)));
  return { mx, findings: findings.map((one) => ({ ...one, evidence: mail.evidence })) };
}

async function implicit(resolver: Resolver, domain: string, evidence: string): Promise<MailHosts> {
  const subject = `${domain} MX`;
  const answers = await Promise.all([resolver.query(domain, 'A'), resolver.query(domain, 'AAAA')]);
  if (answers.some(({ status }) => status === 'found')) {
    const message = `${domain} has no MX record, so the domain itself is its mail host`;
    return { ...NO_HOSTS, evidence, hosts: [domain], decided: true, findings: [liveFinding('mx-implicit', { subject, message, evidence })] };
  }
  const failed = answers.find((answer) => answer.status === 'failed');
  if (failed?.status === 'failed') {
    const message = `${domain} has no MX record, and its addresses could not be had: ${failed.reason}`;
    const finding = liveFinding('dns-failure', { subject, message, evidence: `${failed.server}: ${answerText(failed)}` });
    return { ...NO_HOSTS, evidence, decided: false, findings: [finding] };
  }
  const message = `${domain} has neither an MX record nor an address, so it receives no mail`;
  return { ...NO_HOSTS, evidence, decided: true, findings: [liveFinding('mx-missing', { subject, message, evidence })] };
}

function nullMx(hosts: readonly string[], domain: string, evidence: string): LiveFinding {
  const subject = `${domain} MX`;
  return hosts.length === 0
    ? liveFinding('mx-null', { subject, evidence, message: `${domain} has a null MX, so it receives no mail` })
    : liveFinding('mx-null-not-alone', { subject, evidence, message: `a null MX stands beside ${names(hosts)}` });
}

/** More findings of one kind teach nobody anything. */
const MOST_OF_A_KIND = 10;

/** One finding for each item, up to a bound; the first says how many there are in all. */
export function eachOf(items: readonly string[], make: (item: string, more: string) => LiveFinding): LiveFinding[] {
  const more = items.length > MOST_OF_A_KIND ? ` (${items.length} such in all, the first ${MOST_OF_A_KIND} are listed)` : '';
  return items.slice(0, MOST_OF_A_KIND).map((item, at) => make(item, at === 0 ? more : ''));
}

/** A host that no pattern covers. */
interface Uncovered {
  readonly host: string;
  /** Where the MX record and not the policy is at fault. */
  readonly repair?: Repair;
  readonly isLost: boolean;
  /** Whether it is the domain itself, for want of an MX record. */
  readonly isImplicit: boolean;
}

function notCovered({ host, repair, isLost, isImplicit }: Uncovered, policy: Policy, more: string): LiveFinding {
  const shown = safeText(host);
  const enforced = policy.mode === 'enforce';
  const consequence = enforced ? 'senders refuse to deliver to it' : 'senders deliver to it and report a failure';
  const deep = deepWildcard(policy.mx, host);
  // A pattern for such a host would make the whole policy malformed.
  const fault = mxGrammarProblem(host);
  return liveFinding('mx-not-covered', {
    subject: `MX ${shown}`,
    ...deep === undefined ? {} : { quirks: DEEP_WILDCARD_QUIRK },
    severity: enforced ? 'error' : 'warning',
    message: `the mail host ${shown} matches no mx pattern of the policy (${names(policy.mx)}), so in mode ${policy.mode} ${consequence}${more}`,
    fix: repair?.fix ?? (fault !== undefined
      ? `no policy can name this host, for its name ${fault}; give it another name, or remove the MX record`
      : isLost
        ? `remove the MX record; or publish addresses for the host, add the line \`mx: ${shown}\` to the policy and change the id`
        : `add the line \`mx: ${shown}\` to the policy and change the id, or ${isImplicit ? 'publish an MX record that names a host of the policy' : 'remove the MX record'}`),
  });
}

/** What an MX record should name in place of a host that the policy does not cover. */
interface Repair {
  readonly name: string;
  readonly fix: string;
}

/** Undefined where the policy is at fault, for all that can be seen. */
function repairOf(
  domain: string, host: string, { target, isLost }: { readonly target?: string; readonly isLost: boolean }, policy: Policy,
): Repair | undefined {
  const isCovered = (name: string): boolean => mxCoverage(policy.mx, [name]).covered[0];
  if (target !== undefined && isCovered(target)) {
    const fix = `change the MX record: let it name \`${safeText(target)}\`, of which this host is an alias and which the policy names already`;
    return { name: target, fix };
  }
  const appended = appendedZone(host, domain);
  if (appended === undefined || mxGrammarProblem(appended.meant) !== undefined) return undefined;
  const { meant: name, twice } = appended;
  const fix = `let the MX record name \`${safeText(name)}.\`, with the dot at its end`;
  if (twice) return { name, fix: `the zone name is appended twice: ${fix}` };
  return isLost || isCovered(name) ? { name, fix: `if \`${safeText(name)}\` is meant, ${fix}` } : undefined;
}

/** A pattern that covers what an MX record should name is not to be removed. */
function kept(pattern: string, repairs: ReadonlyMap<string, Repair>): string | undefined {
  const covered = [...repairs.values()].map(({ name }) => name).find((name) => mxCoverage([pattern], [name]).covered[0]);
  return covered === undefined ? undefined : `keep the \`mx\` line: it covers \`${safeText(covered)}\`, which the MX record should name`;
}

/** What to write where no pattern covers a mail host. */
function inPlaceOf(hosts: readonly string[]): string {
  const named = hosts.filter((host) => mxGrammarProblem(host) === undefined);
  const lines = joinList(named.map((host) => `\`mx: ${safeText(host)}\``));
  return named.length === 0
    ? 'give the mail hosts names that a policy can hold, and name them in the policy in place of this pattern'
    : `write ${lines} in place of it; without an \`mx\` line the policy would be malformed`;
}

interface Idle {
  readonly pattern: string;
  readonly more: string;
  readonly fix?: string;
}

function idle(domain: string, hosts: readonly string[], { pattern, more, fix }: Idle): LiveFinding {
  return liveFinding('mx-pattern-unused', {
    subject: `${domain} MX`,
    fix,
    message: `the mx pattern \`${safeText(pattern)}\` covers no mail host of the domain (${names(hosts)})${more}`,
  });
}

/** A provider's whole list is what it tells its customers to publish, whichever of the hosts they use. */
function sparePatterns(hosts: readonly string[]): ReadonlySet<string> {
  return new Set(hosts.flatMap((host) => providerOf(host)?.provider.patterns ?? []));
}

/** A wildcard directly over a public suffix (publicsuffix.org), such as `*.com` or `*.github.io`. */
function isShared(pattern: string): boolean {
  if (!pattern.startsWith('*.')) return false;
  const { domain, isIcann, isPrivate } = parseDomain(pattern.slice(2), { allowPrivateDomains: true });
  return domain === null && (isIcann === true || isPrivate === true);
}

function shared(domain: string, pattern: string, more: string): LiveFinding {
  return liveFinding('mx-wildcard-shared', {
    subject: `${domain} MX`,
    message: `the mx pattern \`${safeText(pattern)}\` covers the hosts of strangers: anyone can have a name below ${safeText(pattern.slice(2))}${more}`,
  });
}

function names(all: readonly string[]): string {
  return joinList(all.map((name) => safeText(name)));
}
