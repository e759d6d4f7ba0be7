// The mail domains that both commands verify: on loopback, each with one property or problem.

/**
 * @typedef {{ name: string, type: string, ttl: number, data: unknown }} DnsRecord
 * @typedef {{ close(): Promise<void>, port: number }} Server
 * @typedef {object} Sources - of this working tree, see `SOURCES`
 * @property {(options: object) => Promise<Server>} startDnsServer
 * @property {(records: readonly DnsRecord[]) => (question: { name: string, type: string }) => unknown} zoneAnswers
 * @property {(options: object) => Promise<Server>} startPolicyServer
 * @property {(options: object) => Promise<Server>} startMxServer
 * @property {() => Promise<{ certificatePem: string }>} testAuthority
 *
 * @typedef {Readonly<Record<string, DnsRecord | readonly DnsRecord[] | undefined>>} Records - by a name for each
 *
 * @typedef {object} Scenario - the differences from a domain without problems
 * @property {string} [policy] - the policy file
 * @property {object} [server] - options of `startPolicyServer`
 * @property {boolean} [isDown] - no policy server
 * @property {readonly (object | undefined)[]} [mail] - options of `startMxServer` for each mail host; undefined: nothing listens
 * @property {(domain: string, address: string) => Records} [dns] - replacements of usual records; `address` is that of the policy host
 * @property {(domain: string) => Records} [authoritative] - records that replace them on the zone's own server
 * @property {Readonly<Record<string, unknown>>} [replies] - DNS replies by the beginning of a name, such as `_mta-sts.`
 * @property {readonly string[]} [flags] - of `verify`
 * @property {true} [isSlow] - ends by a timeout, so it is verified only once
 */

const VALID = policy(['mode: enforce', 'mx: mx1.$', 'max_age: 2592000']);

