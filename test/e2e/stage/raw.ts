// Asks the emulator what no client of the SDK that is installed here asks.
import { at, itemsOf, textOf } from '../../../lib/preview/json';
import { ENDPOINT } from './emulator';

/**
 * How many resources of a kind CloudFront lists.
 *
 * @param path - of the API: `distribution`
 */
export async function countOf(path: string): Promise<number> {
  const response = await fetch(`${ENDPOINT}/2020-05-31/${path}`, { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cloudfront/aws4_request, SignedHeaders=host, Signature=0' } });
  if (!response.ok) throw new Error(`CloudFront ${path}: status ${response.status}`);
  const quantity = /<Quantity>(\d+)<\/Quantity>/.exec(await response.text());
  if (quantity === null) throw new Error(`CloudFront ${path} gave no quantity`);
  return Number(quantity[1]);
}

export async function functionNames(): Promise<readonly string[]> {
  const response = await fetch(`${ENDPOINT}/2015-03-31/functions/`, { headers: scope('lambda') });
  if (!response.ok) throw new Error(`Lambda ListFunctions: status ${response.status}`);
  return itemsOf(at(await response.json(), 'Functions')).map((item) => textOf(at(item, 'FunctionName')) ?? '');
}

export async function roleNames(): Promise<readonly string[]> {
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    headers: { ...scope('iam'), 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Action=ListRoles&Version=2010-05-08',
  });
  const text = await response.text();
  if (!text.includes('<ListRolesResult')) throw new Error(`IAM ListRoles: status ${response.status}`);
  return [...text.matchAll(/<RoleName>([^<]+)<\/RoleName>/g)].map(([, name]) => name);
}

/** The emulator tells the service by the scope of the signature, which it does not check. */
function scope(service: string): { readonly authorization: string } {
  return { authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0` };
}
