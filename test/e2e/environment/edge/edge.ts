// Serves CloudFront's edges on ports 443 and 80: the preview's data plane, with the distributions, functions and objects of the emulator.
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

/** Time between two readings of the distributions. On AWS, a change takes minutes to reach all edges. */
const REFRESH_INTERVAL_MS = 500;

const READ_TIMEOUT_MS = 30_000;

const MAX_LOG_LINES = 1000;

/** Time for which the functions of a replaced distribution stay available to running requests. */
const CLOSE_DELAY_MS = 5_000;

/**
 * Replaces the answers of the edge at an address.
 *
 * @returns the wrong answer, `hang` to wait until the fault is replaced, or undefined for the right answer
 */
export type EdgeFault = (address: string, request: ViewerRequest) => ViewerResponse | 'hang' | undefined;

/** A wrong certificate of an edge. */
export type ShownCertificate = 'none' | 'for another name';

/** Maximum number of different requests that are remembered for sharing. */
const MAX_SHARED_REQUESTS = 100;

export interface Edge {
  /** Set to false for a dead policy host: the edges then show no certificate. */
  alive: boolean;
  /** Wrong certificates, by the address of the edge. */
  readonly certificates: Map<string, ShownCertificate>;
  /**
   * Freezes the content: the edges serve each object as it is now.
   *
   * @param address - freezes only the edge at this address. @default all edges
   */
  freeze(address?: string): void;
  thaw(): void;
  /** Replaces the current fault. Breaks off requests that hang. */
  fail(fault: EdgeFault | undefined): void;
  /** Returns the distributions that the edges know. */
  readonly distributions: () => readonly Distribution[];
  /** The last thousand lines of the log: requests and their errors. */
  readonly lines: readonly string[];
}

/** Starts all edges, which run until the process ends. */
export async function startEdge(authority: CertificateAuthority, acm: ACMClient): Promise<Edge> {
  const lines: string[] = [];
  const log: Log = (line) => {
    lines.push(line);
    if (lines.length > MAX_LOG_LINES) lines.shift();
  };
  const cloudFront = new EmulatedCloudFront(authority, acm, log);
  const wrongCertificates = new Map<string, ShownCertificate>();
  const { keyPem, certificatePem } = await authority.issue({ names: ['*.cloudfront.net'] });
  const otherName = createSecureContext({ key: keyPem, cert: certificatePem });
  let fault: EdgeFault | undefined;
  // Ends hanging requests when the fault is replaced.
  let hanging = new AbortController();
  const addresses = [...EDGES.v4, ...EDGES.v6];
  const frozen = new Set<string>();
  await Promise.all(addresses.flatMap((listen) => [443, 80].map(async (port) => {
    const certificates: Certificates = {
      contextOf: (distribution) => {
        const wrong = wrongCertificates.get(listen);
        if (wrong === undefined) return cloudFront.secureContext(distribution);
        return wrong === 'none' ? undefined : otherName;
      },
    };
    const edge = new EdgeAddress(cloudFront, (request) => {
      const answer = fault?.(listen, request);
      return answer === 'hang' ? hangUntil(hanging.signal) : answer;
    }, () => frozen.has(listen));
    return startWebServer({ listen, port, cloudFront: edge, certificates, minimumTls: 'TLSv1.2', log });
  })));
  void cloudFront.follow();
  return {
    get alive() { return cloudFront.alive; },
    set alive(alive) { cloudFront.alive = alive; },
    certificates: wrongCertificates,
    freeze: (address) => {
      for (const one of address === undefined ? addresses : [address]) frozen.add(one);
      cloudFront.freezeObjects();
    },
    thaw: () => {
      frozen.clear();
    },
    fail: (next) => {
      fault = next;
      hanging.abort(new Error('the edge gave no answer'));
      hanging = new AbortController();
    },
    distributions: () => cloudFront.distributions,
    lines,
  };
}

/** Waits without an answer until the signal aborts, then throws. */
async function hangUntil(signal: AbortSignal): Promise<never> {
  await once(signal, 'abort');
  throw signal.reason;
}

/** An edge at one address, with its own faults. */
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
 * CloudFront with the emulator's current distributions. It caches nothing: it reads each object for each request, as the managed policy
 * CachingDisabled demands. It serves no distribution with another cache policy, because a cached file could be older than the file that was
 * proved live.
 */
class EmulatedCloudFront extends CloudFront {
  public distributions: readonly EdgeDistribution[] = [];
  public alive = true;
  private readonly objects: CurrentObjects;
  /** Certificates for viewers, by ARN in ACM. */
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

  /** Reads the distributions again and again. Never ends. */
  public async follow(): Promise<void> {
    for (;;) {
      await this.refresh().catch((error: unknown) => {
        this.report(`the distributions could not be read: ${String(error)}`);
      });
      await new Promise((resolve) => setTimeout(resolve, REFRESH_INTERVAL_MS));
    }
  }

  /** Sets the objects that a frozen edge serves: each object as it was last read. */
  public freezeObjects(): void {
    this.frozenObjects = new Map(this.lastRead);
  }

  public override distributionOf(host: string): Distribution | undefined {
    return this.current.distributionOf(host);
  }

