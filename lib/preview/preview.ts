// Starts a preview from a cloud assembly: creates the certificates, starts the servers, and removes everything at the end.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostNameProblem } from '../protocol/domain-name';
import { policyHostName } from '../protocol/policy/url';
import { errorMessage } from '../util/errors';
import { safeText } from '../util/safe-text';
import { formatServer } from '../verifier/dns/server-address';
import { readAssembly } from './assembly/assembly';
import type { Assembly, Publication } from './assembly/assembly';
import { ObjectStore } from './assembly/objects';
import { previewZones } from './assembly/zones';
import type { MxHost, PreviewMx } from './assembly/zones';
import { startDnsServer, zoneAnswers } from './dns-server/server';
import type { DnsAnswerer, DnsServer } from './dns-server/server';
import { CloudFront } from './edge/cloudfront';
import type { Log } from './edge/cloudfront';
import type { TlsVersion } from './edge/distribution';
import { PreviewError } from './errors';
import { startWebServer } from './server';
import { makeCertificates } from './tls/certificates';
import type { TlsFiles } from './tls/certificates';

export interface PreviewOptions {
  /** Folder of the cloud assembly, usually `cdk.out`. */
  readonly app: string;
  /** IP address to listen on. With an IPv4 loopback address, the preview also listens on `::1` if this machine has it. */
  readonly listen: string;
  /** @default 0 - any free port */
  readonly httpsPort?: number;
  /** @default 0 - any free port */
  readonly dnsPort?: number;
  /** @default - a certificate of a new private CA */
  readonly tls?: TlsFiles;
  /**
   * MX hosts of every domain, in the order of their preference.
   *
   * @default - the MX hosts of the template; without MX records in the template, hosts that match the mx patterns of the policy
   */
  readonly mx?: readonly MxHost[];
  /**
   * Time of the publication, in milliseconds since the epoch. The ids of the policies begin with it.
   *
   * @default - now
   */
  readonly time?: number;
  /**
   * Receives a line for each request, and the reason if an edge function fails or the server refuses a handshake.
   *
   * @default - no log
   */
  readonly log?: Log;
}

/** A domain whose policy is served. */
export interface PreviewDomain {
  readonly domain: string;
  /** `mta-sts.example.com` */
  readonly policyHost: string;
  /** Id of this preview. A deployment creates another id. */
  readonly policyId: string;
  /** Exact text of the policy file. */
  readonly policyText: string;
}

/** Options that direct the verifier to the servers of the preview only. */
export interface PreviewVerification {
  /** The DNS server as `address:port`. The verifier uses it as its recursive resolver. */
  readonly resolverServers: readonly string[];
  /** Port of the name servers that the NS records name. */
  readonly nameServerPort: number;
  readonly httpsPort: number;
  /** PEM certificates to trust, besides the root certificates of the system. */
  readonly ca: readonly string[];
}

/** A running preview. */
export interface Preview {
  readonly app: string;
  readonly listen: string;
  /** Every host name that the HTTPS server serves. */
  readonly hosts: readonly string[];
  readonly domains: readonly PreviewDomain[];
  readonly httpsPort: number;
  readonly dnsPort: number;
  /** The MX hosts of each domain and their origin. */
  readonly mx: readonly PreviewMx[];
  /** PEM certificates that a client must trust: the private CA, or the root certificates in the given file, if it has any. */
  readonly ca?: string;
  /** File with the same certificates. The preview deletes it when it closes. */
  readonly caFile?: string;
  /** Differences from AWS and ignored parts of the template: one line each, safe to print. */
  readonly notes: readonly string[];
  readonly verification: PreviewVerification;
  /** Stops the servers at once, cuts open connections and deletes the file of the CA. A second call has no effect. */
  close(): Promise<void>;
}

/**
 * Serves the policy hosts and the DNS records of a synthesized app.
 *
 * @throws PreviewError if the user can fix the problem, such as a missing assembly, a missing policy host or a port in use
 */
