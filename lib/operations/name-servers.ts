// Finds the addresses of a zone's own name servers. They know new records before any resolver, and a query there fills no cache.
import { formatServer } from '../verifier/dns/server-address';
import type { OperationContext } from './context/operation-context';
import type { HostedZone } from './hosted-zone';

/** One name server of the delegation set. */
export interface NameServer {
  readonly name: string;
  /** `address:port`; empty while the addresses are not known. */
  readonly addresses: readonly string[];
}

/** Looks up the addresses: IPv4 if there are any, because a Lambda function outside of a VPC has no IPv6. */
export async function readNameServers(context: OperationContext, zone: HostedZone): Promise<readonly NameServer[]> {
  return context.activity.track(`DNS, the addresses of ${zone.nameServers.join(', ')}`, async () => {
    return Promise.all(zone.nameServers.map(async (name) => ({ name, addresses: await addresses(context, name) })));
  });
}

async function addresses(context: OperationContext, name: string): Promise<readonly string[]> {
  const port = context.services.nameServerPort ?? 53;
  const four = await context.services.resolver.query(name, 'A');
  if (four.status === 'found') return four.records.map((host) => formatServer({ host, port }));
  const six = await context.services.resolver.query(name, 'AAAA');
  return six.status === 'found' ? six.records.map((host) => formatServer({ host, port })) : [];
}
