// The data plane of CloudFront on port 443 and 80: the preview's, over the emulator's distributions, functions and objects.
import { AsyncLocalStorage } from 'node:async_hooks';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createSecureContext } from 'node:tls';
import type { ACMClient } from '@aws-sdk/client-acm';
import type { SecureContext } from 'node:tls';
import { ObjectStore } from '../../../../lib/preview/assembly/objects';
import type { StoredObject } from '../../../../lib/preview/assembly/objects';
import { CloudFront, refusal } from '../../../../lib/preview/edge/cloudfront';
import type { Log } from '../../../../lib/preview/edge/cloudfront';
import type { Distribution } from '../../../../lib/preview/edge/distribution';
import type { ViewerRequest, ViewerResponse } from '../../../../lib/preview/edge/function-event';
import { startWebServer } from '../../../../lib/preview/server';
import type { CertificateAuthority } from '../../../../lib/preview/tls/certificate-authority';
import type { Certificates } from '../../../../lib/preview/tls/certificates';
import { EDGES } from '../addresses';
import { AS_CLOUDFRONT } from '../aws/emulator';
import { emulatorGet } from '../aws/emulator-get';
import { shareReads } from '../shared-reading';
import { CACHING_DISABLED, readDistributions } from './distributions';
import type { EdgeDistribution } from './distributions';

/** How often the distributions are looked at: AWS takes minutes until all edges know a new one. */
const REFRESH_INTERVAL_MS = 500;

/** What takes longer hangs. */
const READ_TIMEOUT_MS = 30_000;

/** How long the functions of what has changed go on, for the requests that they have. */
const CLOSE_DELAY_MS = 5_000;

/**
 * Answers in place of the edge at an address, or, with `hang`, lets the request wait until the next fault or none; where it gives
 * nothing, the right answer counts.
 */
export type EdgeFault = (address: string, request: ViewerRequest) => ViewerResponse | 'hang' | undefined;

/** What an address shows in place of the right certificate. */
export type ShownCertificate = 'none' | 'for another name';

/** Different requests whose sharing is remembered. */
const MAX_SHARED_REQUESTS = 100;

export interface Edge {
  /** Set to false it shows no certificate to anybody: the policy host is dead. */
  alive: boolean;
  /** Addresses that do not show the right certificate. */
  readonly certificates: Map<string, ShownCertificate>;
  /**
   * From now on the edges, or the one at this address alone, serve each object as it is now.
   *
   * @default all
   */
  freeze(address?: string): void;
  thaw(): void;
  /** From now on, until the next fault or none. */
  fail(fault: EdgeFault | undefined): void;
  /** The distributions as the edges know them. */
  readonly distributions: () => readonly Distribution[];
  /** The requests, and what went wrong with them; of a long run the last thousand lines. */
  readonly lines: readonly string[];
}

/** Serves until the process ends. */
export async function startEdge(authority: CertificateAuthority, acm: ACMClient): Promise<Edge> {
  const lines: string[] = [];
  const log: Log = (line) => {
    lines.push(line);
    if (lines.length > 1000) lines.shift();
  };
  const cloudFront = new EmulatedCloudFront(authority, acm, log);
  const shown = new Map<string, ShownCertificate>();
  const { keyPem, certificatePem } = await authority.issue({ names: ['*.cloudfront.net'] });
  const other = createSecureContext({ key: keyPem, cert: certificatePem });
  let fault: EdgeFault | undefined;
  // Aborted when the next one begins.
  let faulty = new AbortController();
  const addresses = [...EDGES.v4, ...EDGES.v6];
  const frozen = new Set<string>();
  await Promise.all(addresses.flatMap((listen) => [443, 80].map(async (port) => {
    const certificates: Certificates = {
      contextOf: (distribution) => {
        const instead = shown.get(listen);
        if (instead === undefined) return cloudFront.secureContext(distribution);
        return instead === 'none' ? undefined : other;
      },
    };
    const here = new EdgeAddress(cloudFront, (request) => {
      const answer = fault?.(listen, request);
      return answer === 'hang' ? hangUntil(faulty.signal) : answer;
    }, () => frozen.has(listen));
    return startWebServer({ listen, port, cloudFront: here, certificates, minimumTls: 'TLSv1.2', log });
  })));
  void cloudFront.follow();
  return {
    get alive() { return cloudFront.alive; },
    set alive(alive) { cloudFront.alive = alive; },
    certificates: shown,
    freeze: (address) => {
      for (const one of address === undefined ? addresses : [address]) frozen.add(one);
      cloudFront.freezeObjects();
    },
    thaw: () => {
      frozen.clear();
    },
    fail: (wanted) => {
      fault = wanted;
      faulty.abort(new Error('the edge was silent'));
      faulty = new AbortController();
    },
    distributions: () => cloudFront.distributions,
    lines,
  };
}

/** Never answers: the server breaks the request off when the signal says so. */
async function hangUntil(signal: AbortSignal): Promise<never> {
  await once(signal, 'abort');
  throw signal.reason;
}

