// Finds the name servers of a domain's zone and asks each of them.
import { parentNames } from '../../protocol/domain-name';
import { safeText } from '../../util/safe-text';
import type { DnsNetwork } from '../network';
import type { DnsAnswer, DnsFailed, DnsType } from './answer';
import { bothFamilies } from './both-families';
import { formatServer } from './server-address';

/** One name server of a zone. */
export interface NameServer {
  readonly name: string;
  /** IP addresses, the first of each family first, with the port if it is not 53. Empty if none is known. */
  readonly addresses: readonly string[];
}

/** The zone of a name and its name servers, or the reason of the failure. */
export type NameServers
  = | { readonly status: 'found'; readonly zone: string; readonly servers: readonly NameServer[] }
    | { readonly status: 'failed'; readonly reason: string };

/**
 * Finds the name servers of a domain's zone in two round trips. Asks the recursive resolver for the NS records of the domain and
 * its parents, and for the addresses of the servers. Never asks for a name below the domain, because the resolver would cache a
 * negative answer.
 *
 * @param port - port of the name servers
 */
export async function authoritativeServers(network: DnsNetwork, domain: string, port = 53): Promise<NameServers> {
  const questions = parentNames(domain).slice(0, MAX_PARENTS).map((name) => ({ name, answered: network.resolver.query(name, 'NS') }));
  for (const { name, answered } of questions) {
    // Await in order: a server above the zone may never answer.
    const answer = await answered;
    if (answer.status === 'failed') return { status: 'failed', reason: `${name} NS: ${answer.reason}` };
    // An alias cannot be the apex of a zone (RFC 1034 §3.6.2); its answer names the servers of the target.
    if (answer.status === 'found' && answer.cnames.length === 0) {
      const servers = [...new Set(answer.records)].sort().slice(0, MAX_SERVERS);
      return { status: 'found', zone: name, servers: await Promise.all(servers.map((server) => withAddresses(network, server, port))) };
    }
  }
  return { status: 'failed', reason: `neither ${domain} nor a domain above it has NS records` };
}

/** Answer of one name server. */
export interface ServerAnswer<T extends DnsType> {
  /** For people: `ns1.example.com (192.0.2.53)`. */
  readonly server: string;
  readonly answer: DnsAnswer<T>;
  /** Time until the answer. */
  readonly milliseconds: number;
}

/** Asks all servers at the same time. Asks the next address of a server if one fails or is slow, and takes the first usable answer. */
export function askEach<T extends DnsType>(
  network: DnsNetwork, servers: readonly NameServer[], name: string, type: T,
): Promise<ServerAnswer<T>[]> {
  return Promise.all(servers.map(async (server) => {
    const [address, ...others] = server.addresses.slice(0, MAX_ADDRESSES);
    if (address === undefined) return { server: safeText(server.name), answer: failure('its name has no address', server.name), milliseconds: 0 };
    const startedAt = network.clock.now();
    const attempts = await askAddresses(network, { name, type }, address, others);
    const tried = attempts.map((attempt) => attempt.address).join(', ');
    return {
      server: tried === server.name ? tried : `${safeText(server.name)} (${tried})`,
      answer: combine(attempts),
      milliseconds: network.clock.now() - startedAt,
    };
  }));
}

/** The answer of one address of a server. */
interface Attempt<T extends DnsType> {
  readonly address: string;
  readonly answer: DnsAnswer<T>;
}

type Attempts<T extends DnsType> = readonly [Attempt<T>, ...Attempt<T>[]];

/** Returns the one usable answer, or else every failure in the order of the addresses. */
async function askAddresses<T extends DnsType>(
  network: DnsNetwork, question: { readonly name: string; readonly type: T }, address: string, [next, ...others]: readonly string[],
): Promise<Attempts<T>> {
  const first = network.resolver.query(question.name, question.type, address).then((answer): Attempts<T> => [{ address, answer }]);
  if (next === undefined) return first;
  const early = await Promise.race([first, network.clock.sleep(NEXT_ADDRESS_DELAY_MS).then(() => undefined)]);
  if (early !== undefined && isUsable(early)) return early;
  const rest = askAddresses(network, question, next, others);
  try {
    return await Promise.any([usable(first), usable(rest)]);
  } catch {
    return [...await first, ...await rest];
  }
}

async function usable<T extends DnsType>(pending: Promise<Attempts<T>>): Promise<Attempts<T>> {
  const attempts = await pending;
  if (!isUsable(attempts)) throw new Error('no usable answer');
  return attempts;
}

function isUsable(attempts: Attempts<DnsType>): boolean {
  return attempts.some(({ answer }) => answer.status !== 'failed');
}

/** Returns the usable answer, or one failure that names the different reasons. */
function combine<T extends DnsType>(attempts: Attempts<T>): DnsAnswer<T> {
  const failures = attempts.flatMap(({ address, answer }) => answer.status === 'failed' ? [{ address, reason: answer.reason }] : []);
  const reasons = new Set(failures.map(({ reason }) => reason));
  const [{ answer }] = attempts;
  return reasons.size < 2 ? answer : failure(failures.map(({ address, reason }) => `${address}: ${reason}`).join('; '), answer.server);
}

function failure(reason: string, server: string): DnsFailed {
  return { status: 'failed', reason, server, cnames: [] };
}

/** Time before the next address is asked as well (RFC 8305 §5). */
const NEXT_ADDRESS_DELAY_MS = 250;

/** Time for the second address family of a name server. One family is enough. */
const SECOND_FAMILY_MS = 500;

/** Maximum number of servers to ask: as many as the root has. A zone with more has the same records on all of them. */
const MAX_SERVERS = 13;

/** Maximum number of addresses to ask of one server, usually one of each family. */
const MAX_ADDRESSES = 2;

/** Maximum number of names to search for a zone. No zone is cut more labels below a top-level domain. */
const MAX_PARENTS = 10;

async function withAddresses({ clock, resolver }: DnsNetwork, name: string, port: number): Promise<NameServer> {
  const [v4, v6] = await bothFamilies(clock, resolver.query(name, 'A'), resolver.query(name, 'AAAA'), SECOND_FAMILY_MS);
  // One of each family first: if this machine cannot use one family, the second try uses the other.
  const first = [v4, v6].flatMap((answer) => answer.status === 'found' ? answer.records.slice(0, 1) : []);
  const rest = [v4, v6].flatMap((answer) => answer.status === 'found' ? answer.records.slice(1) : []);
  return { name, addresses: [...first, ...rest].map((address) => withPort(address, port)) };
}

function withPort(address: string, port: number): string {
  return port === 53 ? address : formatServer({ host: address, port });
}
