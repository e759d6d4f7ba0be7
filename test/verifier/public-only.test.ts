// Which addresses DNS may send the verifier to, and that it opens no socket to any other.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createFetchPolicy } from '../../lib/verifier/https/policy-fetch';
import { createMxProbe } from '../../lib/verifier/smtp/mx-probe';
import { isPublicAddress } from '../../lib/verifier/public-only';
import { createResolver } from '../../lib/verifier/dns/resolver';
import type { Resolver } from '../../lib/verifier/dns/resolver';
import { verify } from '../../lib/verifier/verify';
import { DOMAIN, Loopback, MX1, RECORDS, addressOf, mailZone } from '../support/domain';
import { realClockExcept } from '../support/fake-clock';
import { until } from '../support/waiting';
import { codes, finding } from '../support/verification';

const loopback = new Loopback();
const closing: (() => void)[] = [];
afterEach(async () => {
  closing.splice(0).forEach((close) => {
    close();
  });
  await loopback.close();
});

describe('a public address', () => {
  test.each([
    ['an address of IPv4', '8.8.8.8'],
    ['the lowest public IPv4 address', '1.0.0.0'],
    ['the highest public IPv4 address', '223.255.255.255'],
    ['the neighbour of the Azure address', '168.63.129.15'],
    ['the neighbour of private networks', '172.32.0.1'],
    ['the neighbour of carrier-grade NAT', '100.128.0.1'],
    ['an address of IPv6', '2001:4860:4860::8888'],
    ['another address of IPv6', '2a00:1450:4001::1a'],
    ['the highest public IPv6 address', '3ffe:ffff::1'],
    ['an IPv4 address in an IPv6 address', '::ffff:8.8.8.8'],
    ['an IPv4 address in an IPv6 address in hexadecimal', '::ffff:808:808'],
    ['an IPv4 address by NAT64', '64:ff9b::8.8.8.8'],
  ])('the verifier treats %s as public (%s)', (_, address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe('a non-public address', () => {
  test.each([
    ['"this network"', '0.0.0.0'],
    ['any address of it', '0.1.2.3'],
    ['loopback', '127.0.0.1'],
    ['loopback elsewhere', '127.255.255.254'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['link-local, where clouds keep their credentials', '169.254.169.254'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['protocol assignments', '192.0.0.8'],
    ['the address that answers only inside Azure', '168.63.129.16'],
    ['the Azure address in an IPv6 address', '::ffff:168.63.129.16'],
    ['the Azure address in hexadecimal', '::ffff:a83f:8110'],
    ['the Azure address by NAT64', '64:ff9b::a83f:8110'],
    ['where Oracle keeps its credentials', '192.0.0.192'],
    ['where Alibaba keeps its credentials', '100.100.100.200'],
    ['where Amazon keeps its credentials', 'fd00:ec2::254'],
    ['where Google keeps its credentials', 'fd20:ce::254'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.1'],
    ['benchmarking', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4 loopback in an IPv6 address', '::ffff:127.0.0.1'],
    ['a loopback address in hexadecimal', '::ffff:7f00:1'],
    ['a private IPv4 address in an IPv6 address', '::ffff:10.0.0.1'],
    ['an IPv4-compatible address', '::127.0.0.1'],
    ['an IPv4-compatible address', '::8.8.8.8'],
    ['an IPv4-compatible address in hexadecimal', '::808:808'],
    ['an IPv4-translated address', '::ffff:0:8.8.8.8'],
    ['loopback by NAT64', '64:ff9b::127.0.0.1'],
    ['a private IPv4 address by NAT64', '64:ff9b::10.0.0.1'],
    ['link-local by NAT64', '64:ff9b::a9fe:a9fe'],
    ['NAT64 of a network of its own', '64:ff9b:1::8.8.8.8'],
    ['a 6to4 address', '2002:7f00:1::1'],
    ['Teredo', '2001:0:1::1'],
    ['unique local', 'fd00::1'],
    ['unique local', 'fc00::1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['benchmarking', '2001:2::1'],
    ['ORCHID', '2001:20::1'],
    ['discard-only', '100::1'],
    ['segment routing', '5f00::1'],
    ['multicast', 'ff02::1'],
    ['an address that is not assigned yet', '4000::1'],
    ['a name', 'localhost'],
    ['nothing', ''],
    ['a short form', '127.1'],
    ['a number', '134744072'],
    ['a hexadecimal number', '0x08080808'],
    ['an octal form', '010.0.0.1'],
    ['an address with a port', '8.8.8.8:53'],
    ['an address in brackets', '[2001:4860::1]'],
  ])('the verifier treats %s as not public (%s)', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

/** TCP at 127.0.0.2, and UDP at the same port: what comes is counted, nothing is answered. */
async function trap(): Promise<{ port: number; caught: () => number }> {
  let caught = 0;
  const server = createServer((socket) => {
    caught += 1;
    socket.destroy();
  });
  const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.2', () => {
    resolve((server.address() as AddressInfo).port);
  }));
  const udp = createSocket('udp4', () => {
    caught += 1;
  });
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.2', () => {
    resolve();
  }));
  closing.push(() => {
    server.close();
    udp.close();
  });
  return { port, caught: () => caught };
}

/** Name server, policy host and mail host all at 127.0.0.2. */
const LURING = mailZone(
  [addressOf(MX1, '127.0.0.2')], { mx2: undefined, nsAddress: addressOf('ns1.example.test', '127.0.0.2'), address: addressOf('mta-sts.example.test', '127.0.0.2') },
);

describe('a domain whose DNS leads to the loopback', () => {
  test('the verifier opens no socket to loopback addresses in DNS, and reports them', async () => {
    const dns = await loopback.dns(LURING);
    const { port, caught } = await trap();
    const result = await verify(DOMAIN, { smtp: true, nameServerPort: port }, {
      resolver: createResolver({ servers: [`127.0.0.1:${dns.port}`] }),
      fetchPolicy: createFetchPolicy({ port }),
      mxProbe: createMxProbe({ port }),
    });
    expect(caught()).toBe(0);
    expect(result).toMatchObject({ verdict: 'fail', lookup: 'permanent-error', delivery: 'refuse' });
    expect(result.findings.filter(({ code }) => code === 'address-not-public')).toMatchObject([
      {
        severity: 'error', subject: 'https://mta-sts.example.test/.well-known/mta-sts.txt',
        message: 'the address of the policy host is not a public address (loopback, link-local, private or reserved) and was not connected to, at 127.0.0.2',
        fix: 'publish public addresses alone; to verify a network of your own on purpose, give `--allow-private`',
      },
      { severity: 'error', subject: `MX ${MX1}` },
    ]);
    expect(finding(result, 'name-server-unanswered').message)
      .toBe(`the name server ns1.example.test (127.0.0.2:${port}) gave no usable answer (the address of the server is not a public address (loopback, link-local, private or reserved) and was not connected to)`);
    expect(result.policyObservations).toMatchObject([{ at: '127.0.0.2', status: 'failed' }]);
    expect(result.recordObservations.map(({ status }) => status)).toEqual(['unknown', 'ok']);
  });

  test('the verifier connects to loopback addresses when that is allowed', async () => {
    const dns = await loopback.dns(LURING);
    const { port, caught } = await trap();
    const within = (timeoutMs: number): Resolver => createResolver({ servers: [`127.0.0.1:${dns.port}`], timeoutMs, tries: 1 });
    const [resolver, hasty] = [within(30_000), within(300)];
    await verify(DOMAIN, { smtp: true, nameServerPort: port, allowPrivate: true, timeoutMs: 3000 }, {
      // The trap is waited for only until it has caught all; a busy machine may take longer than the time of the whole and its parts.
      clock: realClockExcept({ 3000: () => until(() => caught() === 5), 750: () => until(() => caught() >= 3) }),
      resolver: { query: (name, type, server) => (server === undefined ? resolver : hasty).query(name, type, server) },
      fetchPolicy: createFetchPolicy({ port }),
      mxProbe: createMxProbe({ port }),
    });
    // A question for each of three types, the file, and the mail host.
    expect(caught()).toBe(5);
  });

  test('the verifier uses private name servers and resolvers that the caller names', async () => {
    const dns = await loopback.dns(mailZone());
    const server = await loopback.dns(mailZone(), '127.0.0.2');
    const result = await verify(DOMAIN, { nameServers: [`127.0.0.2:${server.port}`] }, {
      resolver: createResolver({ servers: [`127.0.0.1:${dns.port}`] }),
      fetchPolicy: () => Promise.reject(new Error('nobody may be asked')),
    });
    expect(server.queries.map(({ name, type }) => `${name} ${type}`)).toEqual(expect.arrayContaining(['_mta-sts.example.test TXT', 'mta-sts.example.test A']));
    expect(dns.queries.length).toBeGreaterThan(0);
    expect(result).toMatchObject({ record: { id: '1' } });
    expect(codes(result)).not.toContain('unknown name-server-unanswered');
  });

  test('a non-public address beside a public one is a warning, and the public one is used', async () => {
    const dns = await loopback.dns(mailZone([addressOf(MX1, '8.8.4.4'), addressOf('mx2.backup.test', '8.8.4.4')]), '127.0.0.1');
    const fetched: string[] = [];
    const result = await verify(DOMAIN, { nameServers: [`127.0.0.1:${dns.port}`] }, {
      resolver: {
        query: (name, type, server) => {
          const resolver = createResolver({ servers: [`127.0.0.1:${dns.port}`] });
          return name === RECORDS.address.name && type === 'A'
            ? resolver.query(name, type, server).then((answer) => answer.status === 'found' ? { ...answer, records: [...answer.records, '8.8.8.8'] as typeof answer.records } : answer)
            : resolver.query(name, type, server);
        },
      },
      fetchPolicy: ({ address }) => {
        fetched.push(address);
        const certificate = { subjectAltName: '', issuer: '', validFrom: '', validTo: '2100-01-01T00:00:00Z' };
        return Promise.resolve({
          outcome: 'answered', status: 200, contentType: 'text/plain', body: Buffer.from('version: STSv1\nmode: none\nmax_age: 86400\n'),
          tooLarge: false, milliseconds: 1, tlsVersion: 'TLSv1.3', certificate,
        });
      },
    });
    expect(fetched).toEqual(['8.8.8.8']);
    expect(result).toMatchObject({ verdict: 'pass', lookup: 'found' });
    expect(finding(result, 'address-not-public').severity).toBe('warning');
  });
});