/** One address, which can fail beside the others. */
class EdgeAddress extends CloudFront {
  public constructor(
    private readonly cloudFront: EmulatedCloudFront,
    private readonly fault: (request: ViewerRequest) => ViewerResponse | Promise<never> | undefined,
    private readonly isFrozen: () => boolean,
  ) {
    super([], new ObjectStore([]), () => undefined);
  }

  public override distributionOf(host: string): Distribution | undefined {
    return this.cloudFront.distributionOf(host);
  }

  public override async respond(request: ViewerRequest, scheme: 'http' | 'https', hostHeader: string): Promise<ViewerResponse> {
    return await this.fault(request) ?? this.cloudFront.respond(request, scheme, hostHeader, this.isFrozen());
  }
}

/**
 * The distributions change, and no object is kept: S3 is asked for each request anew, as the managed policy CachingDisabled has it. With
 * another one nothing is served: what an edge has kept could be older than what was proved live.
 */
class EmulatedCloudFront extends CloudFront {
  public distributions: readonly EdgeDistribution[] = [];
  public alive = true;
  private readonly objects: CurrentObjects;
  /** By the ARNs of the certificates in ACM. */
  private readonly certificates = new Map<string, ViewerCertificate>();
  private contexts: ReadonlyMap<Distribution, SecureContext | undefined> = new Map();
  private readonly lastRequestedNames = new Map<string, string>();
  private readonly lastRead = new Map<string, StoredObject | undefined>();
  private frozenObjects = new Map<string, StoredObject | undefined>();
  private readonly responses = new Map<string, () => Promise<ViewerResponse>>();
  private current: CloudFront;

  public constructor(private readonly authority: CertificateAuthority, private readonly acm: ACMClient, private readonly report: Log) {
    super([], new ObjectStore([]), report);
    this.objects = new CurrentObjects();
    this.current = new CloudFront([], this.objects, report);
  }

  /** Never ends. */
  public async follow(): Promise<void> {
    for (;;) {
      await this.refresh().catch((error: unknown) => {
        this.report(`the distributions could not be read: ${String(error)}`);
      });
      await new Promise((resolve) => setTimeout(resolve, REFRESH_INTERVAL_MS));
    }
  }

  /** What a frozen edge serves: each object as it was last read. */
  public freezeObjects(): void {
    this.frozenObjects = new Map(this.lastRead);
  }

  public override distributionOf(host: string): Distribution | undefined {
    return this.current.distributionOf(host);
  }

  /** Requests for the same at the same time share a response, all of which was read and run after each of them had come. */
  public override async respond(
    request: ViewerRequest, scheme: 'http' | 'https', hostHeader: string, isFrozen = false,
  ): Promise<ViewerResponse> {
    const caches = this.distributions.find(({ aliases, cachePolicyId }) => aliases.includes(request.host) && cachePolicyId !== CACHING_DISABLED);
    if (caches !== undefined) return refusal(501, cachingProblem(caches));
    const key = JSON.stringify([scheme, hostHeader, request, isFrozen]);
    const responding = this.responses.get(key) ?? shareReads(() => this.respondUnshared(request, scheme, hostHeader, isFrozen));
    if (this.responses.size > MAX_SHARED_REQUESTS) this.responses.clear();
    this.responses.set(key, responding);
    const response = await responding();
    return { ...response, headers: new Map(response.headers) };
  }

  public secureContext(distribution: Distribution): SecureContext | undefined {
    return this.alive ? this.contexts.get(distribution) : undefined;
  }

  private async respondUnshared(
    request: ViewerRequest, scheme: 'http' | 'https', hostHeader: string, isFrozen: boolean,
  ): Promise<ViewerResponse> {
    const read = async (name: string): Promise<StoredObject | undefined> => {
      return isFrozen && this.frozenObjects.has(name) ? this.frozenObjects.get(name) : this.read(name);
    };
    const view = `${scheme} ${request.method} ${request.host} ${request.uri}`;
    // Which object a request leads to is the function's decision; what it was the last time is fetched beforehand.
    const expected = this.lastRequestedNames.get(view);
    const origin = new OriginRequest(expected, expected === undefined ? undefined : await read(expected));
    const response = await this.objects.withOrigin(origin, () => this.current.respond(request, scheme, hostHeader));
    const { requestedName } = origin;
    if (requestedName === undefined || requestedName === expected) return response;
    this.lastRequestedNames.set(view, requestedName);
    const again = new OriginRequest(requestedName, await read(requestedName));
    return this.objects.withOrigin(again, () => this.current.respond(request, scheme, hostHeader));
  }

  private async read(name: string): Promise<StoredObject | undefined> {
    const object = await readObject(name);
    this.lastRead.set(name, object);
    return object;
  }

