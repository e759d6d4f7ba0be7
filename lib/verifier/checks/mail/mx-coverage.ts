// Checks whether the policy covers every mail host of the domain (RFC 8461 §4.1), and whether it needs every pattern.
import { parse as parseDomain } from 'tldts';
import { mxGrammarProblem } from '../../../protocol/mx/pattern';
import { DEEP_WILDCARD_QUIRK, deepWildcard } from '../../../protocol/mx/deep-wildcard';
import { mxCoverage } from '../../../protocol/mx/coverage';
import type { Policy } from '../../../protocol/policy/policy';
import { providerOf } from '../../../protocol/mx/providers';
import { joinList, safeText } from '../../../util/safe-text';
import { appendedZone } from '../../dns/appended-zone';
import { answerText } from '../../evidence';
import type { LiveFinding } from '../../result';
import type { DnsAnswer } from '../../dns/answer';
import type { Resolver } from '../../dns/resolver';
import { aliasProblem } from '../records/cname';
import type { LiveFindingKind } from '../../../protocol/findings/kind';
import { DNS_ANSWER_FINDINGS } from '../dns-answer';
import { findingFactory } from '../live-finding';

export const MX_COVERAGE_FINDINGS = {
  'mx-not-covered': {
    severity: 'error',
    area: 'mx',
    meaning: 'A mail host of the domain matches no pattern of the policy.',
    impact: 'In mode `enforce` senders do not deliver to it; in `testing` they report it.',
    fix: 'add an `mx` line for the host and change the id, or take the host out of the MX records',
    reference: 'RFC 8461 §4.1',
  },
  'mx-pattern-unused': {
    severity: 'warning',
    area: 'mx',
    meaning: 'A pattern of the policy covers no mail host of the domain.',
    impact: 'Often a typing error; otherwise it lets a host receive the mail that should not.',
    fix: 'remove the `mx` line, unless it is the only one or belongs to a host that is being added or taken away',
    reference: 'RFC 8461 §4.1 and §8.1',
  },
  'mx-wildcard-shared': {
    severity: 'warning',
    area: 'mx',
    meaning: 'A wildcard pattern stands over names that anyone can have, a public suffix.',
    impact: 'Any of its holders can receive the mail with a valid certificate, so the policy does not protect against an attacker on the path.',
    fix: 'name the MX hosts one by one, or begin the wildcard below a domain that one party holds',
    reference: 'RFC 8461 §4.1 and §10.2',
  },
  'mx-null': {
    severity: 'info',
    area: 'mx',
    meaning: 'The domain has a null MX: it receives no mail.',
    impact: 'None: no sender needs the policy.',
    fix: 'nothing needs to be done; a policy in mode `none` would do as well',
    reference: 'RFC 7505 §3',
  },
  'mx-null-not-alone': {
    severity: 'warning',
    area: 'mx',
    meaning: 'A null MX stands beside other MX records.',
    impact: 'Some senders refuse to deliver any mail.',
    fix: 'delete the MX record `0 .`, or all the others',
    reference: 'RFC 7505 §3',
  },
  'mx-implicit': {
    severity: 'info',
    area: 'mx',
    meaning: 'The domain has no MX record, so its own address receives the mail.',
    impact: 'None, as long as the policy covers the domain itself.',
    fix: 'publish an MX record, which is clearer',
    reference: 'RFC 5321 §5.1',
  },
  'mx-missing': {
    severity: 'info',
    area: 'mx',
    meaning: 'The domain has neither an MX record nor an address: it receives no mail.',
    impact: 'None: no sender needs the policy.',
    fix: 'publish an MX record if the domain is to receive mail, a null MX (`0 .`) if it is not',
    reference: 'RFC 5321 §5.1, RFC 7505 §3',
  },
} as const satisfies Record<string, LiveFindingKind>;

const liveFinding = findingFactory({ ...MX_COVERAGE_FINDINGS, ...DNS_ANSWER_FINDINGS });

/** The mail hosts of a domain. */
export interface MailHosts {
  /** In the order that senders try them. */
  readonly hosts: readonly string[];
  /** The preference of each host with an MX record. */
  readonly preferences: ReadonlyMap<string, number>;
  /** The DNS server that was asked, and its answer. */
  readonly evidence: string;
  /** False when DNS did not answer. Then `hosts` is empty and says nothing. */
  readonly decided: boolean;
  readonly findings: readonly LiveFinding[];
}

/**
 * Finds the mail hosts. Without an MX record, the domain itself is the host if it has an address (RFC 5321 §5.1).
 *
 * @param asked - the MX records of the domain, where the caller has already asked for them
 */
