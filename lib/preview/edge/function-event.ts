// The event that CloudFront gives to a viewer-request function, and what comes back from it.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
import type { Distribution } from './distribution';
import { isHeader } from './http-header';
import { at, isObject, itemsOf, membersOf, textOf } from '../json';

/** A request as it came in. */
export interface ViewerRequest {
  readonly method: string;
  /** The path, with the slash at its start, still percent-encoded. */
  readonly uri: string;
  /** What follows the question mark, without it. */
  readonly query: string;
  /** The Host header, without a port, in lower case. */
  readonly host: string;
  /** Lower-case names; repeated headers stay apart. */
  readonly headers: readonly (readonly [string, string])[];
  readonly ip: string;
}

/** A response as it goes out. */
export interface ViewerResponse {
  readonly status: number;
  readonly headers: Map<string, string | string[]>;
  readonly body: Buffer;
}

interface Value {
  readonly value: string;
  readonly multiValue?: readonly { readonly value: string }[];
}

/** Version 1.0 of the event, which both runtimes get. */
export function functionEvent(request: ViewerRequest, distribution: Distribution, requestId: string): unknown {
  const headers = request.headers.filter(([name]) => name !== 'cookie');
  const cookies = request.headers.filter(([name]) => name === 'cookie').flatMap(([, value]) => value.split(';'));
  return {
    version: '1.0',
    context: {
      distributionDomainName: distribution.domainName,
      distributionId: distribution.id,
      eventType: 'viewer-request',
      requestId,
    },
    viewer: { ip: request.ip },
    request: {
      method: request.method,
      uri: request.uri,
      querystring: values(request.query.split('&').map(pair)),
      headers: values(headers),
      cookies: values(cookies.map((cookie) => pair(cookie.trim()))),
    },
  };
}

/**
 * Reads what the function returned: a response, or the request to go on with, of which only the path matters to a bucket.
 *
 * @returns a phrase that says what is wrong with it, where something is
 */
export function readResult(result: unknown): ViewerResponse | { readonly uri: string } | string {
  if (!isObject(result)) return 'it returned neither a request nor a response';
  if (!Object.hasOwn(result, 'statusCode')) {
    const uri = textOf(at(result, 'uri'));
    return uri?.startsWith('/') === true ? { uri } : 'the request that it returned has no `uri` that begins with a slash';
  }
  const { statusCode } = result;
  if (typeof statusCode !== 'number' || !Number.isInteger(statusCode) || statusCode < 200 || statusCode > 599) {
    return 'the response that it returned has no `statusCode` from 200 to 599';
  }
  const headers = readHeaders(at(result, 'headers'));
  if (typeof headers === 'string') return headers;
  const cookies = membersOf(at(result, 'cookies'))
    .map(([name, cookie]) => [`${name}=${textOf(at(cookie, 'value')) ?? ''}`, textOf(at(cookie, 'attributes'))].filter(Boolean).join('; '));
  const fault = cookies.map((cookie) => headerFault('set-cookie', cookie)).find((found) => found !== undefined);
  if (fault !== undefined) return fault;
  if (cookies.length > 0) headers.set('set-cookie', cookies);
  return { status: statusCode, headers, body: readBody(at(result, 'body')) };
}

/** What belongs to the connection is CloudFront's own affair. */
const CONNECTION_HEADERS = new Set([
  'connection', 'content-length', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

function readHeaders(given: unknown): Map<string, string | string[]> | string {
  const headers = new Map<string, string | string[]>();
  for (const [written, header] of membersOf(given)) {
    const name = written.toLowerCase();
    const several = itemsOf(at(header, 'multiValue')).map((item) => textOf(at(item, 'value')) ?? '');
    const value = several.length > 0 ? several : textOf(at(header, 'value')) ?? '';
    const fault = [value].flat().map((text) => headerFault(name, text)).find((found) => found !== undefined);
    if (fault !== undefined) return fault;
    if (!CONNECTION_HEADERS.has(name)) headers.set(name, value);
  }
  return headers;
}

function headerFault(name: string, value: string): string | undefined {
  return isHeader(name, value) ? undefined : `the response that it returned has a header ${JSON.stringify(name)} that HTTP cannot carry`;
}

function readBody(body: unknown): Buffer {
  const text = textOf(body) ?? textOf(at(body, 'data')) ?? '';
  return Buffer.from(text, at(body, 'encoding') === 'base64' ? 'base64' : 'utf8');
}

function pair(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** CloudFront's form: the value, and where there are several, all of them besides. */
function values(pairs: readonly (readonly [string, string])[]): Record<string, Value> {
  const all = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    if (name !== '') all.set(name, [...all.get(name) ?? [], value]);
  }
  return Object.fromEntries([...all].map(([name, several]) => {
    const value = several.at(-1) ?? '';
    return [name, several.length === 1 ? { value } : { value, multiValue: several.map((one) => ({ value: one })) }];
  }));
}
