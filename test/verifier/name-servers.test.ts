// Finding a zone's name servers, without ever asking a recursive resolver for a name below the domain.
import { afterEach, describe, expect, test } from '@jest/globals';
import type { DnsRecord } from '../../lib/preview/dns-server';
import { askEach, authoritativeServers } from '../../lib/verifier/name-servers';
import { createResolver } from '../../lib/verifier/resolver';
import type { Resolver } from '../../lib/verifier/resolver';
import { Loopback, RECORDS, zone } from '../support/domain';

const loopback = new Loopback();
afterEach(() => loopback.close());

async function resolverOver(records: readonly DnsRecord[]): Promise<{ resolver: Resolver; asked: () => string[] }> {
  const { port, queries } = await loopback.dns(records);
  const resolver = createResolver({ servers: [`127.0.0.1:${port}`], timeoutMs: 5000, tries: 1 });
  return { resolver, asked: () => queries.map(({ name, type }) => `${name} ${type}`).sort() };
}

describe('the name servers are not known', () => {
  test('when DNS does not answer', async () => {
    const { port } = await loopback.dns(() => ({ rcode: 'SERVFAIL', answers: [], authorities: [], authoritative: false }));
    const resolver = createResolver({ servers: [`127.0.0.1:${port}`] });
    expect(await authoritativeServers(resolver, 'example.test')).toEqual({ status: 'failed', reason: 'example.test NS: SERVFAIL' });
  });

  test('when neither the domain nor a parent has NS records', async () => {
    const { resolver } = await resolverOver([{ ...RECORDS.soa, name: 'test' }]);
    expect(await authoritativeServers(resolver, 'example.test')).toEqual({ status: 'failed', reason: 'neither example.test nor a domain above it has NS records' });
  });
});

describe('the name servers are found', () => {
  test('at the domain itself, sorted, with their addresses and port', async () => {
    const { resolver, asked } = await resolverOver(zone(
      {}, { ...RECORDS.ns, data: 'NS0.example.test.' },
      { ...RECORDS.nsAddress, name: 'ns0.example.test', type: 'AAAA', data: '2001:db8::53' },
      { ...RECORDS.nsAddress, name: 'ns0.example.test', data: '192.0.2.2' },
      { ...RECORDS.nsAddress, name: 'ns0.example.test', data: '192.0.2.1' },
    ));
    expect(await authoritativeServers(resolver, 'example.test', 5353)).toEqual({
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

  test('at a parent of a sub-domain that is no zone of its own', async () => {
    const { resolver } = await resolverOver(zone({}, { ...RECORDS.mx1, name: 'mail.example.test' }));
    expect(await authoritativeServers(resolver, 'mail.example.test')).toMatchObject({
      status: 'found', zone: 'example.test', servers: [{ addresses: ['127.0.0.1'] }],
    });
  });

  test('at the parent when the domain is an alias: those of its target are others', async () => {
    const { resolver } = await resolverOver([
      ...zone({}, { name: 'alias.example.test', type: 'CNAME', ttl: 1, data: 'other.test' }),
      { ...RECORDS.soa, name: 'other.test' }, { ...RECORDS.ns, name: 'other.test', data: 'ns.other.test' },
    ]);
    expect(await authoritativeServers(resolver, 'alias.example.test')).toMatchObject({ zone: 'example.test', servers: [{ name: 'ns1.example.test' }] });
  });
});

describe('each server is asked', () => {
  test('at its next address when one does not answer', async () => {
    const { port } = await loopback.dns(zone());
    const { port: silent } = await loopback.dns(() => 'drop', '127.0.0.1');
    const resolver = createResolver({ servers: [], timeoutMs: 300, tries: 1 });
    const servers = [
      { name: 'ns1.test', addresses: [`127.0.0.1:${silent}`, `127.0.0.1:${port}`] },
      { name: 'ns2.test', addresses: [] },
      { name: `127.0.0.1:${port}`, addresses: [`127.0.0.1:${port}`] },
      { name: 'ns3\u001b.test', addresses: [`127.0.0.1:${silent}`] },
    ];
    expect(await askEach(resolver, servers, 'mta-sts.example.test', 'A')).toMatchObject([
      { server: `ns1.test (127.0.0.1:${port})`, answer: { status: 'found' } },
      { server: 'ns2.test', answer: { status: 'failed', reason: 'its name has no address' } },
      { server: `127.0.0.1:${port}`, answer: { status: 'found' } },
      { server: `ns3\\x1b.test (127.0.0.1:${silent})`, answer: { status: 'failed', reason: 'no answer within 300 ms' } },
    ]);
  });
});
