// Looks up the mail hosts, and combines what DNS, the policy and SMTP say about each of them.
import type { Mode, Policy } from '../../../protocol/policy/policy';
import { hostDelivery } from '../../delivery';
import type { DnsAnswer } from '../../dns/answer';
import type { Network } from '../../network';
import { safeObservation } from '../../result';
import type { MxResult } from '../../result';
import { askForTlsa, hasTlsa } from './dane';
import type { TlsaAnswers } from './dane';
import { checkCoverage, findMailHosts } from './mx-coverage';
import type { Coverage, MailHosts } from './mx-coverage';
import { aliasesOf, checkReach, findMailAddresses } from './mx-reach';
import type { MailAddresses, MailReach, Reach } from './mx-reach';
import { classifySmtp } from './smtp';
import type { SmtpCheck } from './smtp';
import { observeMailHosts } from './smtp-collect';
import type { SmtpObservations } from './smtp-collect';

/** The mail hosts and the answers about them, before the policy is known. */
export interface MailLookup {
  readonly hosts: MailHosts;
  readonly addresses: MailAddresses;
  readonly tlsa: TlsaAnswers;
  /** Undefined where SMTP was not tried. */
  readonly smtp?: SmtpObservations;
}

/** The mail hosts, compared with the policy. */
export interface MailEvaluation {
  readonly reach: MailReach;
  readonly coverage: Coverage;
  /** Undefined where SMTP was not tried. */
  readonly smtp?: SmtpCheck;
}

/** What the evaluation of the mail hosts depends on besides the hosts. */
export interface MailOptions {
  readonly allowPrivate: boolean;
  readonly smtp: boolean;
  /** The policy that senders find. */
  readonly policy?: Policy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Looks up hosts, addresses and TLSA records, and connects to every address where `smtp` is set. */
export async function lookUpMail(network: Network, domain: string, mxRecords: Promise<DnsAnswer<'MX'>>, smtp: boolean): Promise<MailLookup> {
  const hosts = await findMailHosts(network.resolver, domain, mxRecords);
  const found = findMailAddresses(network, hosts.hosts);
  const [tlsa, observations] = await Promise.all([
    askForTlsa(network.resolver, hosts.hosts),
    smtp ? found.then((addresses) => observeMailHosts(network.mxProbe, addresses)) : undefined,
  ]);
  return { hosts, addresses: await found, tlsa, smtp: observations };
}

/** Compares the mail hosts with the policy. */
export function evaluateMail(domain: string, { hosts, addresses, smtp }: MailLookup, options: MailOptions): MailEvaluation {
  const { policy, now } = options;
  const reach = checkReach(domain, hosts, addresses, options);
  return {
    reach,
    coverage: checkCoverage(domain, hosts, policy, aliasTargets(addresses), hostsWithReach(reach, 'unreachable')),
    smtp: smtp && classifySmtp(smtp, policy?.mode, now),
  };
}

/** Returns the hosts that DNS puts into one of the given states. */
export function hostsWithReach({ byHost }: MailReach, ...reaches: readonly Reach[]): readonly string[] {
  return [...byHost].filter(([, reach]) => reaches.includes(reach)).map(([host]) => host);
}

/** Returns the last CNAME target of each host that is an alias. */
function aliasTargets({ hosts }: MailAddresses): ReadonlyMap<string, string> {
  return new Map(hosts.flatMap((one): [string, string][] => aliasesOf(one).slice(-1).map((target) => [one.host, target])));
}

/** What senders know about the policy when they deliver. */
export interface DeliveryContext {
  /** The mode that they act on; undefined where they find no policy. */
  readonly mode?: Mode;
  /** Whether the lookup was conclusive, so that all senders agree about the policy. */
  readonly decided: boolean;
  /** Whether the policy is malformed, and only some senders use it. */
  readonly malformed: boolean;
}

/** Returns one result for each MX host, in the order that senders try them. */
export function mxResults({ hosts, tlsa }: MailLookup, { coverage, reach, smtp }: MailEvaluation, context: DeliveryContext): MxResult[] {
  const { mode, decided, malformed } = context;
  return coverage.mx.map(({ host, covered }) => {
    const observed = smtp?.byHost.get(host);
    // Senders disagree about a malformed policy, so TLS decides the delivery for some of them only.
    const tls = malformed && observed?.tls !== 'no-address' ? 'unknown' : observed?.tls ?? 'unknown';
    // No sender can deliver to a host without an address, with or without a policy.
    const isUnreachable = reach.byHost.get(host) === 'unreachable';
    return {
      host,
      preference: hosts.preferences.get(host) ?? null,
      covered,
      delivery: isUnreachable ? 'refuse' : decided ? hostDelivery(mode, { covered, tls }) : 'unknown',
      dane: hasTlsa(tlsa.get(host)),
      observations: (observed?.observations ?? []).map(safeObservation),
    };
  });
}
