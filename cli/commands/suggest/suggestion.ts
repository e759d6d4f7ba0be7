// From what DNS says of a domain to the policy that it should have, with the reasons.
import { hostNameProblem } from '../../../lib/protocol/domain-name';
import { mxPatternProblem } from '../../../lib/protocol/mx/pattern';
import { renderPolicy } from '../../../lib/protocol/policy/policy';
import type { Mode } from '../../../lib/protocol/policy/policy';
import { policyHash, renderPolicyId } from '../../../lib/protocol/policy/id';
import { providerOf } from '../../../lib/protocol/mx/providers';
import type { Provider } from '../../../lib/protocol/mx/providers';
import { safeText } from '../../../lib/util/safe-text';
import { constructOf } from './construct';
import type { ConstructCode } from './construct';
import type { LiveDomain, Mail, MailHost, MailHosts } from './lookup';
import { rolloutOf } from './rollout';
import type { Step } from './rollout';

/** The seconds that the constructs give where nobody says otherwise: 1 day in `testing`, 30 days in `enforce`. */
const MAX_AGE = { testing: 86_400, enforce: 2_592_000 } as const;

/** `mta-sts.` before it must fit the first name of a certificate, 64 characters (AWS Certificate Manager). */
const LONGEST_DOMAIN = 56;

/**
 * What comes of it.
 *
 * - `suggested`: a policy that covers every mail host
 * - `incomplete`: no policy can cover every mail host of today
 * - `no-mail`: the domain says that it takes no mail, so it needs none
 * - `no-host`: nobody takes its mail, and it does not say that this is meant
 * - `undecided`: DNS did not answer
 */
export type SuggestionVerdict = 'suggested' | 'incomplete' | 'no-mail' | 'no-host' | 'undecided';

/** One policy file. */
export interface SuggestedPolicy {
  /** Exactly as it is to be served. */
  readonly text: string;
  /** An id for those who publish it by hand and now; a deployment makes its own. */
  readonly id: string;
}

/** One mail host and what was made of it. */
export interface SuggestedHost extends MailHost {
  /** Whose it is, where that is known. */
  readonly provider?: string;
  /** Why no policy can name it: a phrase to put after the name. */
  readonly fault?: string;
  /** False where DNS has no address for it. */
  readonly reachable?: false;
}

export interface Suggestion {
  readonly domain: string;
  readonly verdict: SuggestionVerdict;
  readonly mx: readonly SuggestedHost[];
  readonly published: Pick<LiveDomain, 'record' | 'tlsRpt'>;
  /** Sentences without a full stop, fit for a terminal. */
  readonly reasons: readonly string[];
  /** What to do; missing where there is nothing to suggest. */
  readonly plan?: Plan;
}

/** What to paste, and in which steps. */
export interface Plan {
  readonly construct: ConstructCode;
  readonly testing: SuggestedPolicy;
  readonly enforce: SuggestedPolicy;
  readonly rollout: readonly Step[];
}

/**
 * Makes the suggestion.
 *
 * @param now - in milliseconds since the epoch: the ids hold it
 */
export function suggest(live: LiveDomain, now: number): Suggestion {
  const { domain, mail, record, tlsRpt } = live;
  const base = { domain, published: { record, tlsRpt } };
  if (mail.kind !== 'hosts') return { ...base, mx: [], ...withoutHosts(domain, mail) };
  const hosts = mail.hosts.map(judge);
  const named = hosts.filter(({ fault }) => fault === undefined);
  const groups = groupsOf(named);
  const policies = policiesOf(groups, now);
  const reasons = [
    ...mailReasons(domain, mail), ...hosts.flatMap(faultReason), ...mail.reach?.notes ?? [],
    ...groups.flatMap(groupReason), ...publishedReasons(live), ...live.notes ?? [],
  ];
  const mx = hosts.map(({ name, preference, known, fault }) => {
    return { name, preference, provider: known?.provider.name, fault, ...reachOf(name, mail) };
  });
  // A policy for a misspelt name would outlive the mending of the MX record.
  if (mail.reach?.none === true) return { ...base, verdict: 'no-host', mx, reasons: [...mail.reach.notes, NOTHING_YET] };
  if (typeof policies === 'string') return { ...base, verdict: 'incomplete', mx, reasons: [...reasons, policies] };
  const construct = constructOf(domain, groups.map(({ provider, names }) => provider?.factory ?? names), tlsRpt.status === 'valid');
  const plan = { construct, ...policies, rollout: rolloutOf(live) };
  return { ...base, verdict: named.length === hosts.length ? 'suggested' : 'incomplete', mx, reasons, plan };
}

function withoutHosts(domain: string, mail: Exclude<Mail, MailHosts>): Pick<Suggestion, 'verdict' | 'reasons'> {
  switch (mail.kind) {
    case 'unknown': return { verdict: 'undecided', reasons: [`the mail hosts of ${domain} could not be had: ${mail.reason}; try again`] };
    case 'null': return {
      verdict: 'no-mail',
      reasons: [`${domain} has a null MX: it takes no mail, so no sender asks for a policy, and none is needed (RFC 7505 §3)`],
    };
    case 'nobody': return {
      verdict: 'no-host',
      reasons: [mail.exists
        ? `${domain} has neither an MX record nor an address, so it takes no mail; publish its MX records first, or a null MX (\`0 .\`) if none is wanted (RFC 7505 §3)`
        : `there is no ${domain} in DNS; check how it is written`],
    };
  }
}

