// Finding a zone's name servers, without ever asking a recursive resolver for a name below the domain.
import { afterEach, describe, expect, test } from '@jest/globals';
import { zoneAnswers } from '../../../lib/preview/dns-server/server';
import type { DnsAnswerer, DnsRecord } from '../../../lib/preview/dns-server/server';
import { askEach, authoritativeServers } from '../../../lib/verifier/dns/name-servers';
import { createResolver } from '../../../lib/verifier/dns/resolver';
import type { Resolver } from '../../../lib/verifier/dns/resolver';
import type { DnsNetwork } from '../../../lib/verifier/network';
import { Loopback, RECORDS, zone } from '../../support/domain';
import { realClockExcept } from '../../support/fake-clock';
import { never } from '../../support/waiting';

const loopback = new Loopback();
let over = new AbortController();
afterEach(() => {
  over.abort();
  over = new AbortController();
  return loopback.close();
});

/** What is waited for to the end of its time here overruns the test. */
function worldOf(port: number): DnsNetwork {
  const resolver = createResolver({ servers: [`127.0.0.1:${port}`], timeoutMs: 120_000, tries: 1, signal: over.signal });
  return { resolver, clock: realClockExcept({}) };
}

async function worldOver(answer: DnsAnswerer | readonly DnsRecord[]): Promise<{ network: DnsNetwork; asked: () => string[] }> {
  const { port, queries } = await loopback.dns(answer);
  return { network: worldOf(port), asked: () => queries.map(({ name, type }) => `${name} ${type}`).sort() };
}

describe('the name servers are not known', () => {
  test('the name servers are unknown when DNS does not answer', async () => {
    const { network } = await worldOver(() => ({ rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false }));
    expect(await authoritativeServers(network, 'example.test')).toEqual({ status: 'failed', reason: 'example.test NS: SERVFAIL' });
  });

  test('the name servers are unknown when neither the domain nor a parent has NS records', async () => {
    const { network } = await worldOver([{ ...RECORDS.soa, name: 'test' }]);
    expect(await authoritativeServers(network, 'example.test')).toEqual({ status: 'failed', reason: 'neither example.test nor a domain above it has NS records' });
  });
});

describe('the name servers are found', () => {
  test('the name servers of a zone are found at the domain itself, sorted, with their addresses and port', async () => {
    const { network, asked } = await worldOver(zone(
      {}, { ...RECORDS.ns, data: 'NS0.example.test.' },
      { ...RECORDS.nsAddress, name: 'ns0.example.test', type: 'AAAA', data: '2001:db8::53' },
      { ...RECORDS.nsAddress, name: 'ns0.example.test', data: '192.0.2.2' },
      { ...RECORDS.nsAddress, name: 'ns0.example.test', data: '192.0.2.1' },
    ));
    expect(await authoritativeServers(network, 'example.test', 5353)).toEqual({
      status: 'found',
      zone: 'example.test',
      servers: [
        { name: 'ns0.example.test', addresses: ['192.0.2.2:5353', '[2001:db8::53]:5353', '192.0.2.1:5353'] },
        { name: 'ns1.example.test', addresses: ['127.0.0.1:5353'] },
      ],
    });
    expect(asked()).toEqual([
      'example.test NS', 'ns0.example.test A', 'ns0.example.test AAAA', 'ns1.example.test A', 'ns1.example.test AAAA', 'test NS',
    ]);
  });

  test('the name servers of a name inside a zone are found at its parent', async () => {
    const { network } = await worldOver(zone({}, { ...RECORDS.mx1, name: 'mail.example.test' }));
    expect(await authoritativeServers(network, 'mail.example.test')).toMatchObject({
      status: 'found', zone: 'example.test', servers: [{ addresses: ['127.0.0.1'] }],
    });
  });

  test('the name servers of an alias are those of its parent, not those of its target', async () => {
    const { network } = await worldOver([
      ...zone({}, { name: 'alias.example.test', type: 'CNAME', ttl: 1, data: 'other.test' }),
      { ...RECORDS.soa, name: 'other.test' }, { ...RECORDS.ns, name: 'other.test', data: 'ns.other.test' },
    ]);
    expect(await authoritativeServers(network, 'alias.example.test')).toMatchObject({ zone: 'example.test', servers: [{ name: 'ns1.example.test' }] });
  });

  test('the name servers are found without waiting for an unanswered query about a parent domain', async () => {
    const answer = zoneAnswers(zone());
    const { network } = await worldOver((question) => question.name === 'test' ? 'drop' : answer(question));
    expect(await authoritativeServers(network, 'example.test')).toMatchObject({ zone: 'example.test', servers: [{ addresses: ['127.0.0.1'] }] });
  });

  test.each(['A', 'AAAA'])('the name servers are found by one address family when %s queries are dropped', async (type) => {
    const address: DnsRecord = { name: 'ns1.example.test', type: 'AAAA', ttl: 300, data: '::1' };
    const answer = zoneAnswers(zone({}, address));
    const { network } = await worldOver((question) => question.type === type ? 'drop' : answer(question));
    expect(await authoritativeServers(network, 'example.test'))
      .toMatchObject({ status: 'found', servers: [{ addresses: [type === 'A' ? '::1' : '127.0.0.1'] }] });
  });
});