export async function startPreview(options: PreviewOptions): Promise<Preview> {
  checkOptions(options);
  const assembly = readAssembly(options.app, options.time);
  const resources = new OpenResources();
  try {
    return await open(options, assembly, resources);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function open(options: PreviewOptions, assembly: Assembly, resources: OpenResources): Promise<Preview> {
  const { app, listen, httpsPort = 0, dnsPort = 0, tls, mx = [], log = () => undefined } = options;
  const { distributions, notes } = assembly;
  const certificates = await makeCertificates(distributions, tls, notes);
  const cloudFront = resources.add(new CloudFront(distributions, new ObjectStore(assembly.publications), log));
  const minimumTls = distributions.map((distribution) => distribution.minimumTls).reduce(lowerVersion);
  const web = resources.add(await startWebServer({ listen, port: httpsPort, cloudFront, certificates, minimumTls, log }));
  const publications = selectServed(assembly, cloudFront);
  const zones = previewZones(assembly, publications, {
    v4: web.addresses.find((address) => isIP(address) === 4),
    v6: web.addresses.find((address) => isIP(address) === 6),
  }, mx);
  const dns = resources.add(await startDns(listen, dnsPort, zoneAnswers(zones.records)));
  const caFile = certificates.ca === undefined ? undefined : await resources.writeTemporaryFile('ca.pem', certificates.ca);
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
    close: () => resources.close(),
  };
}

/** Returns the publications with a served policy host. If two publications have the same domain, the first one counts. */
function selectServed({ publications, distributions, notes }: Assembly, cloudFront: CloudFront): readonly Publication[] {
  const domains = new Map<string, Publication>();
  for (const publication of publications) {
    const { domain, path, refused } = publication;
    if (cloudFront.distributionOf(policyHostName(domain)) === undefined) {
      notes.add(path, `no distribution of the assembly has the alias ${policyHostName(domain)}. ${domain} is left out`);
    } else if (refused !== undefined) {
      notes.add(path, `${refused}. The deployment refuses this policy, so ${domain} is left out. Run \`npx cdk synth\` again`);
    } else if (domains.has(domain)) {
      notes.add(path, `${safeText(domains.get(domain)?.path ?? '')} already publishes a policy for ${domain}. This one is left out`);
    } else {
      domains.set(domain, publication);
    }
  }
  for (const { path, aliases } of distributions) {
    for (const alias of aliases.filter((name) => name.startsWith('mta-sts.') && !domains.has(name.slice('mta-sts.'.length)))) {
      notes.add(path, `no Custom::MtaStsPublication writes a policy for ${alias}. The preview serves no policy there`);
    }
  }
  return [...domains.values()];
}

function checkOptions({ listen, mx = [] }: PreviewOptions): void {
  if (isIP(listen) === 0) {
    throw new PreviewError(`cannot listen on \`${safeText(listen)}\`, which is not an IP address. Give an IP address of this machine, such as 127.0.0.1`);
  }
  if (/^(0\.0\.0\.0|[0:]+)$/.test(listen)) {
    throw new PreviewError(`cannot listen on \`${listen}\`, which means every address. DNS answers need one address. Give one, such as 127.0.0.1`);
  }
  for (const { host, address } of mx) {
    const problem = hostNameProblem(host);
    if (problem !== undefined) throw new PreviewError(`the MX host \`${safeText(host)}\` ${problem}`);
    if (isIP(address) === 0) throw new PreviewError(`the MX host ${host} needs an IP address, got \`${safeText(address)}\`. Write ${host}=127.0.0.1`);
  }
}

async function startDns(address: string, port: number, answer: DnsAnswerer): Promise<DnsServer> {
  try {
    return await startDnsServer({ address, port, answer });
  } catch (error) {
    throw new PreviewError(`cannot listen on port ${port} of ${address} for DNS: ${safeText(errorMessage(error))}. `
      + 'Give another port with `--dns-port`, or leave out the option to use any free port');
  }
}

function lowerVersion(one: TlsVersion, other: TlsVersion): TlsVersion {
  return one < other ? one : other;
}

/** Servers and files that the preview must close at the end. */
class OpenResources {
  private readonly closers: (() => Promise<void>)[] = [];

  public add<T extends { close(): Promise<void> }>(resource: T): T {
    this.closers.push(() => resource.close());
    return resource;
  }

  /** Writes a file into a new folder that other users cannot enter. Returns its path. */
  public async writeTemporaryFile(name: string, text: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'mta-sts-preview-'));
    this.closers.push(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  }

  /** Closes everything at the same time, so that one failure does not keep the rest open. */
  public async close(): Promise<void> {
    await Promise.all(this.closers.splice(0).map((close) => close()));
  }
}
