// A network to publish to: a recursive resolver, two authoritative name servers, and policy hosts at their own addresses, all on loopback.
import type { TestServices, AwsState } from './deployment';
import { DOMAIN, NAME_SERVERS, POLICY_TEXT, TestDns, mx, record, soa, testServices, txt } from './deployment';
import type { DnsRecord } from '../../lib/preview/dns-server/server';
import type { Services } from '../../lib/operations/context/services';
import { createFetchPolicy } from '../../lib/verifier/https/policy-fetch';
import { startPolicyServer, testAuthority } from './policy-server';
import type { PolicyServer, PolicyServerOptions } from './policy-server';

export const POLICY_HOST = `mta-sts.${DOMAIN}`;

/** The addresses of the name servers, in the order of `NAME_SERVERS`. */
const NAME_SERVER_ADDRESSES = ['127.0.0.2', '127.0.0.3'];

/** The network of one domain, with DNS and policy hosts that a test can change. */
export class Edge {
  /** Starts DNS without errors. No policy host runs yet. */
  public static async start(): Promise<Edge> {
    const first = await TestDns.start(NAME_SERVER_ADDRESSES[0]);
    const second = await TestDns.start(NAME_SERVER_ADDRESSES[1], first.port);
    const edge = new Edge(await TestDns.start(), [first, second]);
    edge.reset();
    return edge;
  }

  private policyServers: PolicyServer[] = [];

  private constructor(
    /** The recursive resolver of the function. */
    public readonly recursive: TestDns,
    /** The authoritative name servers of the zone. */
    public readonly nameServers: readonly TestDns[],
  ) {}

  /** Restores DNS without errors, with one address of the policy host. */
  public reset(): void {
    this.recursive.serve(...this.publicRecords());
    this.serveZone(record(POLICY_HOST, 'A', '127.0.0.11'));
  }

  /** Returns the records that exist before the deployment. The recursive resolver answers from them. */
  public publicRecords(): readonly DnsRecord[] {
    return [
      soa('com'), soa('test'), soa(DOMAIN), mx(DOMAIN, 'mx1.example.com'), mx(DOMAIN, 'mx2.example.com'),
      record('mx1.example.com', 'A', '127.0.0.25'), record('mx2.example.com', 'A', '127.0.0.25'),
      ...NAME_SERVERS.flatMap((name, index) => [record(DOMAIN, 'NS', name), record(name, 'A', NAME_SERVER_ADDRESSES.at(index) ?? '')]),
    ];
  }

  /** Replaces the records of both name servers. */
  public serveZone(...records: readonly DnsRecord[]): void {
    for (const server of this.nameServers) server.serve(soa(DOMAIN), ...records);
  }

  /** Publishes the `_mta-sts` record and all other records of the domain, on the name servers and at the resolver. */
  public publishRecord(id: string, ...more: readonly DnsRecord[]): void {
    const records = [
      record(POLICY_HOST, 'A', '127.0.0.11'), txt(`_mta-sts.${DOMAIN}`, `v=STSv1; id=${id};`),
      txt(`_smtp._tls.${DOMAIN}`, 'v=TLSRPTv1; rua=mailto:tls-reports@example.com'), ...more,
    ];
    this.serveZone(...records);
    this.recursive.serve(...this.publicRecords(), ...records);
  }

  /** Starts a policy host at an address. All policy hosts share one port, as in production. */
  public async serve(options: Partial<PolicyServerOptions> = {}): Promise<PolicyServer> {
    const port = this.policyServers.at(0)?.port;
    const server = await startPolicyServer({ policyHost: POLICY_HOST, body: POLICY_TEXT, address: '127.0.0.11', port, ...options });
    this.policyServers.push(server);
    return server;
  }

  public async testServices(state: AwsState = {}, parts: Partial<Services> = {}, timeoutMs = 10_000): Promise<TestServices> {
    const { certificatePem } = await testAuthority();
    return testServices(state, {
      resolver: this.recursive.resolver(),
      nameServerPort: this.nameServers.at(0)?.port,
      allowPrivate: true,
      fetchPolicy: createFetchPolicy({ port: this.policyServers.at(0)?.port ?? 1, ca: [certificatePem], timeoutMs }),
      ...parts,
    });
  }

  public async stopServing(): Promise<void> {
    await Promise.all(this.policyServers.map(async (server) => server.close()));
    this.policyServers = [];
  }

  public async close(): Promise<void> {
    await this.stopServing();
    await Promise.all([this.recursive, ...this.nameServers].map(async (server) => server.close()));
  }
}
