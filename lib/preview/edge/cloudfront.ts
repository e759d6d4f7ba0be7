// Answers requests as CloudFront does: alias, viewer protocol, methods, edge function, origin and response headers.
import { randomUUID } from 'node:crypto';
import { safeText } from '../../util/safe-text';
import type { Distribution } from './distribution';
import { createEdgeFunction } from './handler';
import type { EdgeFunction } from './handler';
import { functionEvent, readResult } from './function-event';
import type { ViewerRequest, ViewerResponse } from './function-event';
import type { ObjectStore } from '../assembly/objects';
import { applyPolicy } from './response-headers';

/** Receives log lines: one for each request, and the reason if a function fails. */
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

  /** Returns the distribution of a host. An exact alias is preferred, then the longest wildcard alias. */
  public distributionOf(host: string): Distribution | undefined {
    return this.findSite(host)?.distribution;
  }

  /** Answers a request. Never rejects. */
  public async respond(request: ViewerRequest, scheme: 'http' | 'https', hostHeader: string): Promise<ViewerResponse> {
    const site = this.findSite(request.host);
    return site === undefined ? refusal(403, 'no distribution has this host among its aliases') : site.respond(request, scheme, hostHeader);
  }

  public async close(): Promise<void> {
    await Promise.all(this.sites.map((site) => site.close()));
  }

  private findSite(host: string): Site | undefined {
    const labels = host.split('.');
    return this.byAlias.get(host)
      ?? labels.map((_, index) => this.byAlias.get(`*.${labels.slice(index + 1).join('.')}`)).find((site) => site !== undefined);
  }
}

/** A distribution with its edge function. */
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
    if (scheme === 'http' && viewerProtocol === 'https-only') return refusal(403, 'this distribution accepts HTTPS only');
    // CloudFront runs no function for a request that it redirects to HTTPS.
    if (scheme === 'http' && viewerProtocol === 'redirect-to-https') return redirect(request, hostHeader);
    const response = await this.runFunction(request);
    if (responseHeaders !== undefined) applyPolicy(response.headers, responseHeaders);
    return response;
  }

  public async close(): Promise<void> {
    await this.edge?.close();
  }

  private async runFunction(request: ViewerRequest): Promise<ViewerResponse> {
    if (this.edge === undefined) return this.readOrigin(request.uri);
    const outcome = await this.edge.run(functionEvent(request, this.distribution, randomUUID()));
    const result = 'problem' in outcome ? outcome.problem : readResult(outcome.result);
    if (typeof result === 'string') {
      this.log(`the edge function of ${this.distribution.path} failed: ${safeText(result, 300)}`);
      return refusal(503, 'the CloudFront function associated with this distribution failed');
    }
    return 'uri' in result ? this.readOrigin(result.uri) : result;
  }

  private readOrigin(uri: string): ViewerResponse {
    const { bucketName, originPath, path } = this.distribution;
    if (bucketName === undefined) {
      this.log(`the origin of ${path} is not a bucket of the assembly, so the preview cannot serve it`);
      return refusal(502, 'the origin is not a bucket of the assembly');
    }
    const object = this.objects.get(bucketName, originPath + uri);
    return object === undefined ? accessDenied() : { status: 200, headers: new Map(object.headers), body: object.body };
  }
}

/** S3 answers 403 for a missing object to clients without the right to list the bucket. */
function accessDenied(): ViewerResponse {
  return {
    status: 403,
    headers: new Map([['content-type', 'application/xml']]),
    body: Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'),
  };
}

/** Returns an error page of CloudFront. The caller makes untrusted text printable. This function escapes it for HTML. */
export function refusal(status: number, reason: string): ViewerResponse {
  return {
    status,
    headers: new Map([['content-type', 'text/html']]),
    body: Buffer.from(`<!DOCTYPE html>\n<title>ERROR: The request could not be satisfied</title>\n<h1>${status} ERROR</h1>\n<p>${escapeHtml(reason)}</p>\n`),
  };
}

/** Redirects to HTTPS. Like CloudFront, it keeps any method but GET and HEAD with a 307. The preview also keeps the port. */
function redirect(request: ViewerRequest, hostHeader: string): ViewerResponse {
  const query = request.query === '' ? '' : `?${request.query}`;
  const response = refusal(request.method === 'GET' || request.method === 'HEAD' ? 301 : 307, 'moved to HTTPS');
  response.headers.set('location', `https://${hostHeader}${request.uri}${query}`);
  return response;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