/** @type {Readonly<Record<string, Scenario>>} */
export const SCENARIOS = {
  'good': {},
  'good-two-hosts': {
    policy: policy(['mode: enforce', 'mx: *.$', 'max_age: 2592000']),
    mail: [{}, {}],
    dns: (domain) => ({ tlsa: record(`_25._tcp.mx2.${domain}`, 'TLSA', { usage: 3, selector: 1, matchingType: 1, certificate: new Uint8Array(32) }) }),
  },
  'good-two-addresses': { dns: (domain, address) => ({ address: [record(`mta-sts.${domain}`, 'A', address), record(`mta-sts.${domain}`, 'A', '127.0.0.9')] }) },
  'mode-testing': { policy: policy(['mode: testing', 'mx: mx1.$', 'max_age: 604800']) },
  'mode-none': { policy: policy(['mode: none', 'max_age: 86400']) },
  'short-age': { policy: policy(['mode: enforce', 'mx: mx1.$', 'max_age: 3600']) },
  'expected-id': { flags: ['--expect-id', '2'] },
  'expected-mode': { flags: ['--expect-mode', 'testing'] },
  'without-smtp': { flags: ['--no-smtp'] },

  'record-missing': { dns: () => ({ sts: undefined }) },
  'record-bad-id': { dns: (domain) => ({ sts: sts(domain, 'v=STSv1; id=2026-01-01;') }) },
  'record-no-id': { dns: (domain) => ({ sts: sts(domain, 'v=STSv1;') }) },
  'record-wrong-order': { dns: (domain) => ({ sts: sts(domain, 'id=1; v=STSv1;') }) },
  'record-two': { dns: (domain) => ({ sts: [sts(domain, 'v=STSv1; id=1;'), sts(domain, 'v=STSv1; id=2;')] }) },
  'record-beside-others': { dns: (domain) => ({ sts: [sts(domain, 'v=STSv1; id=1;'), sts(domain, 'v=spf1 -all')] }) },
  'record-misplaced': { dns: (domain) => ({ sts: { ...sts(domain, 'v=STSv1; id=1;'), name: `mta-sts.${domain}` } }) },
  'record-alias': { dns: (domain) => ({ sts: [record(`_mta-sts.${domain}`, 'CNAME', `_mta-sts.hosted.${domain}`), sts(`hosted.${domain}`, 'v=STSv1; id=1;')] }) },
  'domain-missing': { dns: () => ({ soa: undefined, ns: undefined, nsAddress: undefined, sts: undefined, tlsRpt: undefined, address: undefined, mx: undefined, mxAddress: undefined }) },

  'policy-empty': { policy: '' },
  'policy-no-version': { policy: 'mode: enforce\r\nmx: mx1.$\r\nmax_age: 86400\r\n' },
  'policy-version-2': { policy: 'version: STSv2\r\nmode: enforce\r\nmx: mx1.$\r\nmax_age: 86400\r\n' },
  'policy-bad-mode': { policy: policy(['mode: strict', 'mx: mx1.$', 'max_age: 86400']) },
  'policy-no-age': { policy: policy(['mode: enforce', 'mx: mx1.$']) },
  'policy-age-text': { policy: policy(['mode: enforce', 'mx: mx1.$', 'max_age: 1 day']) },
  'policy-age-beyond': { policy: policy(['mode: enforce', 'mx: mx1.$', 'max_age: 99999999']) },
  'policy-no-mx': { policy: policy(['mode: enforce', 'max_age: 86400']) },
  'policy-mx-list': { policy: policy(['mode: enforce', 'mx: mx1.$, mx2.$', 'max_age: 86400']) },
  'policy-mx-dot': { policy: policy(['mode: enforce', 'mx: .$', 'max_age: 86400']) },
  'policy-two-modes': { policy: policy(['mode: enforce', 'mode: none', 'mx: mx1.$', 'max_age: 86400']) },
  'policy-blank-line': { policy: policy(['mode: enforce', '', 'mx: mx1.$', 'max_age: 86400']) },
  'policy-comment': { policy: policy(['# a comment', 'mode: enforce', 'mx: mx1.$', 'max_age: 86400']) },
  'policy-upper-case': { policy: policy(['Mode: Enforce', 'mx: MX1.$', 'max_age: 86400']) },
  'policy-look-alike': { policy: policy(['mode: enforce', 'mx: mx1.$', 'max_age: 86400', 'max-age: 86400']) },
  'policy-lf': { policy: 'version: STSv1\nmode: enforce\nmx: mx1.$\nmax_age: 2592000\n' },

  ...Object.fromEntries([
    'wrong-name', 'untrusted', 'self-signed', 'expired', 'not-yet-valid', 'near-expiry', 'redirect', '404', '500', 'html', 'no-media-type',
    'html-media-type', 'too-large', 'bom', 'broken-off', 'plain-http', 'tls-1.1', 'reset', 'not-http',
  ].map((behaviour) => [`host-${behaviour.replace('.', '-')}`, { server: { behaviour } }])),
  'host-late': { server: { behaviour: 'late' }, isSlow: true },
  'host-down': { isDown: true },
  'host-no-address': { dns: () => ({ address: undefined }), isDown: true },
  'host-dangling': { dns: (domain) => ({ address: record(`mta-sts.${domain}`, 'CNAME', `gone.${domain}`) }), isDown: true },
  'host-alias': { dns: (domain, address) => ({ address: [record(`mta-sts.${domain}`, 'CNAME', `host.${domain}`), record(`host.${domain}`, 'A', address)] }) },
  'host-media-type': { server: { contentType: 'application/octet-stream' } },
  'host-status-204': { server: { status: 204 } },
  'host-encoded': { server: { headers: { 'Content-Encoding': 'br' } } },

  'mx-not-covered': { policy: policy(['mode: enforce', 'mx: mail.provider.example', 'max_age: 2592000']) },
  'mx-not-covered-testing': { policy: policy(['mode: testing', 'mx: mail.provider.example', 'max_age: 2592000']) },
  'mx-one-not-covered': { mail: [{}, {}] },
  'mx-deep-wildcard': { policy: policy(['mode: enforce', 'mx: *.test', 'max_age: 2592000']) },
  'mx-null': { dns: (domain) => ({ mx: record(domain, 'MX', { preference: 0, exchange: '.' }) }), mail: [] },
  'mx-none': { dns: () => ({ mx: undefined }), mail: [] },
  'mx-implicit': { dns: (domain, address) => ({ mx: undefined, implicit: record(domain, 'A', address) }), mail: [] },
  'mx-no-address': { dns: () => ({ mxAddress: undefined }), mail: [undefined] },
  'mx-alias': { dns: (domain) => ({ mxAddress: record(`mx1.${domain}`, 'CNAME', `gone.${domain}`) }), mail: [undefined] },

  ...Object.fromEntries([
    'no-starttls', 'starttls-454', 'starttls-502', 'no-ehlo', 'ehlo-550', 'ehlo-451', 'wrong-name', 'untrusted', 'self-signed', 'expired',
    'near-expiry', 'common-name', 'tls-1.1', 'injected', 'not-tls', 'hang-up', 'hang-up-ehlo', 'hang-up-tls', 'greeting-554',
    'greeting-421', 'bare-lf', 'endless-lines', 'http', 'not-smtp', 'control',
  ].map((behaviour) => [`smtp-${behaviour.replace('.', '-')}`, { mail: [{ behaviour }] }])),
  'smtp-down': { mail: [undefined] },
  'smtp-silent': { mail: [{ behaviour: 'silent' }], isSlow: true },

  'dns-record-servfail': { replies: { '_mta-sts.': failure('SERVFAIL') } },
  'dns-record-refused': { replies: { '_mta-sts.': failure('REFUSED') } },
  'dns-host-servfail': { replies: { 'mta-sts.': failure('SERVFAIL') } },
  'dns-mx-servfail': { replies: { 'mx1.': failure('SERVFAIL') } },
  'dns-silent': { replies: { '_mta-sts.': 'drop' }, isSlow: true },
  'dns-server-down': { dns: (domain) => ({ ns: [record(domain, 'NS', `ns1.${domain}`), record(domain, 'NS', `ns2.${domain}`)], ns2: record(`ns2.${domain}`, 'A', '127.0.0.9') }) },
  'dns-old-record': { authoritative: (domain) => ({ sts: sts(domain, 'v=STSv1; id=2;') }) },
  'dns-no-record-yet': { dns: () => ({ sts: undefined }), authoritative: (domain) => ({ sts: sts(domain, 'v=STSv1; id=1;') }) },

  'tls-rpt-missing': { dns: () => ({ tlsRpt: undefined }) },
  'tls-rpt-bad': { dns: (domain) => ({ tlsRpt: tlsRpt(domain, 'v=TLSRPTv1; rua=reports@example.com') }) },
  'tls-rpt-none': { dns: (domain) => ({ tlsRpt: tlsRpt(domain, 'v=spf1 -all') }) },
  'tls-rpt-two': { dns: (domain) => ({ tlsRpt: [tlsRpt(domain, 'v=TLSRPTv1; rua=mailto:a@example.com'), tlsRpt(domain, 'v=TLSRPTv1; rua=mailto:b@example.com')] }) },
  'tls-rpt-lost': { dns: (domain) => ({ tlsRpt: tlsRpt(domain, 'v=TLSRPTv1; rua=mailto:a@nowhere.test') }) },
  'tls-rpt-https': { dns: (domain) => ({ tlsRpt: tlsRpt(domain, 'v=TLSRPTv1; rua=https://reports.nowhere.test/v1') }) },
};

