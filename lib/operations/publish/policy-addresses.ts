// Where the policy host is, told by those who know it first.
import { safeText } from '../../util/safe-text';
import type { DnsAnswer, DnsEmpty, DnsFailed } from '../../verifier/dns/answer';
import { nameServersOf } from './authorities';
import type { NameServer } from './authorities';
import { readHostedZone } from '../hosted-zone';
import type { Invocation } from '../context/invocation';

/** Asks for the addresses of the policy host; one entry for each server that was asked. */
export type AskAddresses = (type: AddressType) => Promise<readonly Asked[]>;

/** What one server said. */
export interface Asked {
  readonly who: string;
  readonly found: readonly string[];
  readonly fault?: string;
}

type AddressType = 'A' | 'AAAA';

/** Asks the zone's own name servers: a resolver could hold, from before the record was made, that there is none. */
export async function atNameServers(invocation: Invocation, zoneId: string, policyHost: string): Promise<AskAddresses> {
  const zone = await readHostedZone(invocation, zoneId);
  let servers: readonly NameServer[] = [];
  return async (type) => {
    if (servers.length === 0 || servers.some(({ addresses }) => addresses.length === 0)) servers = await nameServersOf(invocation, zone);
    return Promise.all(servers.map(async (server) => askNameServer(invocation, server, policyHost, type)));
  };
}

/** Asks the resolver for the distribution's own name: where DNS is elsewhere nobody need have made a record yet. */
export function atDistribution(invocation: Invocation, distribution: string): AskAddresses {
  return async (type) => {
    const answer: DnsAnswer<AddressType> = await invocation.activity.track(`DNS, ${distribution} ${type}`, async () => {
      return invocation.services.resolver.query(distribution, type);
    });
    if (answer.status === 'found') return [{ who: distribution, found: answer.records }];
    return [{ who: distribution, found: [], fault: faultOf(answer, type) }];
  };
}

/** Asks a name server at its addresses in order until one answers. */
async function askNameServer(invocation: Invocation, server: NameServer, name: string, type: AddressType): Promise<Asked> {
  let fault = 'its own address is not known';
  for (const address of server.addresses) {
    const answer: DnsAnswer<AddressType> = await invocation.activity.track(`the name server ${server.name} (${address})`, async () => {
      return invocation.services.resolver.query(name, type, address);
    });
    if (answer.status === 'found') return { who: server.name, found: answer.records };
    fault = faultOf(answer, type);
    if (answer.status === 'empty') break;
  }
  return { who: `name server ${server.name}`, found: [], fault };
}

function faultOf(answer: DnsEmpty | DnsFailed, type: AddressType): string {
  return safeText(answer.status === 'empty' ? `no ${type} record yet (${answer.reason})` : answer.reason);
}
