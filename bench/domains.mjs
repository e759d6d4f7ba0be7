// The mail domains of the look-ups: many, on loopback, all with a valid policy. Every process of the benchmark has the same ones.

/**
 * @import { Answer, StringRecordType } from 'dns-packet'
 *
 * @typedef {(zone: string) => readonly Answer[]} MakeRecords - creates the records of one name in a zone
 */

/** One recursive resolver, two name servers and one policy host, as most domains have them. The policy host needs port 443 for mailauth. */
export const ADDRESSES = /** @type {const} */ ({ recursive: '127.7.0.1', nameServers: ['127.7.0.2', '127.7.0.3'], policyHost: '127.7.0.4' });

/** Number of providers whose name servers and mail hosts the domains use. */
const PROVIDERS = 20;

const TTL_SECONDS = 300;

/** A name in a zone of the benchmark, a domain or a provider. */
const NAME = /^(?:(?<labels>.+)\.)?(?<domain>[dp]\d+\.test)$/;

/**
 * Returns the name of a domain. All names have the same length, so that their messages have the same size.
 *
 * @param {number} number
 */
export function domainName(number) {
  return `d${String(number).padStart(6, '0')}.test`;
}

/**
 * Returns the policy file of a domain.
 *
 * @param {string} domain
 */
export function policyOf(domain) {
  const provider = providerOf(domain);
  return `version: STSv1\r\nmode: enforce\r\nmx: mx1.${provider}\r\nmx: mx2.${provider}\r\nmax_age: 2592000\r\n`;
}

/**
 * Returns the records of a name and type. The list is empty if the name has no such record, and undefined if the name does not exist.
 *
 * @param {string} name
 * @param {string} type
 */
export function recordsOf(name, type) {
  const { labels = '', domain } = NAME.exec(name)?.groups ?? {};
  const records = domain === undefined ? TOP.get(name) : RECORDS.get(`${domain.charAt(0)} ${labels}`)?.(domain);
  return records?.filter((record) => record.type === type).map((record) => ({ ...record, name, ttl: TTL_SECONDS }));
}

/**
 * Returns the zone of a name.
 *
 * @param {string} name
 */
export function zoneOf(name) {
  return NAME.exec(name)?.groups?.domain ?? 'test';
}

/** @param {string} domain */
function providerOf(domain) {
  return `p${Number(domain.slice(1, 7)) % PROVIDERS}.test`;
}

/**
 * @param {StringRecordType} type
 * @param {string} data
 * @returns {Answer}
 */
function record(type, data) {
  return { name: '', type, data };
}

/**
 * @param {string} data
 * @returns {Answer}
 */
function txt(data) {
  return { name: '', type: 'TXT', data };
}

/**
 * @param {number} number
 * @param {string} provider
 * @returns {Answer}
 */
function mx(number, provider) {
  return { name: '', type: 'MX', data: { preference: number * 10, exchange: `mx${number}.${provider}` } };
}

/** @param {string} provider */
function nameServers(provider) {
  return [1, 2].map((number) => record('NS', `ns${number}.${provider}`));
}

/**
 * The records without their names, by the kind of the zone, `d` for a domain or `p` for a provider, and the labels before it.
 *
 * @type {ReadonlyMap<string, MakeRecords>}
 */
const RECORDS = new Map(Object.entries({
  'd ': (/** @type {string} */ domain) => {
    const provider = providerOf(domain);
    return [...nameServers(provider), mx(1, provider), mx(2, provider), txt('v=spf1 -all')];
  },
  'd _mta-sts': () => [txt('v=STSv1; id=20260101000000;')],
  'd _smtp._tls': () => [txt('v=TLSRPTv1; rua=mailto:tls-reports@reports.test')],
  'd mta-sts': () => [record('A', ADDRESSES.policyHost)],
  'p ': nameServers,
  'p ns1': () => [record('A', ADDRESSES.nameServers[0])],
  'p ns2': () => [record('A', ADDRESSES.nameServers[1])],
  'p mx1': () => [record('A', '127.7.0.5')],
  'p mx2': () => [record('A', '127.7.0.6')],
}));

const TOP = new Map([['test', [record('NS', 'ns.nic.test')]]]);
