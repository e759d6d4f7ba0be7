// Asks the emulator what no client of the SDK that is installed here asks.
import { ACMClient } from '@aws-sdk/client-acm';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { ADMINISTRATOR, CALL_MILLISECONDS, ENDPOINT, REGION } from './emulator';

export interface Call {
  /** As the scope of a signature names it: `iam`. */
  readonly service: string;
  /** @default us-east-1 */
  readonly region?: string;
  /** @default '/' */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Of a form; sent by POST. */
  readonly form?: string;
  /** In place of a form; sent by POST. */
  readonly json?: string;
  /** Beside those that are signed. */
  readonly unsigned?: Readonly<Record<string, string>>;
}

/** By what they sign for: a client's signer can be of any service, and stays with the first that it is asked for. */
const signing = new Map<string, ACMClient>();

/** Any call, as the administrator. */
export async function signedFetch(call: Call): Promise<Response> {
  const { path = '/', query = {}, form, json = form, unsigned } = call;
  const search = new URLSearchParams(query).toString();
  return fetch(`${ENDPOINT}${path}${search === '' ? '' : `?${search}`}`, {
    method: methodOf(call), headers: { ...await signedHeaders(call), ...unsigned }, body: json,
    signal: AbortSignal.timeout(CALL_MILLISECONDS),
  });
}

/** What a call must show. */
export async function signedHeaders(call: Call): Promise<Readonly<Record<string, string>>> {
  const { service, region = REGION, path = '/', query = {}, form, json = form } = call;
  const scope = `${service} ${region}`;
  const client = signing.get(scope) ?? new ACMClient({ region: REGION, credentials: ADMINISTRATOR });
  signing.set(scope, client);
  const signer = await client.config.signer({ name: 'sigv4', signingName: service, signingRegion: region, properties: {} });
  const { protocol, hostname, port, host } = new URL(ENDPOINT);
  const { headers } = await signer.sign({
    method: methodOf(call), protocol, hostname, port: Number(port), path, query: { ...query }, body: json,
    headers: { host, ...json !== undefined && { 'content-type': form === undefined ? 'application/x-amz-json-1.1' : 'application/x-www-form-urlencoded' } },
  });
  return headers;
}

function methodOf({ form, json = form }: Call): string {
  return json === undefined ? 'GET' : 'POST';
}

/**
 * Of the APIs that take and give JSON.
 *
 * @param target - `CertificateManager.DescribeCertificate`
 */
export async function jsonCall(service: string, target: string, body: unknown, region = REGION): Promise<unknown> {
  const response = await signedFetch({ service, region, json: JSON.stringify(body), unsigned: { 'x-amz-target': target } });
  if (!response.ok) throw new Error(`${target}: status ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return response.json();
}

/** @param path - of CloudFront's API: `distribution` */
export async function cloudFront(path: string, query?: Call['query']): Promise<string> {
  const response = await signedFetch({ service: 'cloudfront', path: `/2020-05-31/${path}`, query });
  const text = await response.text();
  if (!response.ok) throw new Error(`CloudFront ${path}: status ${response.status}: ${text.slice(0, 300)}`);
  return text;
}

/**
 * How many resources of a kind CloudFront lists.
 *
 * @param path - of the API: `distribution`
 */
export async function countOf(path: string): Promise<number> {
  const quantity = /<Quantity>(\d+)<\/Quantity>/.exec(await cloudFront(path));
  if (quantity === null) throw new Error(`CloudFront ${path} gave no quantity`);
  return Number(quantity[1]);
}

export async function functionNames(region = REGION): Promise<readonly string[]> {
  const response = await signedFetch({ service: 'lambda', region, path: '/2015-03-31/functions/' });
  if (!response.ok) throw new Error(`Lambda ListFunctions: status ${response.status}`);
  return itemsOf(at(await response.json(), 'Functions')).map((item) => textOf(at(item, 'FunctionName')) ?? '');
}

export async function roleNames(): Promise<readonly string[]> {
  const text = await iam('ListRoles');
  if (!text.includes('<ListRolesResult')) throw new Error(`IAM ListRoles: ${text.slice(0, 300)}`);
  return [...text.matchAll(/<RoleName>([^<]+)<\/RoleName>/g)].map(([, name]) => name);
}

/** @returns the XML of the answer */
export async function iam(action: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
  const form = new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters }).toString();
  const response = await signedFetch({ service: 'iam', form });
  const text = await response.text();
  if (!response.ok) throw new Error(`IAM ${action}: status ${response.status}: ${text.slice(0, 300)}`);
  return text;
}

/** Of CloudWatch. */
export async function logGroups(region = REGION): Promise<readonly string[]> {
  const names: string[] = [];
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page = await jsonCall('logs', 'Logs_20140328.DescribeLogGroups', { nextToken: token }, region);
    names.push(...itemsOf(at(page, 'logGroups')).map((group) => textOf(at(group, 'logGroupName')) ?? ''));
    token = textOf(at(page, 'nextToken'));
  }
  return names;
}