export async function findMailHosts(resolver: Resolver, domain: string, asked?: Promise<DnsAnswer<'MX'>>): Promise<MailHosts> {
  const subject = `${domain} MX`;
  const answer = await (asked ?? resolver.query(domain, 'MX'));
  const evidence = `${answer.server}: ${answerText(answer)}`;
  if (answer.status === 'failed') {
    const message = `the MX records of ${domain} could not be looked up: ${answer.reason}`;
    return { ...NO_HOSTS, evidence, decided: false, findings: [liveFinding('dns-failure', { area: 'mx', subject, message, evidence, ...aliasProblem(answer) })] };
  }
  if (answer.status === 'empty') return findImplicitMx(resolver, domain, evidence);
  const sorted = [...answer.records].sort((a, b) => a.preference - b.preference || (a.exchange < b.exchange ? -1 : 1));
  const hosts = [...new Set(sorted.map(({ exchange }) => exchange))].filter((host) => host !== '');
  const findings = sorted.some(({ exchange }) => exchange === '') ? [nullMx(hosts, domain, evidence)] : [];
  // The lowest preference counts for a host with two MX records.
  const preferences = new Map([...sorted].reverse().map(({ exchange, preference }) => [exchange, preference]));
  return { hosts, preferences, evidence, decided: true, findings };
}

const NO_HOSTS = { hosts: [], preferences: new Map<string, number>() } as const;

/** One mail host, and whether the policy covers it; `null` without a policy. */
export interface MxCoverage {
  readonly host: string;
  readonly covered: boolean | null;
}

/** The mail hosts compared with the policy. */
export interface Coverage {
  readonly mx: readonly MxCoverage[];
  readonly findings: readonly LiveFinding[];
}

/**
 * Compares mail hosts and policy.
 *
 * @param targets - the CNAME target of each host that is an alias
 * @param unreachable - the hosts that cannot be reached
 */
export function checkCoverage(
  domain: string, mail: MailHosts, policy: Policy | undefined, targets: ReadonlyMap<string, string> = new Map<string, string>(),
  unreachable: readonly string[] = [],
): Coverage {
  if (policy === undefined) return { mx: mail.hosts.map((host) => ({ host, covered: null })), findings: [] };
  const { covered, unused } = mxCoverage(policy.mx, mail.hosts);
  const mx = mail.hosts.map((host, at) => ({ host, covered: covered.at(at) ?? false }));
  if (policy.mode === 'none') return { mx, findings: [] };
  const uncovered = mx.filter((one) => !one.covered).map(({ host }) => host);
  const repairs = new Map(uncovered.flatMap((host): [string, Repair][] => {
    const repair = findRepair(domain, host, { target: targets.get(host), isUnreachable: unreachable.includes(host) }, policy);
    return repair === undefined ? [] : [[host, repair]];
  }));
  const findings = limitFindings(uncovered, (host, more) => {
    const isUnreachable = unreachable.includes(host);
    return notCovered({ host, repair: repairs.get(host), isUnreachable, isImplicit: !mail.preferences.has(host) }, policy, more);
  });
  const published = providerPatterns(mail.hosts);
  const unneeded = unused.filter((pattern) => !published.has(pattern.toLowerCase()));
  // Removing the only `mx` line would make the policy invalid, so suggest a replacement.
  const meant = mail.hosts.map((host) => repairs.get(host)?.name ?? host);
  const fix = unused.length === new Set(policy.mx).size ? replacementFix(meant) : undefined;
  if (mx.length > 0) {
    findings.push(...limitFindings(unneeded, (pattern, more) => {
      return unusedPattern(domain, mail.hosts, { pattern, more, fix: keepFix(pattern, repairs) ?? fix });
    }));
  }
  findings.push(...limitFindings(policy.mx.filter(isShared), (pattern, more) => shared(domain, pattern, more)));
  return { mx, findings: findings.map((one) => ({ ...one, evidence: mail.evidence })) };
}