/** @param {readonly string[]} lines - `$` stands for the domain */
function policy(lines) {
  return ['version: STSv1', ...lines, ''].join('\r\n');
}

/**
 * @param {string} name
 * @param {string} type
 * @param {unknown} data
 * @returns {DnsRecord}
 */
function record(name, type, data) {
  return { name, type, ttl: 300, data };
}

/** @param {string} domain @param {string} text */
function sts(domain, text) {
  return record(`_mta-sts.${domain}`, 'TXT', [text]);
}

/** @param {string} domain @param {string} text */
function tlsRpt(domain, text) {
  return record(`_smtp._tls.${domain}`, 'TXT', [text]);
}

/** @param {string} name */
function soa(name) {
  return record(name, 'SOA', { mname: `ns1.${name}`, rname: `hostmaster.${name}`, serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 60 });
}

/** @param {string} rcode */
function failure(rcode) {
  return { rcode, answers: [], authorities: [], authoritative: false };
}

/** The recursive resolver, and the name server of all zones. */
const RESOLVER = '127.0.0.1';
const NAME_SERVER = '127.0.0.2';

/** Number of the first mail host. The addresses of a scenario are `127.77.<its number>.<host>`; the policy host has number 1. */
const MAIL_HOST = 10;

/**
 * Starts every server.
 *
 * @param {Sources} sources
 * @returns the ports by their usual numbers, for `preload.mjs`; the certificate authority to trust; and `close`
 */
