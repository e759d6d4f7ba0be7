// Sends signed calls to the emulator for services without an installed SDK client.
import { ACMClient } from '@aws-sdk/client-acm';
import { at, itemsOf, textOf } from '../../../../lib/preview/json';
import { ADMINISTRATOR, CALL_TIMEOUT_MS, ENDPOINT, REGION } from './emulator';

export interface Call {
  /** Name in the scope of a signature: `iam`. */
  readonly service: string;
  /** @default us-east-1 */
  readonly region?: string;
  /** @default '/' */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Form body, sent by POST. */
  readonly form?: string;
  /** JSON body instead of a form, sent by POST. */
  readonly json?: string;
  /** Headers that are not signed. */
  readonly unsigned?: Readonly<Record<string, string>>;
}

/** Clients by service and Region. The signer of a client signs for any service, but keeps the first one. */
const SIGNING_CLIENTS = new Map<string, ACMClient>();

/** Sends a call as the administrator. */
export async function signedFetch(call: Call): Promise<Response> {
  const { path = '/', query = {}, form, json = form, unsigned } = call;
  const search = new URLSearchParams(query).toString();
  return fetch(`${ENDPOINT}${path}${search === '' ? '' : `?${search}`}`, {
    method: chooseMethod(call), headers: { ...await signedHeaders(call), ...unsigned }, body: json,
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
}

/** Returns the signed headers of a call. */
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
 * Calls a JSON API.
 *
 * @param target - `CertificateManager.DescribeCertificate`
 */
export async function callJson(service: string, target: string, body: unknown, region = REGION): Promise<unknown> {
  const response = await signedFetch({ service, region, json: JSON.stringify(body), unsigned: { 'x-amz-target': target } });
  if (!response.ok) throw new Error(`${target}: status ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return response.json();
}

/**
 * Calls CloudFront's API.
 *
 * @param path - `distribution`
 * @returns the body of the answer
 */
export async function callCloudFront(path: string, query?: Call['query']): Promise<string> {
  const response = await signedFetch({ service: 'cloudfront', path: `/2020-05-31/${path}`, query });
  const text = await response.text();
  if (!response.ok) throw new Error(`CloudFront ${path}: status ${response.status}: ${text.slice(0, 300)}`);
  return text;
}

/**
 * Counts the CloudFront resources of a kind.
 *
 * @param kind - path in CloudFront's API: `distribution`
 */
export async function countResources(kind: string): Promise<number> {
  const [, quantity] = /<Quantity>(\d+)<\/Quantity>/.exec(await callCloudFront(kind)) ?? [];
  if (quantity === undefined) throw new Error(`CloudFront returned no quantity for ${kind}`);
  return Number(quantity);
}

export async function listFunctionNames(region = REGION): Promise<readonly string[]> {
  const response = await signedFetch({ service: 'lambda', region, path: '/2015-03-31/functions/' });
  if (!response.ok) throw new Error(`Lambda ListFunctions: status ${response.status}`);
  return itemsOf(at(await response.json(), 'Functions')).map((item) => textOf(at(item, 'FunctionName')) ?? '');
}

export async function listRoleNames(): Promise<readonly string[]> {
  const text = await callIam('ListRoles');
  if (!text.includes('<ListRolesResult')) throw new Error(`IAM ListRoles: ${text.slice(0, 300)}`);
  return [...text.matchAll(/<RoleName>([^<]+)<\/RoleName>/g)].map(([, name = '']) => name);
}

/**
 * Calls IAM.
 *
 * @returns the XML of the answer
 */
export async function callIam(action: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
  const form = new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters }).toString();
  const response = await signedFetch({ service: 'iam', form });
  const text = await response.text();
  if (!response.ok) throw new Error(`IAM ${action}: status ${response.status}: ${text.slice(0, 300)}`);
  return text;
}

/** Lists the log groups of CloudWatch Logs. */
export async function listLogGroups(region = REGION): Promise<readonly string[]> {
  const names: string[] = [];
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page = await callJson('logs', 'Logs_20140328.DescribeLogGroups', { nextToken: token }, region);
    names.push(...itemsOf(at(page, 'logGroups')).map((group) => textOf(at(group, 'logGroupName')) ?? ''));
    token = textOf(at(page, 'nextToken'));
  }
  return names;
}
