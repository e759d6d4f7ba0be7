// Suggests a policy for a domain from its DNS records, with the reasons.
import { hostNameProblem } from '../../../lib/protocol/domain-name';
import { mxPatternProblem } from '../../../lib/protocol/mx/pattern';
import { renderPolicy } from '../../../lib/protocol/policy/policy';
import type { Mode } from '../../../lib/protocol/policy/policy';
import { policyHash, renderPolicyId } from '../../../lib/protocol/policy/id';
import { providerOf } from '../../../lib/protocol/mx/providers';
import type { Provider } from '../../../lib/protocol/mx/providers';
import { joinList, safeText } from '../../../lib/util/safe-text';
import { renderConstruct } from './construct';
import type { ConstructCode } from './construct';
import type { LiveDomain, Mail, MailHost, MailHosts } from './lookup';
import { planRollout } from './rollout';
import type { Step } from './rollout';

/** The defaults of the constructs: 1 day in `testing`, 30 days in `enforce`. */
const MAX_AGE_SECONDS = { testing: 86_400, enforce: 2_592_000 } as const;

/** 64, the maximum length of the first name of a certificate (AWS Certificate Manager), minus `mta-sts.`. */
const MAX_DOMAIN_LENGTH = 56;

/**
 * The verdict about a domain.
 *
 * - `suggested`: a policy that covers every mail host
 * - `incomplete`: no policy can cover every current mail host
 * - `no-mail`: the domain states that it takes no mail, so it needs no policy
 * - `no-host`: the domain has no mail host, and does not state that this is intended
 * - `undecided`: DNS did not answer
 */
export type SuggestionVerdict = 'suggested' | 'incomplete' | 'no-mail' | 'no-host' | 'undecided';

/** One policy file. */
interface SuggestedPolicy {
  /** The exact content of the served file. */
  readonly text: string;
  /** An id for a manual publication now. A deployment makes its own. */
  readonly id: string;
}

/** One mail host of the suggestion. */
interface SuggestedHost extends MailHost {
  /** The name of its provider, if known. */
  readonly provider?: string;
  /** Why no policy can name the host: a phrase to put after the name. */
  readonly problem?: string;
  /** False if DNS has no address for the host. */
  readonly reachable?: false;
}

export interface Suggestion {
  readonly domain: string;
  readonly verdict: SuggestionVerdict;
  readonly mx: readonly SuggestedHost[];
  readonly published: Pick<LiveDomain, 'record' | 'tlsRpt'>;
  /** Sentences without a full stop, fit for a terminal. */
  readonly reasons: readonly string[];
  /** Missing if there is nothing to suggest. */
  readonly plan?: Plan;
}

/** The code to paste, the files, and the steps. */
export interface Plan {
  readonly construct: ConstructCode;
  readonly testing: SuggestedPolicy;
  readonly enforce: SuggestedPolicy;
  readonly rollout: readonly Step[];
}

/**
 * Suggests a policy.
 *
 * @param now - in milliseconds since the epoch, for the ids
 */
export function suggest(live: LiveDomain, now: number): Suggestion {
  const { domain, mail, record, tlsRpt } = live;
  const base = { domain, published: { record, tlsRpt } };
  if (mail.kind !== 'hosts') return { ...base, mx: [], ...withoutHosts(domain, mail) };
  const hosts = mail.hosts.map(classifyHost);
  const named = hosts.filter(({ problem }) => problem === undefined);
  const groups = groupHosts(named);
  const policies = renderPolicies(groups, now);
  const reasons = [
    ...mailReasons(domain, mail), ...hosts.flatMap(problemReason), ...mail.reach?.notes ?? [],
    ...groups.flatMap(groupReason), ...publishedReasons(live), ...live.notes ?? [],
  ];
  const mx = hosts.map(({ name, preference, known, problem }) => {
    return { name, preference, provider: known?.provider.name, problem, ...hostReach(name, mail) };
  });
  // Senders would keep a policy for a misspelt name even after the MX record is fixed.
  if (mail.reach?.none === true) return { ...base, verdict: 'no-host', mx, reasons: [...mail.reach.notes, NOTHING_YET] };
  if (typeof policies === 'string') return { ...base, verdict: 'incomplete', mx, reasons: [...reasons, policies] };
  const construct = renderConstruct(domain, groups.map(({ provider, names }) => provider?.factory ?? names), tlsRpt.status === 'valid');
  const plan = { construct, ...policies, rollout: planRollout(live) };
  return { ...base, verdict: named.length === hosts.length ? 'suggested' : 'incomplete', mx, reasons, plan };
}

function withoutHosts(domain: string, mail: Exclude<Mail, MailHosts>): Pick<Suggestion, 'verdict' | 'reasons'> {
  switch (mail.kind) {
    case 'unknown': return { verdict: 'undecided', reasons: [`the mail hosts of ${domain} could not be looked up: ${mail.reason}; try again`] };
    case 'null': return {
      verdict: 'no-mail',
      reasons: [`${domain} has a null MX: it takes no mail, so no sender asks for a policy, and none is needed (RFC 7505 §3)`],
    };
    case 'none': return {
      verdict: 'no-host',
      reasons: [mail.exists
        ? `${domain} has neither an MX record nor an address, so it takes no mail; publish its MX records first, or a null MX (\`0 .\`) if the domain is to take no mail (RFC 7505 §3)`
        : `${domain} does not exist in DNS; check its spelling`],
    };
  }
}

const NOTHING_YET = 'so there is nothing to suggest yet; fix the MX records first, then run this command again';

