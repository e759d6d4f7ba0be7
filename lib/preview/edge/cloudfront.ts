// What CloudFront does with a request: alias, viewer protocol, methods, the function, the origin, the response headers.
import { randomUUID } from 'node:crypto';
import { safeText } from '../../util/safe-text';
import type { Distribution } from './distribution';
import { createEdgeFunction } from './handler';
import type { EdgeFunction } from './handler';
import { functionEvent, readResult } from './function-event';
import type { ViewerRequest, ViewerResponse } from './function-event';
import type { ObjectStore } from '../assembly/objects';
import { applyPolicy } from './response-headers';

/** Takes lines for people: one for each request, and why a function failed. */
export type Log = (line: string) => void;

/** The distributions of a preview. */
export class CloudFront {
  private readonly byAlias = new Map<string, Site>();
  private readonly sites: readonly Site[];

  public constructor(distributions: readonly Distribution[], objects: ObjectStore, log: Log) {
    this.sites = distributions.map((distribution) => new Site(distribution, objects, log));
    for (const site of this.sites) {
      for (const alias of site.distribution.aliases) this.byAlias.set(alias, site);
    }
  }

  /** The distribution of a host: by its own name, else by the wildcard that covers it most closely. */
  public distributionOf(host: string): Distribution | undefined {
    return this.siteOf(host)?.distribution;
  }

  /** Answers a request. Never rejects. */
  public async respond(request: ViewerRequest, scheme: 'http' | 'https', hostHeader: string): Promise<ViewerResponse> {
    const site = this.siteOf(request.host);
    return site === undefined ? refusal(403, 'no distribution has this host among its aliases') : site.respond(request, scheme, hostHeader);
  }

  public async close(): Promise<void> {
    await Promise.all(this.sites.map((site) => site.close()));
  }

  private siteOf(host: string): Site | undefined {
    const labels = host.split('.');
    return this.byAlias.get(host)
      ?? labels.map((_, index) => this.byAlias.get(`*.${labels.slice(index + 1).join('.')}`)).find((site) => site !== undefined);
  }
}

/** One distribution at work. */
class Site {
  private readonly edge: EdgeFunction | undefined;

  public constructor(
    public readonly distribution: Distribution,
    private readonly objects: ObjectStore,
    private readonly log: Log,
  ) {
    this.edge = distribution.functionCode === undefined ? undefined : createEdgeFunction(distribution.functionCode);
  }

  public async respond(request: ViewerRequest, scheme: 'http' | 'https', hostHeader: string): Promise<ViewerResponse> {
    const { viewerProtocol, allowedMethods, responseHeaders } = this.distribution;
    if (!allowedMethods.includes(request.method)) {
      return refusal(403, `this distribution is not configured to allow ${safeText(request.method)}`);
    }
    if (scheme === 'http' && viewerProtocol === 'https-only') return refusal(403, 'this distribution takes HTTPS only');
    // No function runs for a request that is sent to HTTPS.
    if (scheme === 'http' && viewerProtocol === 'redirect-to-https') return redirect(request, hostHeader);
    const response = await this.serve(request);
    if (responseHeaders !== undefined) applyPolicy(response.headers, responseHeaders);
    return response;
  }

  public async close(): Promise<void> {
    await this.edge?.close();
  }

  private async serve(request: ViewerRequest): Promise<ViewerResponse> {
    if (this.edge === undefined) return this.origin(request.uri);
    const outcome = await this.edge.run(functionEvent(request, this.distribution, randomUUID()));
    const made = 'fault' in outcome ? outcome.fault : readResult(outcome.result);
    if (typeof made === 'string') {
      this.log(`the edge function of ${this.distribution.path} failed: ${safeText(made, 300)}`);
      return refusal(503, 'the CloudFront function associated with this distribution failed');
    }
    return 'uri' in made ? this.origin(made.uri) : made;
  }

  private origin(uri: string): ViewerResponse {
    const { bucketName, originPath, path } = this.distribution;
    if (bucketName === undefined) {
      this.log(`the origin of ${path} is no bucket of the assembly, so there is nothing to serve`);
      return refusal(502, 'the origin is no bucket of the assembly');
    }
    const object = this.objects.get(bucketName, originPath + uri);
    return object === undefined ? missing() : { status: 200, headers: new Map(object.headers), body: object.body };
  }
}

/** S3 tells nobody who may not list a bucket whether an object is missing: it says 403. */
function missing(): ViewerResponse {
  return {
    status: 403,
    headers: new Map([['content-type', 'application/xml']]),
    body: Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'),
  };
}

/** An answer of CloudFront itself. Text that came from outside must be printable; it is escaped for HTML here. */
export function refusal(status: number, reason: string): ViewerResponse {
  return {
    status,
    headers: new Map([['content-type', 'text/html']]),
    body: Buffer.from(`<!DOCTYPE html>\n<title>ERROR: The request could not be satisfied</title>\n<h1>${status} ERROR</h1>\n<p>${html(reason)}</p>\n`),
  };
}

/** CloudFront keeps the method of what is not GET or HEAD by a 307. The port stays, which on 443 there is none of. */
function redirect(request: ViewerRequest, hostHeader: string): ViewerResponse {
  const query = request.query === '' ? '' : `?${request.query}`;
  const response = refusal(request.method === 'GET' || request.method === 'HEAD' ? 301 : 307, 'moved to HTTPS');
  response.headers.set('location', `https://${hostHeader}${request.uri}${query}`);
  return response;
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
