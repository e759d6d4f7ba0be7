// A whole mail domain on loopback: its zone, a recursive resolver, and a policy host, each changeable for a test.
import { startDnsServer, zoneAnswers } from '../../lib/preview/dns-server';
import type { DnsAnswerer, DnsRecord, DnsServer } from '../../lib/preview/dns-server';
import { createFetchPolicy } from '../../lib/verifier/fetch-policy';
import { createResolver } from '../../lib/verifier/resolver';
import { verify } from '../../lib/verifier/verify';
import type { VerifyOptions, World } from '../../lib/verifier/verify';
import type { Report } from '../../lib/verifier/report';
import { startPolicyServer, testAuthority } from './policy-server';
import type { PolicyServer, PolicyServerOptions } from './policy-server';

export const DOMAIN = 'example.test';
export const POLICY_HOST = `mta-sts.${DOMAIN}`;

/** The policy file of the domain. */
export const POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: mx1.example.test\r\nmx: *.backup.test\r\nmax_age: 2592000\r\n';

const SOA: DnsRecord = {
  name: DOMAIN, type: 'SOA', ttl: 900,
  data: { mname: 'ns1.example.test', rname: 'hostmaster.example.test', serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 60 },
};

/** The records of the domain by a name for each, so that a test can leave one out or put another in its place. */
export const RECORDS = {
  soa: SOA,
  ns: { name: DOMAIN, type: 'NS', ttl: 300, data: 'ns1.example.test' },
  nsAddress: { name: 'ns1.example.test', type: 'A', ttl: 300, data: '127.0.0.1' },
  mx1: { name: DOMAIN, type: 'MX', ttl: 300, data: { preference: 10, exchange: 'mx1.example.test' } },
  mx2: { name: DOMAIN, type: 'MX', ttl: 300, data: { preference: 20, exchange: 'mx2.backup.test' } },
  sts: { name: `_mta-sts.${DOMAIN}`, type: 'TXT', ttl: 300, data: ['v=STSv1; id=1;'] },
  tlsRpt: { name: `_smtp._tls.${DOMAIN}`, type: 'TXT', ttl: 300, data: ['v=TLSRPTv1; rua=mailto:reports@example.test'] },
  address: { name: POLICY_HOST, type: 'A', ttl: 300, data: '127.0.0.1' },
} satisfies Record<string, DnsRecord>;

export type Changes = Partial<Record<keyof typeof RECORDS, DnsRecord | undefined>>;

/** The zone with some records changed, `undefined` to leave one out, and others added. */
export function zone(changes: Changes = {}, ...more: DnsRecord[]): DnsRecord[] {
  const records = Object.values<DnsRecord | undefined>({ ...RECORDS, ...changes });
  return [...records.filter((record) => record !== undefined), ...more];
}

/** An `_mta-sts` record with an id. */
export function sts(id: string): DnsRecord {
  return { ...RECORDS.sts, data: [`v=STSv1; id=${id};`] };
}

/** Everything that a test has started; closed after each. */
export class Loopback {
  private readonly open: { close(): Promise<void> }[] = [];

  public async close(): Promise<void> {
    await Promise.all(this.open.splice(0).map((server) => server.close()));
  }

  public async dns(answer: DnsAnswerer | readonly DnsRecord[], address = '127.0.0.1', port?: number): Promise<DnsServer> {
    return this.add(await startDnsServer({ address, port, answer: typeof answer === 'function' ? answer : zoneAnswers(answer) }));
  }

  public async policy(options: Partial<PolicyServerOptions> = {}): Promise<PolicyServer> {
    return this.add(await startPolicyServer({ policyHost: POLICY_HOST, body: POLICY, ...options }));
  }

  /** Verifies the domain with one DNS server that is authoritative server and recursive resolver in one. */
  public async verify(setting: Setting = {}): Promise<Report> {
    const dns = await this.dns(setting.zone ?? zone());
    const recursive = setting.recursive === undefined ? dns : await this.dns(setting.recursive);
    const host = setting.policyPort ?? (await this.policy(setting.policy)).port;
    const ca = [(await testAuthority()).certificatePem];
    const world: Partial<World> = {
      resolver: createResolver({ servers: [`127.0.0.1:${recursive.port}`], timeoutMs: setting.dnsTimeoutMs ?? 5000, tries: 1 }),
      fetchPolicy: createFetchPolicy({ port: host, ca, timeoutMs: setting.fetchTimeoutMs ?? 10_000 }),
      ...setting.world,
    };
    return verify(DOMAIN, { nameServerPort: dns.port, allowPrivate: true, ...setting.options }, world);
  }

  private add<T extends { close(): Promise<void> }>(server: T): T {
    this.open.push(server);
    return server;
  }
}

/** What is different from a domain where all is well. */
export interface Setting {
  readonly zone?: DnsAnswerer | readonly DnsRecord[];
  /** @default - the same server */
  readonly recursive?: DnsAnswerer | readonly DnsRecord[];
  readonly policy?: Partial<PolicyServerOptions>;
  /** Of a policy server that runs already, or of none. */
  readonly policyPort?: number;
  /** Short only where silence is what the test is about: a machine that is busy takes its time. */
  readonly dnsTimeoutMs?: number;
  readonly fetchTimeoutMs?: number;
  readonly options?: VerifyOptions;
  readonly world?: Partial<World>;
}