function hostReach(name: string, { reach }: MailHosts): Pick<SuggestedHost, 'reachable'> {
  return reach?.unreachable.includes(name) === true ? { reachable: false } : {};
}

interface ClassifiedHost extends MailHost {
  readonly known?: ReturnType<typeof providerOf>;
  readonly problem?: string;
}

function classifyHost(host: MailHost): ClassifiedHost {
  const problem = mxPatternProblem(host.name) ?? hostNameProblem(host.name);
  return problem === undefined ? { ...host, known: providerOf(host.name) } : { ...host, problem };
}

/** The hosts that one preset covers, or, without a provider, the hosts that the policy names. */
interface Group {
  readonly provider?: Provider;
  readonly names: readonly string[];
  /** Phrases about hosts that the policy names although their provider is known. */
  readonly notes: readonly string[];
}

/** Groups the hosts: by provider, in the order of their first host, and last the hosts that the policy names. */
function groupHosts(hosts: readonly ClassifiedHost[]): readonly Group[] {
  const presets = new Map<string, Group & { readonly names: string[] }>();
  const own: string[] = [];
  const notes: string[] = [];
  for (const { name, known } of hosts) {
    if (known === undefined || known.outside !== undefined) {
      own.push(name);
      if (known?.outside !== undefined) notes.push(`${name} ${known.outside}`);
    } else {
      const { provider } = known;
      const group = presets.get(provider.factory) ?? { provider, names: [], notes: [] };
      group.names.push(name);
      presets.set(provider.factory, group);
    }
  }
  return [...presets.values(), ...own.length === 0 ? [] : [{ names: own, notes }]];
}

/** Renders the policies. Returns a reason if no policy is possible. */
function renderPolicies(groups: readonly Group[], now: number): Pick<Plan, 'testing' | 'enforce'> | string {
  const mx = groups.flatMap(({ provider, names }) => provider?.patterns ?? names);
  if (mx.length === 0) return 'so no policy can cover a mail host of this domain; fix its MX records first';
  const policy = (mode: keyof typeof MAX_AGE_SECONDS & Mode): SuggestedPolicy => {
    const text = renderPolicy({ mode, maxAge: MAX_AGE_SECONDS[mode], mx });
    return { text, id: renderPolicyId(now, policyHash(text)) };
  };
  try {
    return { testing: policy('testing'), enforce: policy('enforce') };
  } catch (error) {
    // Too long, from thousands of MX records. All other problems were checked before.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function mailReasons(domain: string, { findImplicitHost: implicit, hasNullMx }: MailHosts): string[] {
  return [
    ...implicit ? [`${domain} has no MX record, so its own address takes the mail, and the policy names the domain itself (RFC 5321 §5.1); an MX record would be clearer`] : [],
    ...hasNullMx ? ['there is a null MX (`0 .`) beside the other MX records, and some senders then refuse to deliver any mail; delete it (RFC 7505 §3)'] : [],
    ...domain.length > MAX_DOMAIN_LENGTH
      ? [`${domain} has ${domain.length} characters, and AWS Certificate Manager gives no certificate for mta-sts.<domain> to a name of more than ${MAX_DOMAIN_LENGTH}; its policy must be served by another host`]
      : [],
  ];
}

function problemReason({ name, problem }: ClassifiedHost): string[] {
  return problem === undefined ? [] : [`no policy can name the mail host \`${safeText(name)}\`, because it ${problem}; in enforce mode senders would not deliver to it, so fix the MX record first (RFC 8461 §3.2)`];
}

/** Maximum number of names in one sentence. */
const MAX_NAMES = 5;

function groupReason({ provider, names, notes }: Group): string[] {
  const list = joinList(names, MAX_NAMES);
  if (provider !== undefined) return [`${provider.name} takes mail at ${list}, which ${provider.factory} covers as documented at ${provider.source}`];
  return [
    ...notes.slice(0, MAX_NAMES),
    `the policy names ${list} without a wildcard, which would also allow other hosts to take the mail; `
    + `make sure that ${names.length === 1 ? 'it offers' : 'each offers'} STARTTLS with a certificate for its own name (RFC 8461 §4)`,
    ...names.filter((name) => !name.includes('.')).slice(0, MAX_NAMES).map((name) => `${name} is a single label, which no sender on the internet can look up`),
  ];
}

function publishedReasons({ domain, record, tlsRpt }: LiveDomain): string[] {
  return [
    ...record.status === 'valid' ? [`_mta-sts.${domain} already publishes a policy with the id ${record.value}`] : [],
    ...record.status === 'broken' ? [`the record at _mta-sts.${domain} is not an MTA-STS record: ${record.reason}; the deployment refuses to overwrite it, so delete it first`] : [],
    ...record.status === 'unknown' ? [`the record at _mta-sts.${domain} could not be looked up: ${record.reason}; the deployment checks it again`] : [],
    ...tlsRpt.status === 'valid' ? [`TLS reports already go to ${safeText(tlsRpt.value.join(', '), 300)}, so the record at _smtp._tls.${domain} stays and the construct creates none`] : [],
    ...tlsRpt.status === 'broken' ? [`the record at _smtp._tls.${domain} is not a TLSRPT record: ${tlsRpt.reason}; the deployment refuses to overwrite it, so delete it first`] : [],
    ...tlsRpt.status === 'unknown' ? [`the record at _smtp._tls.${domain} could not be looked up: ${tlsRpt.reason}; the deployment checks it again`] : [],
  ];
}
