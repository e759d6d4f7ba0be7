// Starts a preview: reads the assembly, makes the certificates, opens the servers; and takes all of it away again.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostNameProblem } from '../protocol/domain-name';
import { policyHostName } from '../protocol/policy/url';
import { safeText } from '../util/safe-text';
import { formatServer } from '../verifier/dns/server-address';
import { readAssembly } from './assembly/assembly';
import type { Assembly, Publication } from './assembly/assembly';
import { makeCertificates } from './tls/certificates';
import type { TlsFiles } from './tls/certificates';
import { CloudFront } from './edge/cloudfront';
import type { Log } from './edge/cloudfront';
import { startDnsServer, zoneAnswers } from './dns-server/server';
import type { DnsAnswerer, DnsServer } from './dns-server/server';
import type { TlsVersion } from './edge/distribution';
import { PreviewError, messageOf } from './errors';
import { ObjectStore } from './assembly/objects';
import { startWebServer } from './server';
import { previewZones } from './assembly/zones';
import type { MxHost, PreviewMx } from './assembly/zones';

export interface PreviewOptions {
  /** The folder of the cloud assembly, `cdk.out`. */
  readonly app: string;
  /** The IP address to listen on; on IPv4 loopback `::1` is served as well where this machine has it. */
  readonly listen: string;
  /** @default 0, any free one */
  readonly httpsPort?: number;
  /** @default 0, any free one */
  readonly dnsPort?: number;
  /** @default - a certificate of a private CA made on the fly */
  readonly tls?: TlsFiles;
  /**
   * The MX hosts of every domain, in the order of their preference.
   *
   * @default - those of the template, or else hosts made from the policies' own patterns
   */
  readonly mx?: readonly MxHost[];
  /**
   * When the policies are published, in milliseconds since the epoch: their ids begin with it.
   *
   * @default - now
   */
  readonly time?: number;
  /**
   * Gets a line for each request, and the reason when an edge function failed or a handshake was refused.
   *
   * @default - nobody does
   */
  readonly log?: Log;
}

/** A domain whose policy is served. */
export interface PreviewDomain {
  readonly domain: string;
  /** `mta-sts.example.com` */
  readonly policyHost: string;
  /** Made for this preview: each publication has its own. */
  readonly policyId: string;
  /** The policy file, exactly. */
  readonly policyText: string;
}

/** What the verifier needs to meet this world and no other. */
export interface PreviewVerification {
  /** `address:port` of the DNS server, to ask as a recursive resolver. */
  readonly resolverServers: readonly string[];
  /** The port of the name servers that it names. */
  readonly nameServerPort: number;
  readonly httpsPort: number;
  /** Roots to trust beside the system's. */
  readonly ca: readonly string[];
}

/** A running preview. */
export interface Preview {
  readonly app: string;
  readonly listen: string;
  /** Every name that HTTPS is served for. */
  readonly hosts: readonly string[];
  readonly domains: readonly PreviewDomain[];
  readonly httpsPort: number;
  readonly dnsPort: number;
  /** The MX hosts of each domain, and where they come from. */
  readonly mx: readonly PreviewMx[];
  /** PEM of what a client must trust: the private CA, or the roots that came with the given certificate, if any did. */
  readonly ca?: string;
  /** The file that holds the same until the preview is closed. */
  readonly caFile?: string;
  /** What is left out or differs from AWS, one line each, safe to print. */
  readonly notes: readonly string[];
  readonly verification: PreviewVerification;
  /** Stops at once, cuts what is open, and removes the file of the CA. Twice does no harm. */
  close(): Promise<void>;
}

/**
 * Serves the policy hosts and the DNS records of a synthesized app.
 *
 * @throws PreviewError where a person can mend what is wrong: no assembly, no policy host, a port that is taken
 */
