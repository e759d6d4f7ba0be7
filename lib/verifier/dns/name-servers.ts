// The name servers of a domain's zone, and asking each of them by itself.
import { parentNames } from '../../protocol/domain-name';
import { safeText } from '../../util/safe-text';
import { bothFamilies } from './both-families';
import { formatServer } from './server-address';
import type { DnsAnswer, DnsFailed, DnsType } from './resolver';
import type { DnsNetwork } from '../network';

/** One name server of a zone. */
export interface NameServer {
  readonly name: string;
  /** One of each family first, with their port where it is not 53; empty when none is known. */
  readonly addresses: readonly string[];
}

/** The zone that a name lies in and its name servers, or why they are not known. */
export type NameServers
  = | { readonly status: 'found'; readonly zone: string; readonly servers: readonly NameServer[] }
    | { readonly status: 'failed'; readonly reason: string };

/**
 * Finds the name servers of the zone that a domain lies in, in two round trips. The recursive resolver is asked for the NS
 * records of the domain and of its parents, and for the addresses of the servers; never for a name below the domain, because a
 * negative answer to that would be remembered.
 *
 * @param port - where the name servers listen
 */
export async function authoritativeServers(network: DnsNetwork, domain: string, port = 53): Promise<NameServers> {
  const names = parentNames(domain).slice(0, MAX_PARENTS);
  const questions = names.map((name) => network.resolver.query(name, 'NS'));
  for (const [at, question] of questions.entries()) {
    // One after the other: what is above the zone may stay silent for as long as it likes.
    const answer = await question;
    if (answer.status === 'failed') return { status: 'failed', reason: `${names[at]} NS: ${answer.reason}` };
    // An alias cannot be the apex of a zone (RFC 1034 §3.6.2); these are the servers of where it leads.
    if (answer.status === 'found' && answer.cnames.length === 0) {
      const servers = [...new Set(answer.records)].sort().slice(0, MAX_SERVERS);
      return { status: 'found', zone: names[at], servers: await Promise.all(servers.map((name) => withAddresses(network, name, port))) };
    }
  }
  return { status: 'failed', reason: `neither ${domain} nor a domain above it has NS records` };
}

/** What one name server said. */
export interface ServerAnswer<T extends DnsType> {
  /** For people: `ns1.example.com (192.0.2.53)`. */
  readonly server: string;
  readonly answer: DnsAnswer<T>;
  /** How long that took, in milliseconds. */
  readonly milliseconds: number;
}

/** Asks every server at once, and the next address of a server when one fails or hesitates; the first usable answer counts. */
export function askEach<T extends DnsType>(
  network: DnsNetwork, servers: readonly NameServer[], name: string, type: T,
): Promise<ServerAnswer<T>[]> {
  return Promise.all(servers.map(async (server) => {
    const addresses = server.addresses.slice(0, MAX_ADDRESSES);
    if (addresses.length === 0) return { server: safeText(server.name), answer: failure('its name has no address', server.name), milliseconds: 0 };
    const begin = network.clock.now();
    const attempts = await attempt(network, { name, type }, addresses);
    const tried = attempts.map(({ address }) => address).join(', ');
    return { server: tried === server.name ? tried : `${safeText(server.name)} (${tried})`, answer: outcome(attempts), milliseconds: network.clock.now() - begin };
  }));
}

interface Attempt<T extends DnsType> {
  readonly address: string;
  readonly answer: DnsAnswer<T>;
}

/** The one usable answer, or else every failure, in the order of the addresses. */
async function attempt<T extends DnsType>(
  network: DnsNetwork, question: { readonly name: string; readonly type: T }, [address, ...others]: readonly string[],
): Promise<readonly Attempt<T>[]> {
  const first = network.resolver.query(question.name, question.type, address).then((answer) => [{ address, answer }]);
  if (others.length === 0) return first;
  const early = await Promise.race([first, network.clock.sleep(HESITATION_MS).then(() => undefined)]);
  if (early !== undefined && isUsable(early)) return early;
  const rest = attempt(network, question, others);
  try {
    return await Promise.any([usable(first), usable(rest)]);
  } catch {
    return (await Promise.all([first, rest])).flat();
  }
}

async function usable<T extends DnsType>(attempts: Promise<readonly Attempt<T>[]>): Promise<readonly Attempt<T>[]> {
  const done = await attempts;
  if (!isUsable(done)) throw new Error('no usable answer');
  return done;
}

function isUsable(attempts: readonly Attempt<DnsType>[]): boolean {
  return attempts.some(({ answer }) => answer.status !== 'failed');
}

function outcome<T extends DnsType>(attempts: readonly Attempt<T>[]): DnsAnswer<T> {
  const faults = attempts.flatMap(({ address, answer }) => answer.status === 'failed' ? [{ address, answer }] : []);
  const reasons = new Set(faults.map(({ answer }) => answer.reason));
  // One address, or the same fault at all of them.
  if (reasons.size < 2) return attempts[0].answer;
  return failure(faults.map(({ address, answer }) => `${address}: ${answer.reason}`).join('; '), faults[0].answer.server);
}

function failure(reason: string, server: string): DnsFailed {
  return { status: 'failed', reason, server, cnames: [] };
}

/** RFC 8305 §5 waits as long before it tries the next address. */
const HESITATION_MS = 250;

/** What the second address family of a name server is worth: the first will do. */
const FAMILY_PATIENCE_MS = 500;

/** As many as the root has; a zone with more gives none of them less than the others. */
const MAX_SERVERS = 13;

/** One of each family, usually. */
const MAX_ADDRESSES = 2;

/** No zone is cut deeper below a top-level domain than this. */
const MAX_PARENTS = 10;

async function withAddresses({ clock, resolver }: DnsNetwork, name: string, port: number): Promise<NameServer> {
  const [v4, v6] = await bothFamilies(clock, resolver.query(name, 'A'), resolver.query(name, 'AAAA'), FAMILY_PATIENCE_MS);
  // One of each first: when a family cannot be used from here, the second try is of the other.
  const first = [v4, v6].flatMap((answer) => answer.status === 'found' ? answer.records.slice(0, 1) : []);
  const rest = [v4, v6].flatMap((answer) => answer.status === 'found' ? answer.records.slice(1) : []);
  return { name, addresses: [...first, ...rest].map((address) => withPort(address, port)) };
}

function withPort(address: string, port: number): string {
  return port === 53 ? address : formatServer({ host: address, port });
}
