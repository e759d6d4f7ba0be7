// The CloudFront Function in front of the bucket: one path of known hosts, and 404 for all else.
import { POLICY_PATH } from '../protocol/policy/url';

/**
 * Where in the bucket a host's policy lies: the edge function turns the host into the first part of the path.
 *
 * @param policyHostName - `mta-sts.example.com`
 */
export function policyObjectKey(policyHostName: string): string {
  return policyHostName + POLICY_PATH;
}

/**
 * The code of the function, for the runtime cloudfront-js-2.0.
 *
 * Without it a missing object would be S3's 403, and every path of the bucket would be tried.
 *
 * @param policyHostNames - the hosts that the distribution serves
 */
export function edgeFunctionCode(policyHostNames: string[]): string {
  return `const hosts = ${JSON.stringify([...policyHostNames].sort())};

function handler(event) {
  const request = event.request;
  const host = request.headers.host ? request.headers.host.value.split(':')[0].toLowerCase() : '';
  const known = hosts.includes(host) && request.uri === '${POLICY_PATH}' && (request.method === 'GET' || request.method === 'HEAD');
  if (!known) {
    return {
      statusCode: 404,
      statusDescription: 'Not Found',
      headers: {
        'content-type': { value: 'text/plain; charset=utf-8' },
        'cache-control': { value: 'no-store' },
      },
    };
  }
  request.uri = '/' + host + request.uri;
  return request;
}
`;
}