export async function startCorpus(sources) {
  const { startDnsServer, zoneAnswers, startPolicyServer, startMxServer, testAuthority } = sources;
  /** @type {Server[]} */
  const servers = [];
  /** @type {Record<string, number>} */
  const ports = {};
  /** The servers of one kind share a port. @param {string} usual @param {(port: number | undefined) => Promise<Server>} open */
  const start = async (usual, open) => {
    const server = await open(ports[usual]);
    servers.push(server);
    ports[usual] = server.port;
  };
  const zones = [soa('test')];
  const authoritative = [soa('test')];
  /** @type {Map<string, unknown>} */
  const replies = new Map();
  for (const [number, [name, scenario]] of Object.entries(SCENARIOS).entries()) {
    const { server, isDown = false, mail = [{}], dns, authoritative: other } = scenario;
    const domain = domainOf(name);
    const addressOf = (/** @type {number} */ host) => `127.77.${number}.${host}`;
    const records = { ...usualRecords(domain, addressOf, mail.length), ...dns?.(domain, addressOf(1)) };
    zones.push(...flat(records));
    authoritative.push(...flat({ ...records, ...other?.(domain) }));
    for (const [prefix, reply] of Object.entries(scenario.replies ?? {})) replies.set(`${prefix}${domain}`, reply);
    const body = (scenario.policy ?? VALID).replaceAll('$', domain);
    if (!isDown) await start('443', (port) => startPolicyServer({ policyHost: `mta-sts.${domain}`, body, address: addressOf(1), port, ...server }));
    for (const [at, options] of mail.entries()) {
      if (options === undefined) continue;
      const names = [`mx${at + 1}.${domain}`];
      await start('25', (port) => startMxServer({ names, address: addressOf(MAIL_HOST + at), port, ...options }));
    }
  }
  const [recursive, own] = [zoneAnswers(zones), zoneAnswers(authoritative)];
  for (const [address, answers] of /** @type {const} */ ([[RESOLVER, recursive], [NAME_SERVER, own]])) {
    /** @param {{ name: string, type: string }} question */
    const answer = (question) => replies.get(question.name.toLowerCase()) ?? answers(question);
    await start('53', (port) => startDnsServer({ address, port, answer }));
  }
  return {
    ports,
    resolver: RESOLVER,
    authority: (await testAuthority()).certificatePem,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** @param {string} name - of a scenario */
export function domainOf(name) {
  return `${name}.test`;
}

/**
 * @param {string} domain
 * @param {(host: number) => string} addressOf
 * @param {number} hosts - number of mail hosts
 * @returns {Records}
 */
function usualRecords(domain, addressOf, hosts) {
  const mail = Array.from({ length: hosts }, (_, at) => `mx${at + 1}.${domain}`);
  return {
    soa: soa(domain),
    ns: record(domain, 'NS', `ns1.${domain}`),
    nsAddress: record(`ns1.${domain}`, 'A', NAME_SERVER),
    sts: sts(domain, 'v=STSv1; id=1;'),
    tlsRpt: tlsRpt(domain, `v=TLSRPTv1; rua=mailto:tls-reports@${domain}`),
    address: record(`mta-sts.${domain}`, 'A', addressOf(1)),
    mx: mail.map((exchange, at) => record(domain, 'MX', { preference: 10 * (at + 1), exchange })),
    mxAddress: mail.map((host, at) => record(host, 'A', addressOf(MAIL_HOST + at))),
  };
}

/** @param {Records} records */
function flat(records) {
  return Object.values(records).flat().filter((one) => one !== undefined);
}
