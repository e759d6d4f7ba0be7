import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { policyObjectKey } from '../../lib/contract/object-keys';
import { edgeFunctionCode } from '../../lib/private/policy-host/policy-distribution';
import { POLICY_PATH } from '../../lib/protocol/policy/url';

interface EdgeRequest { method: string; uri: string; headers: Record<string, { value: string }>; querystring: object; cookies: object }
type EdgeResult = EdgeRequest & { statusCode?: number };

/** Runs the function as CloudFront does: it takes an event and returns a request or a response. */
function edge(request: Partial<Pick<EdgeRequest, 'method' | 'uri'>> & { host?: string }): EdgeResult {
  const event = {
    version: '1.0',
    request: {
      method: request.method ?? 'GET',
      uri: request.uri ?? POLICY_PATH,
      querystring: {},
      cookies: {},
      headers: request.host === '' ? {} : { host: { value: request.host ?? 'mta-sts.example.com' } },
    },
  };
  const code = edgeFunctionCode(['mta-sts.example.net', 'mta-sts.example.com']);
  return JSON.parse(String(runInContext(`${code}; JSON.stringify(handler(${JSON.stringify(event)}))`, createContext({})))) as EdgeResult;
}

describe('refused requests', () => {
  test.each([
    ['an unknown host', { host: 'mta-sts.other.example' }],
    ['no host', { host: '' }],
    ['a host that is a property of all objects', { host: 'constructor' }],
    ['the root', { uri: '/' }],
    ['a longer path', { uri: `${POLICY_PATH}/` }],
    ['the path in another case', { uri: POLICY_PATH.toUpperCase() }],
    ['the object key itself', { uri: `/${policyObjectKey('mta-sts.example.com')}` }],
    ['a publication history', { uri: '/ledger/example.com.json' }],
    ['a publication history by a path with dots', { uri: '/.well-known/../ledger/example.com.json' }],
    ['a publication history by a host with the name of its folder', { host: 'ledger', uri: '/example.com.json' }],
    ['a path with dots', { uri: `/x/..${POLICY_PATH}` }],
    ['the method POST', { method: 'POST' }],
    ['the method OPTIONS', { method: 'OPTIONS' }],
  ])('the edge function answers 404 for %s', (_what, request) => {
    expect(edge(request)).toMatchObject({ statusCode: 404, headers: { 'cache-control': { value: 'no-store' } } });
  });
});

test.each(['GET', 'HEAD'])('the edge function maps %s of the policy to the object of the host', (method) => {
  expect(edge({ method })).toMatchObject({ method, uri: '/mta-sts.example.com/.well-known/mta-sts.txt' });
});

test('the edge function accepts the host with a port and in any case', () => {
  expect(edge({ host: 'MTA-STS.example.net:8443' }).uri).toBe('/mta-sts.example.net/.well-known/mta-sts.txt');
});

test('the order of the hosts does not change the edge function', () => {
  expect(edgeFunctionCode(['b', 'a'])).toBe(edgeFunctionCode(['a', 'b']));
});

test('the edge function for a hundred long names fits the 10 KB that CloudFront allows', () => {
  const names = Array.from({ length: 100 }, (_, i) => `mta-sts.${'x'.repeat(52)}${i}`);
  expect(Buffer.byteLength(edgeFunctionCode(names))).toBeLessThan(10 * 1024);
});
