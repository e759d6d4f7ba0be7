// Connects to each address of each mail host over SMTP; what that comes to is judged in smtp.ts, when the policy is known.
import { isIP } from 'node:net';
import { domainFault } from '../../protocol/domain-name';
import { bothFamilies } from '../both-families';
import type { MxResponse } from '../mx-probe';
import type { DnsAnswer } from '../resolver';
import type { World } from '../world';

/** One mail host and what its addresses showed. */
export interface HostLook {
  readonly host: string;
  readonly addresses: BothAnswers;
  readonly visits: readonly Visit[];
  readonly skipped: number;
}

type BothAnswers = readonly [DnsAnswer<'A'>, DnsAnswer<'AAAA'>];

/** One address, and what it showed. */
export interface Visit {
  readonly address: string;
  readonly response: MxResponse;
}

/** What was seen of all mail hosts. */
export interface SmtpLook {
  readonly hosts: readonly HostLook[];
  /** Hosts beyond those that are looked at. */
  readonly skipped: number;
  /** Whether the network let any connection through to the port, for this domain or an earlier one. */
  readonly reachedAny: boolean;
}

/** More than any honest domain has, in hosts and in addresses of one. */
const MOST_HOSTS = 20;
const MOST_ADDRESSES = 8;

/** What one address family is worth waiting for after the other has been found. */
const FAMILY_PATIENCE_MS = 2000;

/** Connects to every address of every host, all at once. */
export async function lookAtMailHosts(world: World, hosts: readonly string[]): Promise<SmtpLook> {
  // What is no host name cannot be in a certificate, and nobody knows what it would do to a resolver.
  const names = hosts.filter((host) => domainFault(host) === undefined);
  const looks = await Promise.all(names.slice(0, MOST_HOSTS).map((host) => lookAt(world, host)));
  return { hosts: looks, skipped: Math.max(0, names.length - MOST_HOSTS), reachedAny: world.mxProbe.reachedAny };
}

async function lookAt({ clock, resolver, mxProbe }: World, host: string): Promise<HostLook> {
  const addresses = await bothFamilies(clock, resolver.query(host, 'A'), resolver.query(host, 'AAAA'), FAMILY_PATIENCE_MS);
  const all = addresses.flatMap((answer) => answer.status === 'found' ? [...answer.records].filter((one) => isIP(one) !== 0).sort() : []);
  const visits = await Promise.all(all.slice(0, MOST_ADDRESSES).map(async (address) => {
    return { address, response: await mxProbe.probe({ host, address }) };
  }));
  return { host, addresses, visits, skipped: Math.max(0, all.length - MOST_ADDRESSES) };
}
