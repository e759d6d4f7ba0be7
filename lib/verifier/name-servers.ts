// The name servers of a domain's zone, and asking each of them by itself.
import { printable } from '../protocol/text';
import type { DnsAnswer, DnsType, Resolver } from './resolver';

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
export async function authoritativeServers(resolver: Resolver, domain: string, port = 53): Promise<NameServers> {
  const names = zoneNames(domain);
  const answers = await Promise.all(names.map((name) => resolver.query(name, 'NS')));
  for (const [at, answer] of answers.entries()) {
    if (answer.status === 'failed') return { status: 'failed', reason: `${names[at]} NS: ${answer.reason}` };
    // An alias cannot be the apex of a zone (RFC 1034 §3.6.2); these are the servers of where it leads.
    if (answer.status === 'found' && answer.cnames.length === 0) {
      const servers = [...new Set(answer.records)].sort().slice(0, MAX_SERVERS);
      return { status: 'found', zone: names[at], servers: await Promise.all(servers.map((name) => withAddresses(resolver, name, port))) };
    }
  }
  return { status: 'failed', reason: `neither ${domain} nor a domain above it has NS records` };
}

/** What one name server said. */
export interface ServerAnswer<T extends DnsType> {
  /** For people: `ns1.example.com (192.0.2.53)`. */
  readonly server: string;
  readonly answer: DnsAnswer<T>;
}

/** Asks every server at once; the next address of a server is tried when one does not answer. */
export function askEach<T extends DnsType>(
  resolver: Resolver, servers: readonly NameServer[], name: string, type: T,
): Promise<ServerAnswer<T>[]> {
  return Promise.all(servers.map(async (server) => {
    let result: ServerAnswer<T> = {
      server: printable(server.name),
      answer: { status: 'failed', reason: 'its name has no address', server: server.name, cnames: [] },
    };
    for (const address of server.addresses.slice(0, MAX_ADDRESSES)) {
      result = {
        server: address === server.name ? address : `${printable(server.name)} (${address})`,
        answer: await resolver.query(name, type, address),
      };
      if (result.answer.status !== 'failed') break;
    }
    return result;
  }));
}

/** As many as the root has; a zone with more gives none of them less than the others. */
const MAX_SERVERS = 13;

/** One of each family, usually. */
const MAX_ADDRESSES = 2;

/** No zone is cut deeper below a top-level domain than this. */
const MAX_PARENTS = 10;

/** The domain, its parent, and so on up to its top level. */
function zoneNames(domain: string): string[] {
  const labels = domain.split('.');
  return labels.map((_, at) => labels.slice(at).join('.')).slice(0, MAX_PARENTS);
}

async function withAddresses(resolver: Resolver, name: string, port: number): Promise<NameServer> {
  const [v4, v6] = await Promise.all([resolver.query(name, 'A'), resolver.query(name, 'AAAA')]);
  // One of each first: when a family cannot be used from here, the second try is of the other.
  const first = [v4, v6].flatMap((answer) => answer.status === 'found' ? answer.records.slice(0, 1) : []);
  const rest = [v4, v6].flatMap((answer) => answer.status === 'found' ? answer.records.slice(1) : []);
  return { name, addresses: [...first, ...rest].map((address) => withPort(address, port)) };
}

function withPort(address: string, port: number): string {
  if (port === 53) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
