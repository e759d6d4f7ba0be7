// The world of the look-ups: many mail domains on loopback, each as it should be. What every process of the benchmark agrees on.

/** One recursive resolver, two name servers and one policy host, as most domains have them. Only mailauth ties us to port 443. */
export const ADDRESSES = { recursive: '127.7.0.1', nameServers: ['127.7.0.2', '127.7.0.3'], policyHost: '127.7.0.4' };

/** Domains are on the name servers and the mail hosts of a few providers, as in the world at large. */
const PROVIDERS = 20;

/** The same length for all, so that their messages have the same size. */
export function domainName(number) {
  return `d${String(number).padStart(6, '0')}.test`;
}

/** The policy file of a domain. */
export function policyOf(domain) {
  const provider = providerOf(domain);
  return `version: STSv1\r\nmode: enforce\r\nmx: mx1.${provider}\r\nmx: mx2.${provider}\r\nmax_age: 2592000\r\n`;
}

/** The records of a name and type, each as `dns-packet` takes them; empty where the name exists without; undefined where it does not. */
export function recordsOf(name, type) {
  const { labels = '', domain } = NAME.exec(name)?.groups ?? {};
  const records = domain === undefined ? TOP.get(name) : RECORDS.get(`${domain[0]} ${labels}`)?.(domain);
  return records?.filter((record) => record.type === type).map((record) => ({ name, ttl: 300, ...record }));
}

/** The zone that a name lies in. */
export function zoneOf(name) {
  return NAME.exec(name)?.groups.domain ?? 'test';
}

const NAME = /^(?:(?<labels>.+)\.)?(?<domain>[dp]\d+\.test)$/;

function providerOf(domain) {
  return `p${Number(domain.slice(1, 7)) % PROVIDERS}.test`;
}

const nameServers = (provider) => [1, 2].map((number) => ({ type: 'NS', data: `ns${number}.${provider}` }));
const address = (data) => () => [{ type: 'A', data }];
const text = (data) => () => [{ type: 'TXT', data }];

/** By the kind of the zone, a domain or a provider, and the labels before it. */
const RECORDS = new Map([
  ['d ', (domain) => [
    ...nameServers(providerOf(domain)),
    ...[1, 2].map((number) => ({ type: 'MX', data: { preference: number * 10, exchange: `mx${number}.${providerOf(domain)}` } })),
    { type: 'TXT', data: 'v=spf1 -all' },
  ]],
  ['d _mta-sts', text('v=STSv1; id=20260101000000;')],
  ['d _smtp._tls', text('v=TLSRPTv1; rua=mailto:tls-reports@reports.test')],
  ['d mta-sts', address(ADDRESSES.policyHost)],
  ['p ', nameServers],
  ['p ns1', address(ADDRESSES.nameServers[0])],
  ['p ns2', address(ADDRESSES.nameServers[1])],
  ['p mx1', address('127.7.0.5')],
  ['p mx2', address('127.7.0.6')],
]);

const TOP = new Map([['test', [{ type: 'NS', data: 'ns.nic.test' }]]]);
