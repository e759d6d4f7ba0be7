// Finds the addresses of the policy host, from the servers that know new records first.
import { safeText } from '../../util/safe-text';
import type { DnsAnswer, DnsEmpty, DnsFailed } from '../../verifier/dns/answer';
import type { OperationContext } from '../context/operation-context';
import { readHostedZone } from '../hosted-zone';
import { readNameServers } from '../name-servers';
import type { NameServer } from '../name-servers';

/** Queries the addresses of the policy host. Returns one answer for each queried server. */
export type QueryAddresses = (type: AddressType) => Promise<readonly AddressAnswer[]>;

/** The answer of one server. */
export interface AddressAnswer {
  /** The server, or the name that was looked up. */
  readonly source: string;
  readonly found: readonly string[];
  readonly problem?: string;
}

type AddressType = 'A' | 'AAAA';

/** Queries the zone's own name servers. A resolver may have cached that the record does not exist. */
export async function zoneAddresses(context: OperationContext, zoneId: string, policyHost: string): Promise<QueryAddresses> {
  const zone = await readHostedZone(context, zoneId);
  let servers: readonly NameServer[] = [];
  return async (type) => {
    if (servers.length === 0 || servers.some(({ addresses }) => addresses.length === 0)) servers = await readNameServers(context, zone);
    return Promise.all(servers.map(async (server) => queryNameServer(context, server, policyHost, type)));
  };
}

/** Queries the resolver for the distribution's own name. With external DNS, the record of the policy host may not exist yet. */
export function distributionAddresses(context: OperationContext, distribution: string): QueryAddresses {
  return async (type) => {
    const answer: DnsAnswer<AddressType> = await context.activity.track(`DNS, ${distribution} ${type}`, async () => {
      return context.services.resolver.query(distribution, type);
    });
    if (answer.status === 'found') return [{ source: distribution, found: answer.records }];
    return [{ source: distribution, found: [], problem: answerProblem(answer, type) }];
  };
}

/** Queries a name server at its addresses in order until one answers. */
async function queryNameServer(context: OperationContext, server: NameServer, name: string, type: AddressType): Promise<AddressAnswer> {
  let problem = 'its own address is not known';
  for (const address of server.addresses) {
    const answer: DnsAnswer<AddressType> = await context.activity.track(`the name server ${server.name} (${address})`, async () => {
      return context.services.resolver.query(name, type, address);
    });
    if (answer.status === 'found') return { source: server.name, found: answer.records };
    problem = answerProblem(answer, type);
    if (answer.status === 'empty') break;
  }
  return { source: `name server ${server.name}`, found: [], problem };
}

function answerProblem(answer: DnsEmpty | DnsFailed, type: AddressType): string {
  return safeText(answer.status === 'empty' ? `no ${type} record yet (${answer.reason})` : answer.reason);
}