  /** Shares a response between equal requests at the same time. It is read and computed after each of them has arrived. */
  public override async respond(
    request: ViewerRequest, scheme: 'http' | 'https', hostHeader: string, isFrozen = false,
  ): Promise<ViewerResponse> {
    const caching = this.distributions
      .find(({ aliases, cachePolicyId }) => aliases.includes(request.host) && cachePolicyId !== CACHING_DISABLED);
    if (caching !== undefined) return refusal(501, describeCachingProblem(caching));
    const key = JSON.stringify([scheme, hostHeader, request, isFrozen]);
    const share = this.responses.get(key) ?? shareReads(() => this.respondUnshared(request, scheme, hostHeader, isFrozen));
    if (this.responses.size > MAX_SHARED_REQUESTS) this.responses.clear();
    this.responses.set(key, share);
    const response = await share();
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
    // The edge function chooses the object. Read the object of the last such request ahead, because the object store is synchronous.
    const expected = this.lastRequestedNames.get(view);
    const origin = new OriginRequest(expected, expected === undefined ? undefined : await read(expected));
    const response = await this.objects.withOrigin(origin, () => this.current.respond(request, scheme, hostHeader));
    const { requestedName } = origin;
    if (requestedName === undefined || requestedName === expected) return response;
    this.lastRequestedNames.set(view, requestedName);
    const repeated = new OriginRequest(requestedName, await read(requestedName));
    return this.objects.withOrigin(repeated, () => this.current.respond(request, scheme, hostHeader));
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
    for (const distribution of known) contexts.set(distribution, await this.createContext(distribution));
    const before = this.current;
    const next = new CloudFront(known, this.objects, this.report);
    await Promise.all(known.map(async ({ aliases }) => this.warmUp(next, aliases.at(0))));
    [this.current, this.distributions, this.contexts] = [next, known, contexts];
    this.report(`distributions: ${known.map(({ id, aliases }) => `${id} (${aliases.join(' ')})`).join(', ') || 'none'}`);
    for (const distribution of known) {
      if (distribution.cachePolicyId !== CACHING_DISABLED) this.reportProblem(describeCachingProblem(distribution));
    }
    // Close later, so that running requests get their answers. CloudFront loses no requests in a change either.
    setTimeout(() => void before.close(), CLOSE_DELAY_MS);
  }

  /** Returns a certificate of the private authority, in place of ACM's. Returns undefined if CloudFront would refuse the distribution. */
  private async createContext({ id, aliases, certificateArn = 'none', certificateNames: names }: EdgeDistribution): Promise<SecureContext | undefined> {
    const certificate = names.length === 0 ? undefined : this.certificates.get(certificateArn) ?? await this.issue(names);
    if (certificate !== undefined) this.certificates.set(certificateArn, certificate);
    const uncovered = aliases.filter((alias) => certificate?.x509.checkHost(alias) === undefined);
    if (uncovered.length === 0) return certificate?.context;
    this.reportProblem(`distribution ${id} shows no certificate. ${certificateArn} has the names ${names.join(', ') || 'none'} and does not cover ${
      uncovered.join(', ')}. CloudFront demands that it covers every alias`);
    return undefined;
  }

  private async issue(names: readonly string[]): Promise<ViewerCertificate> {
    const { keyPem, certificatePem } = await this.authority.issue({ names });
    return { x509: new X509Certificate(certificatePem), context: createSecureContext({ key: keyPem, cert: certificatePem }) };
  }

  /** Also prints the problem, because a later failure would only say that nothing is served. */
  private reportProblem(problem: string): void {
    this.report(problem);
    console.error(`\nthe edge: ${problem}`);
  }

  /** Runs a new edge function once. On a busy machine, its first run may exceed the time limit, a 503 that AWS would not give. */
  private async warmUp(cloudFront: CloudFront, host: string | undefined): Promise<void> {
    if (host === undefined) return;
    const request: ViewerRequest = { method: 'GET', uri: '/', query: '', host, headers: [['host', host]], ip: '127.0.0.1' };
    await this.objects.withOrigin(new OriginRequest(undefined, undefined), () => cloudFront.respond(request, 'https', host));
  }
}

/** The certificate that viewers get in place of one in ACM. */
interface ViewerCertificate {
  readonly x509: X509Certificate;
  readonly context: SecureContext;
}

function describeCachingProblem({ id, cachePolicyId = 'none' }: EdgeDistribution): string {
  return `distribution ${id} is not served: its cache policy is ${cachePolicyId}, expected ${CACHING_DISABLED} (CachingDisabled). `
    + 'This edge caches nothing, so it cannot show what a caching edge serves';
}

/** The object that was read from S3 for one request. */
class OriginRequest {
  /** `bucket/key` that the request asked for. */
  public requestedName: string | undefined;

  public constructor(public readonly name: string | undefined, public readonly object: StoredObject | undefined) {}
}

/** An object store that gives each of several concurrent requests the object that was read for it. */
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
    if (origin === undefined) throw new Error('an object was read outside a request');
    origin.requestedName = `${bucketName}/${decodeURIComponent(path.slice(1))}`;
    return origin.requestedName === origin.name ? origin.object : undefined;
  }
}

async function withReadLimit<T>(reading: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => {
      reject(new Error(`the emulator gave no answer within ${READ_TIMEOUT_MS} ms`));
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
  // 403: the bucket policy does not let CloudFront read, or is deleted already. The viewer gets 403, as for a missing object.
  if (status === 404 || status === 403) return undefined;
  if (status !== 200) throw new Error(`the object ${name}: status ${status}`);
  const headers = ['content-type', 'cache-control'].flatMap((header) => {
    const value = sent[header];
    return typeof value === 'string' ? [[header, value] as const] : [];
  });
  return { body, headers: new Map(headers) };
}