/** Ends all that waits. */
function timeUp(waiting: readonly (() => void)[]): void {
  waiting.forEach((end) => {
    end();
  });
}

describe('each server is asked', () => {
  test('a name server is queried at its next address when one is slow, and the answer says where it failed', async () => {
    const { port } = await loopback.dns(zone());
    const silent = 9;
    const { port: refusing } = await loopback.dns(() => ({ rcode: 'REFUSED', answers: [], authorities: [], authoritative: false }));
    const servers = [
      { name: 'ns1.test', addresses: [`127.0.0.1:${silent}`, `127.0.0.1:${port}`] },
      { name: 'ns2.test', addresses: [] },
      { name: `127.0.0.1:${port}`, addresses: [`127.0.0.1:${port}`] },
      { name: 'ns3\u001b.test', addresses: [`127.0.0.1:${silent}`] },
      { name: 'ns4.test', addresses: [`127.0.0.1:${refusing}`, `127.0.0.1:${silent}`, `127.0.0.1:${port}`] },
      { name: 'ns5.test', addresses: [`127.0.0.1:${refusing}`, `127.0.0.1:${refusing}`] },
      { name: 'ns6.test', addresses: [`127.0.0.1:${refusing}`, `127.0.0.1:${port}`] },
    ];
    const { resolver, clock } = worldOf(port);
    const waiting: (() => void)[] = [];
    const query: Resolver['query'] = (name, type, server) => {
      if (server !== `127.0.0.1:${silent}`) return resolver.query(name, type, server);
      return new Promise((resolve) => {
        waiting.push(() => {
          resolve({ status: 'failed', reason: 'no answer within 1 s', server, cnames: [] });
        });
        // The time is up nowhere before all are asked: one after the other would wait for ever.
        if (waiting.length === 3) setTimeout(timeUp, 300, waiting);
      });
    };
    expect(await askEach({ clock, resolver: { query } }, servers, 'mta-sts.example.test', 'A')).toMatchObject([
      { server: `ns1.test (127.0.0.1:${port})`, answer: { status: 'found' } },
      { server: 'ns2.test', answer: { status: 'failed', reason: 'its name has no address' } },
      { server: `127.0.0.1:${port}`, answer: { status: 'found' } },
      { server: `ns3\\x1b.test (127.0.0.1:${silent})`, answer: { status: 'failed', reason: 'no answer within 1 s' } },
      {
        server: `ns4.test (127.0.0.1:${refusing}, 127.0.0.1:${silent})`,
        answer: { status: 'failed', reason: `127.0.0.1:${refusing}: REFUSED; 127.0.0.1:${silent}: no answer within 1 s` },
      },
      { server: `ns5.test (127.0.0.1:${refusing}, 127.0.0.1:${refusing})`, answer: { status: 'failed', reason: 'REFUSED' } },
      { server: `ns6.test (127.0.0.1:${port})`, answer: { status: 'found' } },
    ]);
  });

  test('a name server is queried at one address only while that address answers at once', async () => {
    const { port } = await loopback.dns(zone());
    const second = await loopback.dns(zone(), '127.0.0.2');
    const clock = { now: () => Date.now(), sleep: never };
    const servers = [{ name: 'ns1.test', addresses: [`127.0.0.1:${port}`, `127.0.0.2:${second.port}`] }];
    expect(await askEach({ ...worldOf(port), clock }, servers, 'mta-sts.example.test', 'A')).toMatchObject([{ server: `ns1.test (127.0.0.1:${port})` }]);
    expect(second.queries).toEqual([]);
  });
});