  private async refresh(): Promise<void> {
    const known = await withReadLimit(readDistributions(this.acm));
    if (JSON.stringify(known) === JSON.stringify(this.distributions)) return;
    const contexts = new Map<Distribution, SecureContext | undefined>();
    for (const distribution of known) contexts.set(distribution, await this.contextFor(distribution));
    const before = this.current;
    const next = new CloudFront(known, this.objects, this.report);
    await Promise.all(known.map(async ({ aliases }) => this.warmUp(next, aliases.at(0))));
    [this.current, this.distributions, this.contexts] = [next, known, contexts];
    this.report(`distributions: ${known.map(({ id, aliases }) => `${id} (${aliases.join(' ')})`).join(', ') || 'none'}`);
    for (const distribution of known) {
      if (distribution.cachePolicyId !== CACHING_DISABLED) this.reportProblem(cachingProblem(distribution));
    }
    // Who asked before has an answer by then: an edge of CloudFront changes in the midst of requests as well, and loses none.
    setTimeout(() => void before.close(), CLOSE_DELAY_MS);
  }

  /** One of the stage's authority, where ACM's is of a public one; none where CloudFront would not take the distribution. */
  private async contextFor({ id, aliases, certificateArn = 'none', certificateNames: names }: EdgeDistribution): Promise<SecureContext | undefined> {
    const shown = names.length === 0 ? undefined : this.certificates.get(certificateArn) ?? await this.issue(names);
    if (shown !== undefined) this.certificates.set(certificateArn, shown);
    const uncovered = aliases.filter((alias) => shown?.certificate.checkHost(alias) === undefined);
    if (uncovered.length === 0) return shown?.context;
    this.reportProblem(`distribution ${id} shows no certificate: ${certificateArn} is of ${names.join(', ') || 'no name'} and does not cover ${
      uncovered.join(', ')}, expected one that covers every alias, which CloudFront demands`);
    return undefined;
  }

  private async issue(names: readonly string[]): Promise<ViewerCertificate> {
    const { keyPem, certificatePem } = await this.authority.issue({ names });
    return { certificate: new X509Certificate(certificatePem), context: createSecureContext({ key: keyPem, cert: certificatePem }) };
  }

  /** What fails then says only that nothing is served. */
  private reportProblem(fault: string): void {
    this.report(fault);
    console.error(`\nthe edge: ${fault}`);
  }

  /** The first run of a function on a busy machine may take longer than CloudFront lets it: 503 that AWS would not give. */
  private async warmUp(cloudFront: CloudFront, host: string | undefined): Promise<void> {
    if (host === undefined) return;
    const request: ViewerRequest = { method: 'GET', uri: '/', query: '', host, headers: [['host', host]], ip: '127.0.0.1' };
    await this.objects.withOrigin(new OriginRequest(undefined, undefined), () => cloudFront.respond(request, 'https', host));
  }
}

/** What viewers are shown for a certificate of ACM. */
interface ViewerCertificate {
  readonly certificate: X509Certificate;
  readonly context: SecureContext;
}

function cachingProblem({ id, cachePolicyId = 'none' }: EdgeDistribution): string {
  return `distribution ${id} is not served: its cache policy is ${cachePolicyId}, expected ${CACHING_DISABLED} (CachingDisabled); `
    + 'the edge of the stage keeps nothing, so it cannot show what one that caches serves';
}

/** What one request to the edge gets from S3. */
class OriginRequest {
  /** `bucket/key` of what was asked for. */
  public requestedName: string | undefined;

  public constructor(public readonly name: string | undefined, public readonly object: StoredObject | undefined) {}
}

/** Gives each request what was read for it, and for it alone: several are on their way at once. */
class CurrentObjects extends ObjectStore {
  private readonly requests = new AsyncLocalStorage<OriginRequest>();

  public constructor() {
    super([]);
  }

  public withOrigin<T>(origin: OriginRequest, respond: () => Promise<T>): Promise<T> {
    return this.requests.run(origin, respond);
  }

  public override get(bucketName: string, path: string): StoredObject | undefined {
    const origin = this.requests.getStore();
    if (origin === undefined) throw new Error('an object is asked for outside of a request');
    origin.requestedName = `${bucketName}/${decodeURIComponent(path.slice(1))}`;
    return origin.requestedName === origin.name ? origin.object : undefined;
  }
}

async function withReadLimit<T>(reading: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      reject(new Error(`the emulator did not answer within ${READ_TIMEOUT_MS} ms`));
    }, READ_TIMEOUT_MS);
  });
  return Promise.race([reading, late]).finally(() => {
    clearTimeout(limit);
  });
}

async function readObject(name: string): Promise<StoredObject | undefined> {
  const { status, headers: sent, body } = await emulatorGet({
    service: 's3', path: `/${name.split('/').map(encodeURIComponent).join('/')}`, unsigned: AS_CLOUDFRONT,
  });
  // 403: the bucket's policy does not let CloudFront read, or is gone already; the viewer has 403, as for what is not there.
  if (status === 404 || status === 403) return undefined;
  if (status !== 200) throw new Error(`the object ${name}: status ${status}`);
  const headers = ['content-type', 'cache-control'].flatMap((header) => {
    const value = sent[header];
    return typeof value === 'string' ? [[header, value] as const] : [];
  });
  return { body, headers: new Map(headers) };
}
