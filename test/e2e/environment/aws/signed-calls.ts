// Asks the emulator what no client of the SDK that is installed here asks.
import { ACMClient } from '@aws-sdk/client-acm';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { ADMINISTRATOR, CALL_TIMEOUT_MS, ENDPOINT, REGION } from './emulator';

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
const SIGNING_CLIENTS = new Map<string, ACMClient>();

/** Any call, as the administrator. */
export async function signedFetch(call: Call): Promise<Response> {
  const { path = '/', query = {}, form, json = form, unsigned } = call;
  const search = new URLSearchParams(query).toString();
  return fetch(`${ENDPOINT}${path}${search === '' ? '' : `?${search}`}`, {
    method: chooseMethod(call), headers: { ...await signedHeaders(call), ...unsigned }, body: json,
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
}

/** What a call must show. */
export async function signedHeaders(call: Call): Promise<Readonly<Record<string, string>>> {
  const { service, region = REGION, path = '/', query = {}, form, json = form } = call;
  const scope = `${service} ${region}`;
  const client = SIGNING_CLIENTS.get(scope) ?? new ACMClient({ region: REGION, credentials: ADMINISTRATOR });
  SIGNING_CLIENTS.set(scope, client);
  const signer = await client.config.signer({ name: 'sigv4', signingName: service, signingRegion: region, properties: {} });
  const { protocol, hostname, port, host } = new URL(ENDPOINT);
  const { headers } = await signer.sign({
    method: chooseMethod(call), protocol, hostname, port: Number(port), path, query: { ...query }, body: json,
    headers: { host, ...json !== undefined && { 'content-type': form === undefined ? 'application/x-amz-json-1.1' : 'application/x-www-form-urlencoded' } },
  });
  return headers;
}

function chooseMethod({ form, json = form }: Call): string {
  return json === undefined ? 'GET' : 'POST';
}

/**
 * Of the APIs that take and give JSON.
 *
 * @param target - `CertificateManager.DescribeCertificate`
 */
export async function callJson(service: string, target: string, body: unknown, region = REGION): Promise<unknown> {
  const response = await signedFetch({ service, region, json: JSON.stringify(body), unsigned: { 'x-amz-target': target } });
  if (!response.ok) throw new Error(`${target}: status ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return response.json();
}

/** @param path - of CloudFront's API: `distribution` */
export async function callCloudFront(path: string, query?: Call['query']): Promise<string> {
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
export async function countResources(path: string): Promise<number> {
  const quantity = /<Quantity>(\d+)<\/Quantity>/.exec(await callCloudFront(path));
  if (quantity === null) throw new Error(`CloudFront ${path} gave no quantity`);
  return Number(quantity[1]);
}

export async function listFunctionNames(region = REGION): Promise<readonly string[]> {
  const response = await signedFetch({ service: 'lambda', region, path: '/2015-03-31/functions/' });
  if (!response.ok) throw new Error(`Lambda ListFunctions: status ${response.status}`);
  return itemsOf(at(await response.json(), 'Functions')).map((item) => textOf(at(item, 'FunctionName')) ?? '');
}

export async function listRoleNames(): Promise<readonly string[]> {
  const text = await callIam('ListRoles');
  if (!text.includes('<ListRolesResult')) throw new Error(`IAM ListRoles: ${text.slice(0, 300)}`);
  return [...text.matchAll(/<RoleName>([^<]+)<\/RoleName>/g)].map(([, name]) => name);
}

/** @returns the XML of the answer */
export async function callIam(action: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
  const form = new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters }).toString();
  const response = await signedFetch({ service: 'iam', form });
  const text = await response.text();
  if (!response.ok) throw new Error(`IAM ${action}: status ${response.status}: ${text.slice(0, 300)}`);
  return text;
}

/** Of CloudWatch. */
export async function listLogGroups(region = REGION): Promise<readonly string[]> {
  const names: string[] = [];
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page = await callJson('logs', 'Logs_20140328.DescribeLogGroups', { nextToken: token }, region);
    names.push(...itemsOf(at(page, 'logGroups')).map((group) => textOf(at(group, 'logGroupName')) ?? ''));
    token = textOf(at(page, 'nextToken'));
  }
  return names;
}