async function findImplicitMx(resolver: Resolver, domain: string, evidence: string): Promise<MailHosts> {
  const subject = `${domain} MX`;
  const answers = await Promise.all([resolver.query(domain, 'A'), resolver.query(domain, 'AAAA')]);
  if (answers.some(({ status }) => status === 'found')) {
    const message = `${domain} has no MX record, so the domain itself is its mail host`;
    return { ...NO_HOSTS, evidence, hosts: [domain], decided: true, findings: [liveFinding('mx-implicit', { subject, message, evidence })] };
  }
  const failed = answers.find((answer) => answer.status === 'failed');
  if (failed?.status === 'failed') {
    const message = `${domain} has no MX record, and its addresses could not be looked up: ${failed.reason}`;
    const finding = liveFinding('dns-failure', { area: 'mx', subject, message, evidence: `${failed.server}: ${answerText(failed)}` });
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

/** Maximum number of findings with the same code. More would add no information. */
const MAX_OF_A_CODE = 10;

/** Makes a finding for each item, up to the maximum. The first finding gets a text with the total. */
export function limitFindings<T>(items: readonly T[], make: (item: T, more: string) => LiveFinding): LiveFinding[] {
  const more = items.length > MAX_OF_A_CODE ? ` (${items.length} such in all, the first ${MAX_OF_A_CODE} are listed)` : '';
  return items.slice(0, MAX_OF_A_CODE).map((item, at) => make(item, at === 0 ? more : ''));
}

/** A host that no pattern covers. */
interface Uncovered {
  readonly host: string;
  /** Set where the MX record has to change, not the policy. */
  readonly repair?: Repair;
  readonly isUnreachable: boolean;
  /** Whether the host is the domain itself, which has no MX record. */
  readonly isImplicit: boolean;
}

function notCovered({ host, repair, isUnreachable, isImplicit }: Uncovered, policy: Policy, more: string): LiveFinding {
  const shown = safeText(host);
  const enforced = policy.mode === 'enforce';
  const consequence = enforced ? 'senders refuse to deliver to it' : 'senders deliver to it and report a failure';
  const deep = deepWildcard(policy.mx, host);
  // A pattern for a host with an invalid name would make the whole policy malformed.
  const problem = mxGrammarProblem(host);
  return liveFinding('mx-not-covered', {
    subject: `MX ${shown}`,
    quirks: deep === undefined ? undefined : DEEP_WILDCARD_QUIRK,
    severity: enforced ? 'error' : 'warning',
    message: `the mail host ${shown} matches no mx pattern of the policy (${names(policy.mx)}), so in mode ${policy.mode} ${consequence}${more}`,
    fix: repair?.fix ?? (problem !== undefined
      ? `no policy can name this host, for its name ${problem}; give it another name, or remove the MX record`
      : isUnreachable
        ? `remove the MX record; or publish addresses for the host, add the line \`mx: ${shown}\` to the policy and change the id`
        : `add the line \`mx: ${shown}\` to the policy and change the id, or ${isImplicit ? 'publish an MX record that names a host of the policy' : 'remove the MX record'}`),
  });
}

/** The name that an MX record should hold in place of a host that the policy does not cover. */
interface Repair {
  readonly name: string;
  readonly fix: string;
}

/** Returns undefined where the MX record seems right, so that the policy has to change. */
function findRepair(
  domain: string, host: string, { target, isUnreachable }: { readonly target?: string; readonly isUnreachable: boolean }, policy: Policy,
): Repair | undefined {
  const isCovered = (name: string): boolean => covers(policy.mx, name);
  if (target !== undefined && isCovered(target)) {
    const fix = `change the MX record: let it name \`${safeText(target)}\`, of which this host is an alias and which the policy names already`;
    return { name: target, fix };
  }
  const appended = appendedZone(host, domain);
  if (appended === undefined || mxGrammarProblem(appended.meant) !== undefined) return undefined;
  const { meant: name, twice } = appended;
  const fix = `let the MX record name \`${safeText(name)}.\`, with the dot at its end`;
  if (twice) return { name, fix: `the zone name is appended twice: ${fix}` };
  return isUnreachable || isCovered(name) ? { name, fix: `if \`${safeText(name)}\` is meant, ${fix}` } : undefined;
}

/** Returns the fix for an unused pattern that covers the right name of an MX record. */
function keepFix(pattern: string, repairs: ReadonlyMap<string, Repair>): string | undefined {
  const covered = [...repairs.values()].map(({ name }) => name).find((name) => covers([pattern], name));
  return covered === undefined ? undefined : `keep the \`mx\` line: it covers \`${safeText(covered)}\`, which the MX record should name`;
}

/** Returns the fix where no pattern covers any mail host. */
function replacementFix(hosts: readonly string[]): string {
  const named = hosts.filter((host) => mxGrammarProblem(host) === undefined);
  const lines = joinList(named.map((host) => `\`mx: ${safeText(host)}\``));
  return named.length === 0
    ? 'give the mail hosts names that a policy can hold, and name them in the policy in place of this pattern'
    : `write ${lines} in place of it; without an \`mx\` line the policy would be malformed`;
}

/** A pattern that covers no mail host. */
interface UnusedPattern {
  readonly pattern: string;
  readonly more: string;
  readonly fix?: string;
}

function unusedPattern(domain: string, hosts: readonly string[], { pattern, more, fix }: UnusedPattern): LiveFinding {
  return liveFinding('mx-pattern-unused', {
    subject: `${domain} MX`,
    fix,
    message: `the mx pattern \`${safeText(pattern)}\` covers no mail host of the domain (${names(hosts)})${more}`,
  });
}

/** Returns the patterns that providers tell their customers to publish, whichever of the hosts they use. */
function providerPatterns(hosts: readonly string[]): ReadonlySet<string> {
  return new Set(hosts.flatMap((host) => providerOf(host)?.provider.patterns ?? []));
}

/** Returns whether the pattern is a wildcard directly over a public suffix (publicsuffix.org), such as `*.com` or `*.github.io`. */
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

function covers(patterns: readonly string[], host: string): boolean {
  return mxCoverage(patterns, [host]).covered.includes(true);
}