export async function startPreview(options: PreviewOptions): Promise<Preview> {
  checkOptions(options);
  const assembly = readAssembly(options.app, options.time);
  const opened = new Opened();
  try {
    return await open(options, assembly, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function open(options: PreviewOptions, assembly: Assembly, opened: Opened): Promise<Preview> {
  const { app, listen, httpsPort = 0, dnsPort = 0, tls, mx = [], log = () => undefined } = options;
  const { distributions, notes } = assembly;
  const certificates = await makeCertificates(distributions, tls, notes);
  const cloudFront = opened.keep(new CloudFront(distributions, new ObjectStore(assembly.publications), log));
  const minimumTls = distributions.map((distribution) => distribution.minimumTls).reduce(lower);
  const web = opened.keep(await startWebServer({ listen, port: httpsPort, cloudFront, certificates, minimumTls, log }));
  const publications = served(assembly, cloudFront);
  const zones = previewZones(assembly, publications, {
    v4: web.addresses.find((address) => isIP(address) === 4),
    v6: web.addresses.find((address) => isIP(address) === 6),
  }, mx);
  const dns = opened.keep(await startDns(listen, dnsPort, zoneAnswers(zones.records)));
  const caFile = certificates.ca === undefined ? undefined : await opened.temporaryFile('ca.pem', certificates.ca);
  return {
    app,
    listen,
    hosts: distributions.flatMap(({ aliases }) => aliases),
    domains: publications.map(({ domain, policyId, policyText }) => ({ domain, policyHost: policyHostName(domain), policyId, policyText })),
    httpsPort: web.port,
    dnsPort: dns.port,
    mx: zones.mx,
    ca: certificates.ca,
    caFile,
    notes: notes.all,
    verification: {
      resolverServers: [formatServer({ host: listen, port: dns.port })],
      nameServerPort: dns.port,
      httpsPort: web.port,
      ca: certificates.ca === undefined ? [] : [certificates.ca],
    },
    close: () => opened.close(),
  };
}

/** The publications whose policy host is served; of a domain that is published twice the first. */
function served({ publications, distributions, notes }: Assembly, cloudFront: CloudFront): readonly Publication[] {
  const domains = new Map<string, Publication>();
  for (const publication of publications) {
    const { domain, path, refused } = publication;
    if (cloudFront.distributionOf(policyHostName(domain)) === undefined) {
      notes.add(path, `${policyHostName(domain)} is an alias of no distribution of the assembly; ${domain} is left out`);
    } else if (refused !== undefined) {
      notes.add(path, `${refused}, which the deployment refuses, so ${domain} is left out; run \`npx cdk synth\` again`);
    } else if (domains.has(domain)) {
      notes.add(path, `${domain} is published by ${safeText(domains.get(domain)?.path ?? '')} already; this one is left out`);
    } else {
      domains.set(domain, publication);
    }
  }
  for (const { path, aliases } of distributions) {
    for (const alias of aliases.filter((name) => name.startsWith('mta-sts.') && !domains.has(name.slice('mta-sts.'.length)))) {
      notes.add(path, `no Custom::MtaStsPublication writes a policy for ${alias}, so it has none to serve`);
    }
  }
  return [...domains.values()];
}

function checkOptions({ listen, mx = [] }: PreviewOptions): void {
  if (isIP(listen) === 0) {
    throw new PreviewError(`cannot listen on \`${safeText(listen)}\`: an IP address of this machine is expected, 127.0.0.1 for example`);
  }
  if (/^(0\.0\.0\.0|[0:]+)$/.test(listen)) {
    throw new PreviewError(`cannot listen on \`${listen}\`, which is all addresses: DNS answers need one to name, 127.0.0.1 for example`);
  }
  for (const { host, address } of mx) {
    const fault = hostNameProblem(host);
    if (fault !== undefined) throw new PreviewError(`the MX host \`${safeText(host)}\` ${fault}`);
    if (isIP(address) === 0) throw new PreviewError(`the MX host ${host} needs an IP address, got \`${safeText(address)}\`; write ${host}=127.0.0.1`);
  }
}

async function startDns(address: string, port: number, answer: DnsAnswerer): Promise<DnsServer> {
  try {
    return await startDnsServer({ address, port, answer });
  } catch (error) {
    throw new PreviewError(`cannot listen on port ${port} of ${address} for DNS: ${safeText(messageOf(error))}; `
      + 'give another with `--dns-port`, or none for any free one');
  }
}

function lower(one: TlsVersion, other: TlsVersion): TlsVersion {
  return one < other ? one : other;
}

/** What must be closed in the end. */
class Opened {
  private readonly closers: (() => Promise<void>)[] = [];

  public keep<T extends { close(): Promise<void> }>(thing: T): T {
    this.closers.push(() => thing.close());
    return thing;
  }

  /** A file in a folder of its own, which nobody else may enter. */
  public async temporaryFile(name: string, text: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'mta-sts-preview-'));
    this.closers.push(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  }

  /** All at once, so that one that fails does not keep the others open. */
  public async close(): Promise<void> {
    await Promise.all(this.closers.splice(0).map((close) => close()));
  }
}
