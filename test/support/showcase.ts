// Creates HTML pages of real verifications of two domains on loopback. docs/figures/screenshot.mjs takes pictures of them.
import { Tally } from '../../cli/output/reporter';
import { htmlFormat } from '../../cli/output/formats/html';
import { startDnsServer, zoneAnswers } from '../../lib/preview/dns-server/server';
import type { DnsRecord } from '../../lib/preview/dns-server/server';
import { createFetchPolicy } from '../../lib/verifier/https/policy-fetch';
import { createMxProbe } from '../../lib/verifier/smtp/mx-probe';
import type { VerificationResult } from '../../lib/verifier/result';
import { createResolver } from '../../lib/verifier/dns/resolver';
import { verify } from '../../lib/verifier/verify';
import { startMxServer } from './mx-server';
import { startPolicyServer, testAuthority } from './policy-server';

/** A page and the results that it must show. */
interface Showcase {
  readonly page: string;
  readonly results: readonly VerificationResult[];
}

/** Returns pages by name: `good`, `failing`, and `both` with an index. Closes every server. */
export async function showcases(): Promise<Readonly<Record<'good' | 'failing' | 'both', Showcase>>> {
  const good = await verifyOnLoopback('example.test', GOOD);
  const failing = await verifyOnLoopback('broken.test', FAILING);
  return { good: showcase([good]), failing: showcase([failing]), both: showcase([good, failing]) };
}

function showcase(results: readonly VerificationResult[]): Showcase {
  const format = htmlFormat();
  const tally = new Tally();
  const parts = [format.head()];
  for (const result of results) {
    tally.add(result);
    parts.push(format.body(result));
  }
  return { page: [...parts, format.tail(tally)].join(''), results };
}

/** The servers of a domain and their content. */
interface Scenario {
  readonly policy: (domain: string) => string;
  /** Addresses of the policy host. Only those in `served` answer. */
  readonly addresses: readonly string[];
  readonly served: readonly string[];
  readonly mx: (domain: string) => readonly MailHost[];
  readonly more: (domain: string) => readonly DnsRecord[];
}

interface MailHost {
  readonly host: string;
  readonly address: string;
  /** The name in its certificate. */
  readonly certified: string;
  readonly tlsa?: true;
}

const GOOD: Scenario = {
  policy: (domain) => policy(['mode: enforce', `mx: mx1.${domain}`, `mx: mx2.${domain}`, 'max_age: 2592000']),
  addresses: ['127.0.0.4', '127.0.0.5'],
  served: ['127.0.0.4', '127.0.0.5'],
  mx: (domain) => [
    { host: `mx1.${domain}`, address: '127.0.0.6', certified: `mx1.${domain}` },
    { host: `mx2.${domain}`, address: '127.0.0.7', certified: `mx2.${domain}`, tlsa: true },
  ],
  more: (domain) => [{ name: `_smtp._tls.${domain}`, type: 'TXT', ttl: 300, data: [`v=TLSRPTv1; rua=mailto:tls-reports@${domain}`] }],
};

const PROVIDER = 'provider.test';

/** The policy does not cover a new mail host, a certificate is for another host, and one address of the policy host does not answer. */
const FAILING: Scenario = {
  policy: (domain) => policy(['mode: enforce', `mx: MX1.${domain}`, `mx: mx2.${domain}`, 'max_age: 604800']),
  addresses: ['127.0.0.4', '127.0.0.5'],
  served: ['127.0.0.4'],
  mx: (domain) => [
    { host: `mx1.${domain}`, address: '127.0.0.6', certified: `mx1.${domain}`, tlsa: true },
    { host: `mx2.${domain}`, address: '127.0.0.7', certified: `mail.${PROVIDER}` },
    { host: `mail.${PROVIDER}`, address: '127.0.0.8', certified: `mail.${PROVIDER}` },
  ],
  more: () => [],
};

function policy(lines: readonly string[]): string {
  return ['version: STSv1', ...lines, ''].join('\r\n');
}

/** The name servers of each domain. The recursive resolver is the first of them at another address. */
const NAME_SERVERS = ['127.0.0.1', '127.0.0.2'];
const RESOLVER = '127.0.0.3';

async function verifyOnLoopback(domain: string, scenario: Scenario): Promise<VerificationResult> {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(server: T): T => {
    opened.push(server);
    return server;
  };
  try {
    const answer = zoneAnswers(zone(domain, scenario));
    const dns = keep(await startDnsServer({ address: RESOLVER, answer }));
    for (const address of NAME_SERVERS) keep(await startDnsServer({ address, port: dns.port, answer }));
    let httpsPort: number | undefined;
    for (const address of scenario.served) {
      const served = { policyHost: `mta-sts.${domain}`, body: scenario.policy(domain) };
      httpsPort = keep(await startPolicyServer({ ...served, address, port: httpsPort })).port;
    }
    let smtpPort: number | undefined;
    for (const { address, certified } of scenario.mx(domain)) {
      smtpPort = keep(await startMxServer({ names: [certified], address, port: smtpPort })).port;
    }
    const ca = [(await testAuthority()).certificatePem];
    return await verify(domain, { nameServerPort: dns.port, allowPrivate: true, smtp: true }, {
      resolver: createResolver({ servers: [`${RESOLVER}:${dns.port}`] }),
      fetchPolicy: createFetchPolicy({ port: httpsPort, ca }),
      mxProbe: createMxProbe({ port: smtpPort, ca }),
    });
  } finally {
    await Promise.all(opened.map((server) => server.close()));
  }
}

function zone(domain: string, { addresses, mx, more }: Scenario): DnsRecord[] {
  const hosts = mx(domain);
  return [
    soa(domain),
    // Hosts of the provider are in its own zone.
    soa(PROVIDER),
    ...NAME_SERVERS.flatMap((address, at): DnsRecord[] => [
      { name: domain, type: 'NS', ttl: 300, data: `ns${at + 1}.${domain}` },
      { name: `ns${at + 1}.${domain}`, type: 'A', ttl: 300, data: address },
    ]),
    { name: `_mta-sts.${domain}`, type: 'TXT', ttl: 300, data: ['v=STSv1; id=20260301T120000;'] },
    ...addresses.map((address): DnsRecord => ({ name: `mta-sts.${domain}`, type: 'A', ttl: 300, data: address })),
    ...hosts.flatMap(({ host, address, tlsa }, at): DnsRecord[] => [
      { name: domain, type: 'MX', ttl: 300, data: { preference: 10 * (at + 1), exchange: host } },
      { name: host, type: 'A', ttl: 300, data: address },
      ...tlsa === undefined ? [] : [{ name: `_25._tcp.${host}`, type: 'TLSA', ttl: 300, data: TLSA } as const],
    ]),
    ...more(domain),
  ];
}

/** Its content does not matter: DANE is not validated. */
const TLSA = { usage: 3, selector: 1, matchingType: 1, certificate: new Uint8Array(32) };

function soa(name: string): DnsRecord {
  const data = { mname: `ns1.${name}`, rname: `hostmaster.${name}`, serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 60 };
  return { name, type: 'SOA', ttl: 300, data };
}
