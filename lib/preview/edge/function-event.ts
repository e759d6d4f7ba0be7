// Creates the event of a viewer-request function, and reads the result of the function.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
import type { Distribution } from './distribution';
import { isHeader } from './http-header';
import { at, isObject, itemsOf, membersOf, textOf } from '../json';

/** A request of a viewer. */
export interface ViewerRequest {
  readonly method: string;
  /** The path with its leading slash, percent-encoded. */
  readonly uri: string;
  /** The query string without the question mark. */
  readonly query: string;
  /** The Host header without the port, in lower case. */
  readonly host: string;
  /** Names in lower case with their values. A repeated header has several entries. */
  readonly headers: readonly (readonly [string, string])[];
  readonly ip: string;
}

/** A response to a viewer. */
export interface ViewerResponse {
  readonly status: number;
  readonly headers: Map<string, string | string[]>;
  readonly body: Buffer;
}

interface Value {
  readonly value: string;
  readonly multiValue?: readonly { readonly value: string }[];
}

/** Creates the event, in version 1.0. Both runtimes get this version. */
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
      querystring: toValues(request.query.split('&').map(splitPair)),
      headers: toValues(headers),
      cookies: toValues(cookies.map((cookie) => splitPair(cookie.trim()))),
    },
  };
}

/**
 * Reads the result of the function.
 *
 * @returns a response, or the path of the request for the origin, or a clause that says why the result is invalid
 */
export function readResult(result: unknown): ViewerResponse | { readonly uri: string } | string {
  if (!isObject(result)) return 'it returned neither a request nor a response';
  if (!Object.hasOwn(result, 'statusCode')) {
    const uri = textOf(at(result, 'uri'));
    return uri?.startsWith('/') === true ? { uri } : 'the returned request has no `uri` that begins with a slash';
  }
  const { statusCode } = result;
  if (typeof statusCode !== 'number' || !Number.isInteger(statusCode) || statusCode < 200 || statusCode > 599) {
    return 'the returned response has no `statusCode` from 200 to 599';
  }
  const headers = readHeaders(at(result, 'headers'));
  if (typeof headers === 'string') return headers;
  const cookies = membersOf(at(result, 'cookies'))
    .map(([name, cookie]) => [`${name}=${textOf(at(cookie, 'value')) ?? ''}`, textOf(at(cookie, 'attributes'))].filter(Boolean).join('; '));
  const problem = cookies.map((cookie) => headerProblem('set-cookie', cookie)).find((found) => found !== undefined);
  if (problem !== undefined) return problem;
  if (cookies.length > 0) headers.set('set-cookie', cookies);
  return { status: statusCode, headers, body: readBody(at(result, 'body')) };
}

/** Headers of the connection. CloudFront sets them itself. */
const CONNECTION_HEADERS = new Set([
  'connection', 'content-length', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

function readHeaders(source: unknown): Map<string, string | string[]> | string {
  const headers = new Map<string, string | string[]>();
  for (const [rawName, header] of membersOf(source)) {
    const name = rawName.toLowerCase();
    const several = itemsOf(at(header, 'multiValue')).map((item) => textOf(at(item, 'value')) ?? '');
    const value = several.length > 0 ? several : textOf(at(header, 'value')) ?? '';
    const problem = [value].flat().map((text) => headerProblem(name, text)).find((found) => found !== undefined);
    if (problem !== undefined) return problem;
    if (!CONNECTION_HEADERS.has(name)) headers.set(name, value);
  }
  return headers;
}

function headerProblem(name: string, value: string): string | undefined {
  return isHeader(name, value) ? undefined : `the returned response has the header ${JSON.stringify(name)}, which is not valid in HTTP`;
}

function readBody(body: unknown): Buffer {
  const text = textOf(body) ?? textOf(at(body, 'data')) ?? '';
  return Buffer.from(text, at(body, 'encoding') === 'base64' ? 'base64' : 'utf8');
}

/** Splits `name=value`. */
function splitPair(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Returns values in the form of CloudFront: the last value of each name, and `multiValue` with all values if there are several. */
function toValues(pairs: readonly (readonly [string, string])[]): Record<string, Value> {
  const all = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    if (name !== '') all.set(name, [...all.get(name) ?? [], value]);
  }
  return Object.fromEntries([...all].map(([name, several]) => {
    const value = several.at(-1) ?? '';
    return [name, several.length === 1 ? { value } : { value, multiValue: several.map((one) => ({ value: one })) }];
  }));
}