const NOTHING_YET = 'so there is nothing to suggest yet; mend the MX records first, and then ask again';

function reachOf(name: string, { reach }: MailHosts): Pick<SuggestedHost, 'reachable'> {
  return reach?.lost.includes(name) === true ? { reachable: false } : {};
}

interface JudgedHost extends MailHost {
  readonly known?: ReturnType<typeof providerOf>;
  readonly fault?: string;
}

function judge(host: MailHost): JudgedHost {
  const fault = mxPatternProblem(host.name) ?? hostNameProblem(host.name);
  return fault === undefined ? { ...host, known: providerOf(host.name) } : { ...host, fault };
}

/** Hosts that one preset covers, or, without a provider, those that the policy names themselves. */
interface Group {
  readonly provider?: Provider;
  readonly names: readonly string[];
  /** What is to be said of a host that is named itself although its provider is known. */
  readonly remarks: readonly string[];
}

/** Providers in the order of their first host, and last the hosts that are named themselves. */
function groupsOf(hosts: readonly JudgedHost[]): readonly Group[] {
  const presets = new Map<string, Group & { readonly names: string[] }>();
  const own: string[] = [];
  const remarks: string[] = [];
  for (const { name, known } of hosts) {
    if (known === undefined || known.outside !== undefined) {
      own.push(name);
      if (known?.outside !== undefined) remarks.push(`${name} ${known.outside}`);
    } else {
      const { provider } = known;
      const group = presets.get(provider.factory) ?? { provider, names: [], remarks: [] };
      group.names.push(name);
      presets.set(provider.factory, group);
    }
  }
  return [...presets.values(), ...own.length === 0 ? [] : [{ names: own, remarks }]];
}

/** The policies, or why there can be none. */
function policiesOf(groups: readonly Group[], now: number): Pick<Plan, 'testing' | 'enforce'> | string {
  const mx = groups.flatMap(({ provider, names }) => provider?.patterns ?? names);
  if (mx.length === 0) return 'so no policy can cover a mail host of this domain; mend its MX records first';
  const policy = (mode: keyof typeof MAX_AGE & Mode): SuggestedPolicy => {
    const text = renderPolicy({ mode, maxAge: MAX_AGE[mode], mx });
    return { text, id: renderPolicyId(now, policyHash(text)) };
  };
  try {
    return { testing: policy('testing'), enforce: policy('enforce') };
  } catch (error) {
    // Thousands of MX records: everything else that it refuses was judged before.
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function mailReasons(domain: string, { implicit, nullBeside }: MailHosts): string[] {
  return [
    ...implicit ? [`${domain} has no MX record, so its own address takes the mail, and the policy names the domain itself (RFC 5321 §5.1); an MX record would be clearer`] : [],
    ...nullBeside ? ['a null MX (`0 .`) stands beside the other MX records, and some senders then refuse to deliver any mail; delete it (RFC 7505 §3)'] : [],
    ...domain.length > LONGEST_DOMAIN
      ? [`${domain} has ${domain.length} characters, and AWS Certificate Manager gives no certificate for mta-sts.<domain> to a name of more than ${LONGEST_DOMAIN}; its policy must be served elsewhere`]
      : [],
  ];
}

function faultReason({ name, fault }: JudgedHost): string[] {
  return fault === undefined ? [] : [`no policy can name the mail host \`${safeText(name)}\`, since it ${fault}; in enforce senders would not deliver to it, so mend the MX record first (RFC 8461 §3.2)`];
}

/** More in one sentence are not read. */
const MOST_NAMES = 5;

function groupReason({ provider, names, remarks }: Group): string[] {
  const list = names.length > MOST_NAMES ? `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more` : names.join(', ');
  if (provider !== undefined) return [`${provider.name} takes mail at ${list}, which ${provider.factory} covers as documented at ${provider.source}`];
  return [
    ...remarks.slice(0, MOST_NAMES),
    `${list} ${names.length === 1 ? 'is named itself' : 'are named themselves'}, since a wildcard would let other hosts take the mail as well; `
    + `see that ${names.length === 1 ? 'it offers' : 'each offers'} STARTTLS with a certificate for its own name (RFC 8461 §4)`,
    ...names.filter((name) => !name.includes('.')).slice(0, MOST_NAMES).map((name) => `${name} is a single label, which no sender on the internet can look up`),
  ];
}

function publishedReasons({ domain, record, tlsRpt }: LiveDomain): string[] {
  return [
    ...record.status === 'valid' ? [`a policy with the id ${record.value} is announced at _mta-sts.${domain} already`] : [],
    ...record.status === 'broken' ? [`what stands at _mta-sts.${domain} is no MTA-STS record: ${record.reason}; the deployment refuses to overwrite it, so delete it first`] : [],
    ...record.status === 'unknown' ? [`whether a record stands at _mta-sts.${domain} already could not be had: ${record.reason}; the deployment looks again`] : [],
    ...tlsRpt.status === 'valid' ? [`TLS reports go to ${safeText(tlsRpt.value.join(', '), 300)} already, so the record at _smtp._tls.${domain} stays as it is and the construct makes none`] : [],
    ...tlsRpt.status === 'broken' ? [`what stands at _smtp._tls.${domain} is no TLSRPT record: ${tlsRpt.reason}; the deployment refuses to overwrite it, so delete it first`] : [],
    ...tlsRpt.status === 'unknown' ? [`whether a record stands at _smtp._tls.${domain} already could not be had: ${tlsRpt.reason}; the deployment looks again`] : [],
  ];
}
