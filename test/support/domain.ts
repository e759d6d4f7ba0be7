// A whole mail domain on loopback: its zone, a recursive resolver, a policy host and a mail exchanger. A test can change each of them.
import { startDnsServer, zoneAnswers } from '../../lib/preview/dns-server/server';
import type { DnsAnswerer, DnsRecord, DnsServer } from '../../lib/preview/dns-server/server';
import { createFetchPolicy } from '../../lib/verifier/https/policy-fetch';
import { createMxProbe } from '../../lib/verifier/smtp/mx-probe';
import type { MxProbeOptions } from '../../lib/verifier/smtp/mx-probe';
import { createResolver } from '../../lib/verifier/dns/resolver';
import { verify } from '../../lib/verifier/verify';
import type { VerifyOptions, Network } from '../../lib/verifier/verify';
import type { VerificationResult } from '../../lib/verifier/result';
import { expectAreasBySubject } from './area-by-subject';
import { startMxServer } from './mx-server';
import type { MxServer, MxServerOptions } from './mx-server';
import { startSilentServer } from './silent-server';
import type { SilentServer } from './silent-server';
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

/** The records of the domain, each with a name, so that a test can leave out or replace a record. */
export const RECORDS = {
  soa: SOA,
  ns: { name: DOMAIN, type: 'NS', ttl: 300, data: 'ns1.example.test' },
  nsAddress: { name: 'ns1.example.test', type: 'A', ttl: 300, data: '127.0.0.1' },
  mx1: { name: DOMAIN, type: 'MX', ttl: 300, data: { preference: 10, exchange: 'mx1.example.test' } },
  mx2: { name: DOMAIN, type: 'MX', ttl: 300, data: { preference: 20, exchange: 'mx2.backup.test' } },
  sts: { name: `_mta-sts.${DOMAIN}`, type: 'TXT', ttl: 300, data: ['v=STSv1; id=1;'] },
  tlsRpt: { name: `_smtp._tls.${DOMAIN}`, type: 'TXT', ttl: 300, data: ['v=TLSRPTv1; rua=mailto:reports@example.test'] },
  address: { name: POLICY_HOST, type: 'A', ttl: 300, data: '127.0.0.1' },
  mx1Address: { name: 'mx1.example.test', type: 'A', ttl: 300, data: '127.0.0.1' },
  backup: { ...SOA, name: 'backup.test' },
  mx2Address: { name: 'mx2.backup.test', type: 'A', ttl: 300, data: '127.0.0.1' },
} satisfies Record<string, DnsRecord>;

export type Changes = Partial<Record<keyof typeof RECORDS, DnsRecord | undefined>>;

/** Returns the zone with changed and additional records. `undefined` leaves a record out. */
export function zone(changes: Changes = {}, ...more: DnsRecord[]): DnsRecord[] {
  const records = Object.values<DnsRecord | undefined>({ ...RECORDS, ...changes });
  return [...records.filter((record) => record !== undefined), ...more];
}

/** The mail hosts of the domain. */
export const MX1 = 'mx1.example.test';
export const MX2 = 'mx2.backup.test';

/** Returns an address record. */
export function addressOf(name: string, data: string): DnsRecord {
  return { name, type: data.includes(':') ? 'AAAA' : 'A', ttl: 300, data };
}

/** Returns the zone with other addresses of the mail hosts. The second mail host is in a zone of its own. */
export function mailZone(addresses?: readonly DnsRecord[], changes: Changes = {}): DnsRecord[] {
  return addresses === undefined ? zone(changes) : zone({ mx1Address: undefined, mx2Address: undefined, ...changes }, ...addresses);
}

/** Returns an `_mta-sts` record with an id. */
export function sts(id: string): DnsRecord {
  return { ...RECORDS.sts, data: [`v=STSv1; id=${id};`] };
}

/** The servers of a test. `close` closes all of them. */
export class Loopback {
  private readonly open: { close(): Promise<void> }[] = [];
  /** Cancels the DNS queries that are still pending. */
  private closing = new AbortController();

  public async close(): Promise<void> {
    this.closing.abort();
    this.closing = new AbortController();
    await Promise.all(this.open.splice(0).map((server) => server.close()));
  }

  public async dns(answer: DnsAnswerer | readonly DnsRecord[], address = '127.0.0.1', port?: number): Promise<DnsServer> {
    return this.add(await startDnsServer({ address, port, answer: typeof answer === 'function' ? answer : zoneAnswers(answer) }));
  }

  public async policy(options: Partial<PolicyServerOptions> = {}): Promise<PolicyServer> {
    return this.add(await startPolicyServer({ policyHost: POLICY_HOST, body: POLICY, ...options }));
  }

  public async mx(options: Partial<MxServerOptions> = {}): Promise<MxServer> {
    return this.add(await startMxServer({ names: [MX1, MX2], ...options }));
  }

  public async silent(): Promise<SilentServer> {
    return this.add(await startSilentServer());
  }

  /** Verifies the domain. By default, one DNS server is both the authoritative server and the recursive resolver. */
  public async verify(given: LoopbackOptions = {}): Promise<VerificationResult> {
    const mxPort = given.mxPort ?? (given.mx === undefined ? undefined : (await this.mx(given.mx)).port);
    const dns = await this.dns(given.zone ?? (mxPort === undefined ? zone() : mailZone()));
    const recursive = given.recursive === undefined ? dns : await this.dns(given.recursive);
    const policyPort = given.policyPort ?? (await this.policy(given.policy)).port;
    const ca = [(await testAuthority()).certificatePem];
    const network: Partial<Network> = {
      resolver: createResolver({ servers: [`127.0.0.1:${recursive.port}`], timeoutMs: given.dnsTimeoutMs ?? 10_000, tries: 1, signal: this.closing.signal }),
      fetchPolicy: createFetchPolicy({ port: policyPort, ca, timeoutMs: given.fetchTimeoutMs ?? 10_000 }),
      ...(mxPort === undefined ? {} : { mxProbe: createMxProbe({ port: mxPort, ca, timeoutMs: 10_000, ...given.probe }) }),
      ...given.network,
    };
    const options = { nameServerPort: dns.port, allowPrivate: true, smtp: mxPort !== undefined, ...given.options };
    const result = await verify(DOMAIN, options, network);
    expectAreasBySubject(result);
    return result;
  }

  private add<T extends { close(): Promise<void> }>(server: T): T {
    this.open.push(server);
    return server;
  }
}

/** Differences from a domain without problems. */
export interface LoopbackOptions {
  readonly zone?: DnsAnswerer | readonly DnsRecord[];
  /** Answers of the recursive resolver. @default - the authoritative server is also the resolver */
  readonly recursive?: DnsAnswerer | readonly DnsRecord[];
  readonly policy?: Partial<PolicyServerOptions>;
  /** Port of a policy server that already runs, or a closed port. */
  readonly policyPort?: number;
  /** The mail exchanger at 127.0.0.1. SMTP is checked if there is one. */
  readonly mx?: Partial<MxServerOptions>;
  /** Port of mail exchangers that already run, or a closed port. */
  readonly mxPort?: number;
  readonly probe?: Pick<MxProbeOptions, 'timeoutMs' | 'connectTimeoutMs'>;
  /** Set a short limit only in a test of a timeout, because a busy machine may be slow. */
  readonly dnsTimeoutMs?: number;
  readonly fetchTimeoutMs?: number;
  readonly options?: VerifyOptions;
  readonly network?: Partial<Network>;
}
