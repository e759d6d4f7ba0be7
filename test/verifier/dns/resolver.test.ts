// The resolver against real servers: "there is none" is never mixed up with "no answer", whatever a server sends.
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { getMaxListeners } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { decode, encode } from 'dns-packet';
import type { OptAnswer, Packet } from 'dns-packet';
import type { DnsRecord, DnsReply } from '../../../lib/preview/dns-server/server';
import { createFetchPolicy } from '../../../lib/verifier/https/policy-fetch';
import { createResolver } from '../../../lib/verifier/dns/resolver';
import type { DnsAnswer, DnsType } from '../../../lib/verifier/dns/answer';
import type { Resolver, ResolverOptions } from '../../../lib/verifier/dns/resolver';
import { Loopback, RECORDS, zone } from '../../support/domain';
import { until } from '../../support/waiting';

const loopback = new Loopback();
const open: (Socket | Server)[] = [];

afterEach(async () => {
  await loopback.close();
  await Promise.all(open.splice(0).map((each) => new Promise<void>((done) => {
    each.close(() => {
      done();
    });
  })));
});

/** A server that sends what a test wants: `reply` makes the datagrams from the query. */
async function rawServer(reply: (query: Buffer, send: (message: Uint8Array) => void) => void, port = 0): Promise<string> {
  const socket = createSocket('udp4');
  open.push(socket);
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    reply(query, (message) => {
      socket.send(message, from.port, from.address);
    });
  });
  await new Promise<void>((bound) => socket.bind(port, '127.0.0.1', bound));
  return `127.0.0.1:${socket.address().port}`;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
    });
  });
}

/** A well-formed answer to a query, changed in some way. */
function answerTo(query: Buffer, change: Partial<Packet> = {}): Buffer {
  const { id, questions } = decode(query);
  return encode({
    type: 'response', id, questions, flags: 0x400,
    answers: [{ type: 'A', name: 'example.test', ttl: 60, data: '192.0.2.1' }],
    ...change,
  });
}

function resolver(servers: readonly string[], more: ResolverOptions = {}): Resolver {
  return createResolver({ servers, timeoutMs: 30_000, tries: 1, ...more });
}

async function ask<T extends DnsType>(server: string, type: T, name = 'example.test', more: ResolverOptions = {}): Promise<DnsAnswer<T>> {
  return resolver([server], more).query(name, type);
}

const reply = (change: Partial<DnsReply>) => (): DnsReply => ({ rcode: 'NOERROR', answers: [], authorities: [], authoritative: true, ...change });

describe('no answer is a failure that says why, and never "there is none"', () => {
  test.each(['SERVFAIL', 'REFUSED', 'NOTIMP', 'FORMERR'] as const)('the response code %s is a failure, and never "no such record"', async (rcode) => {
    const { port } = await loopback.dns(reply({ rcode, authoritative: false }));
    expect(await ask(`127.0.0.1:${port}`, 'A')).toEqual({ status: 'failed', reason: rcode, server: `127.0.0.1:${port}`, cnames: [] });
  });

  test('a response code without a name is a failure', async () => {
    const server = await rawServer((query, send) => {
      send(answerTo(query, { flags: 11, answers: [] }));
    });
    expect(await ask(server, 'A')).toMatchObject({ status: 'failed', reason: 'response code 11' });
  });

  const opt = (extendedRcode: number): OptAnswer => ({
    type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode, ednsVersion: 0, flags: 0, flag_do: false, options: [],
  });

  // The four bits of the header alone would be "no error", "no such name" and FORMERR.
  test.each([[16, 'BADVERS'], [17, 'BADKEY'], [19, 'BADMODE'], [23, 'BADCOOKIE'], [35, 'response code 35'], [4083, 'response code 4083']])(
    'the extended response code %i is a failure, also with a record in the response', async (code, reason) => {
      for (const recursive of [true, false]) {
        const server = await rawServer((query, send) => {
          send(answerTo(query, { flags: 0x400 | (code & 0xf), additionals: [opt(code >> 4)] }));
        });
        for (const type of ['A', 'TXT', 'MX', 'NS', 'CNAME', 'TLSA'] as const) {
          const answer = await (recursive ? ask(server, type) : resolver([]).query('example.test', type, server));
          expect({ type, recursive, answer }).toMatchObject({ answer: { status: 'failed', reason } });
        }
      }
    });

  test('an extended response code without any record is a failure', async () => {
    const server = await rawServer((query, send) => {
      send(answerTo(query, { flags: 3, answers: [], additionals: [opt(1)] }));
    });
    expect(await ask(server, 'A')).toMatchObject({ status: 'failed', reason: 'BADMODE' });
  });

  test('a response with more records than the limit is a failure that gives their number, and is not called malformed', async () => {
    const server = await rawServer((query, send) => {
      const answers = Array.from({ length: 600 }, () => ({ type: 'A', name: 'example.test', data: '192.0.2.1' } as const));
      send(answerTo(query, { answers }));
    });
    expect(await ask(server, 'A')).toMatchObject({ status: 'failed', reason: 'the answer holds too many records: 600, of which at most 512 are read' });
  });

  test('a silent server is a failure after the configured number of tries', async () => {
    const { port, queries } = await loopback.dns(() => 'drop');
    expect(await ask(`127.0.0.1:${port}`, 'A', 'example.test', { tries: 2, timeoutMs: 60 })).toMatchObject({ status: 'failed', reason: 'no answer within 60 ms' });
    await until(() => queries.length >= 2);
    expect(queries).toHaveLength(2);
  });

  test('a closed port is a failure long before the timeout', async () => {
    const { port, close } = await loopback.dns(() => 'drop');
    await close();
    expect(await ask(`127.0.0.1:${port}`, 'A', 'example.test', { timeoutMs: 120_000 })).toMatchObject({ status: 'failed', reason: 'connection refused' });
  });

  test('a response of random bytes is a failure', async () => {
    const server = await rawServer((query, send) => {
      send(Buffer.concat([query.subarray(0, 2), Buffer.from('\x80\x00garbage that is no message at all', 'latin1')]));
    });
    expect(await ask(server, 'A')).toMatchObject({ status: 'failed', reason: 'malformed answer' });
  });

  test('a response with a wrong id or question, and a query in place of a response, are ignored', async () => {
    const server = await rawServer((query, send) => {
      const { id = 0 } = decode(query);
      send(Buffer.from('short'));
      send(answerTo(query, { id: (id + 1) & 0xffff }));
      send(answerTo(query, { questions: [{ name: 'other.test', type: 'A' }] }));
      send(answerTo(query, { questions: [{ name: 'example.test', type: 'AAAA' }] }));
      send(answerTo(query, { questions: [{ name: 'example.test', type: 'A', class: 'CH' }] }));
      send(answerTo(query, { type: 'query' }));
    });
    expect(await ask(server, 'A', 'example.test', { timeoutMs: 200 })).toMatchObject({ status: 'failed', reason: 'no answer within 200 ms' });
  });

  test('a referral by a resolver without recursion is a failure', async () => {
    const { port } = await loopback.dns(reply({ authoritative: false, authorities: [RECORDS.ns] }));
    expect(await ask(`127.0.0.1:${port}`, 'A')).toMatchObject({ status: 'failed', reason: 'refers to other servers, as one that does no recursion' });
  });

  test('an empty answer of a name server that is not responsible is a failure', async () => {
    const { port } = await loopback.dns(reply({ authoritative: false }));
    expect(await resolver([]).query('example.test', 'A', `127.0.0.1:${port}`)).toMatchObject({ status: 'failed', reason: 'not authoritative for this name' });
  });

  test('an answer of a name server that is not responsible is a failure, also with records or an alias in it', async () => {
    for (const answers of [[RECORDS.sts], [{ name: RECORDS.sts.name, type: 'CNAME', ttl: 1, data: 'other.example.test' } as const]]) {
      const { port } = await loopback.dns(reply({ authoritative: false, answers }));
      expect(await resolver([]).query(RECORDS.sts.name, 'TXT', `127.0.0.1:${port}`))
        .toEqual({ status: 'failed', reason: 'not authoritative for this name', server: `127.0.0.1:${port}`, cnames: [] });
    }
  });

  test.each([
    [5, 'REFUSED'], [2, 'SERVFAIL'], [4, 'NOTIMP'], [11, 'response code 11'],
    // Those say what there is, and must say of what.
    [0, 'malformed answer'], [3, 'malformed answer'],
  ])('a response of only a header with response code %i is a failure', async (code, reason) => {
    const server = await rawServer((query, send) => {
      send(Buffer.concat([query.subarray(0, 2), Buffer.from([0x80, code]), Buffer.alloc(8)]));
    });
    expect(await ask(server, 'A')).toMatchObject({ status: 'failed', reason });
  });

  test('a query without any server is a failure', async () => {
    expect(await resolver([]).query('example.test', 'A')).toEqual({ status: 'failed', reason: 'no DNS server is known to ask', server: 'no server', cnames: [] });
  });

  test('a server address that is none is a failure', async () => {
    expect(await resolver([]).query('example.test', 'A', 'no server')).toMatchObject({ status: 'failed', server: 'no server' });
  });

  test('a server whose name has no address is a failure', async () => {
    // A label of 64 characters fits into no question, so the system gives up before it asks anybody.
    const host = `${'a'.repeat(64)}.invalid`;
    expect(await ask(host, 'A', 'example.test')).toMatchObject({ status: 'failed', reason: `no address is known for the DNS server ${host}` });
  });

  test.each(['a..b', '.a', `${'a'.repeat(64)}.test`, `${'a.'.repeat(127)}test`, 'with blank.test', 'ümlaut.test'])('a query for %j, which is no name, is a failure', async (name) => {
    const { port, queries } = await loopback.dns(zone());
    expect(await ask(`127.0.0.1:${port}`, 'A', name)).toMatchObject({ status: 'failed' });
    expect(queries).toHaveLength(0);
  });

  test('a cancelled query is a failure, whether it was sent or not', async () => {
    const { port } = await loopback.dns(() => 'drop');
    const called = new AbortController();
    const answer = ask(`127.0.0.1:${port}`, 'A', 'example.test', { signal: called.signal });
    called.abort();
    expect(await answer).toMatchObject({ status: 'failed', reason: 'cancelled' });
    expect(await ask(`127.0.0.1:${port}`, 'A', 'example.test', { signal: called.signal })).toMatchObject({ reason: 'cancelled' });
  });
});

describe('a signal that is given', () => {
  test('the signal of a query may have more than ten listeners without a warning of Node.js', () => {
    const [forDns, forHttps] = [new AbortController().signal, new AbortController().signal];
    expect(getMaxListeners(forDns)).toBeLessThan(100);
    createResolver({ servers: [], signal: forDns });
    createFetchPolicy({ signal: forHttps });
    expect([forDns, forHttps].map((signal) => getMaxListeners(signal))).toEqual([Infinity, Infinity]);
  });
});

describe('a server that is written wrongly', () => {
  test('a malformed server address is refused when the resolver is created', () => {
    expect(() => createResolver({ servers: ['dns.example:http'] })).toThrow(RangeError);
  });
});

describe('"there is none"', () => {
  test('a resolver distinguishes a name that does not exist from one without the type, and says how long that may be cached', async () => {
    const { port } = await loopback.dns(zone());
    expect(await ask(`127.0.0.1:${port}`, 'A', 'nothing.example.test'))
      .toEqual({ status: 'empty', reason: 'NXDOMAIN', authoritative: true, ttl: 60, server: `127.0.0.1:${port}`, cnames: [] });
    expect(await ask(`127.0.0.1:${port}`, 'AAAA', 'mta-sts.example.test')).toMatchObject({ status: 'empty', reason: 'NODATA', ttl: 60 });
  });

  test('NXDOMAIN means that the name does not exist, whatever records the response has', async () => {
    const { port } = await loopback.dns(reply({ rcode: 'NXDOMAIN', answers: [RECORDS.sts] }));
    const expected = { status: 'empty', reason: 'NXDOMAIN', cnames: [] };
    expect(await ask(`127.0.0.1:${port}`, 'TXT', RECORDS.sts.name)).toMatchObject(expected);
    expect(await resolver([]).query(RECORDS.sts.name, 'TXT', `127.0.0.1:${port}`)).toMatchObject(expected);
  });

  test('NXDOMAIN at the end of an alias chain means that the name does not exist', async () => {
    const answers: DnsRecord[] = [{ name: 'a.example.test', type: 'CNAME', ttl: 1, data: RECORDS.sts.name }, RECORDS.sts];
    const { port } = await loopback.dns(reply({ rcode: 'NXDOMAIN', answers }));
    expect(await ask(`127.0.0.1:${port}`, 'TXT', 'a.example.test')).toMatchObject({ status: 'empty', reason: 'NXDOMAIN', cnames: [RECORDS.sts.name] });
    expect(await ask(`127.0.0.1:${port}`, 'CNAME', 'a.example.test')).toMatchObject({ status: 'empty', reason: 'NXDOMAIN' });
  });

  test('a negative answer needs no SOA record', async () => {
    const { port } = await loopback.dns(reply({}));
    expect(await ask(`127.0.0.1:${port}`, 'A')).toEqual({ status: 'empty', reason: 'NODATA', authoritative: true, server: `127.0.0.1:${port}`, cnames: [] });
  });

  test('records of other names and classes count as no records', async () => {
    const server = await rawServer((query, send) => {
      send(answerTo(query, {
        answers: [
          { type: 'A', name: 'other.test', ttl: 60, data: '192.0.2.1' },
          { type: 'A', name: 'example.test', class: 'CH', ttl: 60, data: '192.0.2.1' },
        ],
      }));
    });
    expect(await ask(server, 'A')).toMatchObject({ status: 'empty', reason: 'NODATA' });
  });
});

describe('what is found', () => {
  test('an answer has the records, the smallest TTL and the server that gave it', async () => {
    const { port } = await loopback.dns(zone({}, { ...RECORDS.address, ttl: 20, data: '127.0.0.2' }));
    expect(await ask(`127.0.0.1:${port}`, 'A', 'MTA-STS.example.test.')).toEqual({
      status: 'found', records: ['127.0.0.1', '127.0.0.2'], ttl: 20, authoritative: true, server: `127.0.0.1:${port}`, cnames: [],
    });
  });

  test('an answer has one form for each record type', async () => {
    const more: DnsRecord[] = [
      { name: 'v6.example.test', type: 'AAAA', ttl: 1, data: '2001:DB8:0:0::1' },
      { name: 'caa.example.test', type: 'CAA', ttl: 1, data: { critical: true, tag: 'issue', value: 'amazon.com' } },
      { name: 'alias.example.test', type: 'CNAME', ttl: 1, data: 'Target.Test' },
      { name: 'null.example.test', type: 'MX', ttl: 1, data: { preference: 0, exchange: '.' } },
      { name: 'latin.example.test', type: 'TXT', ttl: 1, data: ['a', 'caf\xe9'] },
      { name: 'split.example.test', type: 'TXT', ttl: 1, data: ['v\xe2\x80', '\x91w'] },
    ];
    const { port } = await loopback.dns(zone({}, ...more));
    const records = async (name: string, type: DnsType): Promise<unknown> => {
      const answer = await ask(`127.0.0.1:${port}`, type, name);
      return answer.status === 'found' ? answer.records : answer;
    };
    expect(await records('v6.example.test', 'AAAA')).toEqual(['2001:db8::1']);
    expect(await records('caa.example.test', 'CAA')).toEqual([{ critical: true, tag: 'issue', value: 'amazon.com' }]);
    expect(await records('alias.example.test', 'CNAME')).toEqual(['target.test']);
    expect(await records('null.example.test', 'MX')).toEqual([{ preference: 0, exchange: '' }]);
    expect(await records('latin.example.test', 'TXT')).toEqual([['a', 'caf\udce9']]);
    expect(await records('split.example.test', 'TXT')).toEqual([['v\u2011w']]);
    expect(await records('example.test', 'NS')).toEqual(['ns1.example.test']);
  });

  test('a TTL with its highest bit set counts as zero', async () => {
    const { port } = await loopback.dns(zone({ address: { ...RECORDS.address, ttl: 0xffffffff } }));
    expect(await ask(`127.0.0.1:${port}`, 'A', 'mta-sts.example.test')).toMatchObject({ ttl: 0 });
  });

  test('an answer that is too large for UDP is fetched over TCP', async () => {
    const { port, queries } = await loopback.dns(zone({ sts: { ...RECORDS.sts, data: Array.from({ length: 8 }, () => 'x'.repeat(250)) } }));
    expect(await ask(`127.0.0.1:${port}`, 'TXT', '_mta-sts.example.test')).toMatchObject({ status: 'found', records: [Array.from({ length: 8 }, () => 'x'.repeat(250))] });
    expect(queries.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
  });

  test('the second server is queried when the first one fails', async () => {
    const bad = await loopback.dns(reply({ rcode: 'SERVFAIL' }));
    const good = await loopback.dns(zone());
    expect(await resolver([`127.0.0.1:${bad.port}`, `127.0.0.1:${good.port}`], { tries: 2 }).query('mta-sts.example.test', 'A'))
      .toMatchObject({ status: 'found', server: `127.0.0.1:${good.port}` });
    expect(bad.queries).toHaveLength(1);
  });

  test('a lost query is sent again', async () => {
    let queries = 0;
    const server = await rawServer((query, send) => {
      queries += 1;
      if (queries > 1) send(answerTo(query));
    });
    expect(await ask(server, 'A', 'example.test', { tries: 40, timeoutMs: 500 })).toMatchObject({ status: 'found' });
  });

  test('a server that does not know EDNS is queried without it', async () => {
    const server = await rawServer((query, send) => {
      const { additionals, id } = decode(query);
      send(additionals?.length === 0 ? answerTo(query) : encode({ type: 'response', id, flags: 1 }));
    });
    expect(await ask(server, 'A')).toMatchObject({ status: 'found', records: ['192.0.2.1'] });
  });

  test('a server can be queried over IPv6, and can be given by its name', async () => {
    const { port } = await loopback.dns(zone(), '::1');
    expect(await ask(`[::1]:${port}`, 'A', 'mta-sts.example.test')).toMatchObject({ status: 'found', server: `[::1]:${port}` });
    const v4 = await loopback.dns(zone());
    expect(await ask(`localhost:${v4.port}`, 'A', 'mta-sts.example.test')).toMatchObject({ server: `localhost:${v4.port}` });
  });

  test('a query to a recursive server asks for recursion, one to a named server does not', async () => {
    const { port, queries } = await loopback.dns(zone());
    const both = resolver([`127.0.0.1:${port}`]);
    await both.query('mta-sts.example.test', 'A');
    await both.query('mta-sts.example.test', 'A', `127.0.0.1:${port}`);
    expect(queries.map(({ recursionDesired }) => recursionDesired)).toEqual([true, false]);
  });

  test('the resolver of the system is used when no server is given', () => {
    expect(() => createResolver()).not.toThrow();
  });
});

describe('aliases', () => {
  const alias = (name: string, data: string): DnsRecord => ({ name, type: 'CNAME', ttl: 30, data });

  test('an alias loop is a failure', async () => {
    const { port } = await loopback.dns(zone({}, alias('a.example.test', 'b.example.test'), alias('b.example.test', 'a.example.test')));
    expect(await ask(`127.0.0.1:${port}`, 'A', 'a.example.test')).toMatchObject({ status: 'failed', reason: 'CNAME loop at a.example.test' });
  });

  test('an endless alias chain is a failure', async () => {
    let next = 0;
    const { port, queries } = await loopback.dns((question) => reply({ answers: [alias(question.name, `n${next += 1}.test`)] })());
    expect(await ask(`127.0.0.1:${port}`, 'A')).toMatchObject({ status: 'failed', reason: 'more than 8 CNAMEs in a row' });
    expect(queries.length).toBeLessThan(12);
  });

  test('an alias chain without records is an empty answer that says where it leads', async () => {
    const { port } = await loopback.dns(zone({}, alias('a.example.test', 'gone.example.test')));
    expect(await ask(`127.0.0.1:${port}`, 'A', 'a.example.test')).toMatchObject({ status: 'empty', reason: 'NXDOMAIN', cnames: ['gone.example.test'] });
  });

  test('aliases within one response are followed, with the smallest TTL of the chain', async () => {
    const { port, queries } = await loopback.dns(zone({}, alias('a.example.test', 'b.example.test'), alias('b.example.test', 'mta-sts.example.test')));
    expect(await ask(`127.0.0.1:${port}`, 'A', 'a.example.test'))
      .toMatchObject({ status: 'found', records: ['127.0.0.1'], ttl: 30, cnames: ['b.example.test', 'mta-sts.example.test'] });
    expect(queries).toHaveLength(1);
  });

  test('an alias that leaves the zone of a named server is followed by the recursive resolver', async () => {
    const own = await loopback.dns(zone({}, alias('a.example.test', 'away.other.test')));
    const recursive = await loopback.dns([{ ...RECORDS.soa, name: 'other.test' }, { name: 'away.other.test', type: 'A', ttl: 300, data: '192.0.2.9' }]);
    expect(await resolver([`127.0.0.1:${recursive.port}`]).query('a.example.test', 'A', `127.0.0.1:${own.port}`))
      .toMatchObject({ status: 'found', records: ['192.0.2.9'], ttl: 30, cnames: ['away.other.test'], server: `127.0.0.1:${recursive.port}` });
    expect(recursive.queries).toEqual([{ name: 'away.other.test', type: 'A', transport: 'udp', recursionDesired: true }]);
  });

  test('an alias with an unavailable target is a failure', async () => {
    const own = await loopback.dns(zone({}, alias('a.example.test', 'away.other.test')));
    expect(await resolver([]).query('a.example.test', 'A', `127.0.0.1:${own.port}`)).toMatchObject({ status: 'failed', cnames: ['away.other.test'] });
  });
});

describe('over TCP', () => {
  /** Says "truncated" over UDP, and serves bytes over TCP on the same port. */
  async function truncating(serve: (query: Buffer) => Buffer | undefined, end = true): Promise<string> {
    const tcp = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => {
        const bytes = serve(data.subarray(2));
        if (bytes !== undefined) socket.write(bytes);
        if (end) socket.end();
      });
    });
    open.push(tcp);
    const port = await listen(tcp);
    return rawServer((query, send) => {
      send(answerTo(query, { flags: 0x200, answers: [] }));
    }, port);
  }

  const framed = (message: Buffer): Buffer => Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]);

  test('a closed port is a failure over TCP', async () => {
    const server = await rawServer((query, send) => {
      send(answerTo(query, { flags: 0x200 }));
    });
    expect(await ask(server, 'A')).toMatchObject({ status: 'failed', reason: 'connection refused over TCP' });
  });

  test('an answer that ends early is a failure over TCP', async () => {
    const server = await truncating((query) => framed(answerTo(query)).subarray(0, 20));
    expect(await ask(server, 'A')).toMatchObject({ status: 'failed', reason: 'connection closed in the middle of an answer over TCP' });
  });

  test('a silent server is a failure over TCP', async () => {
    const server = await truncating(() => undefined);
    expect(await ask(server, 'A')).toMatchObject({ status: 'failed', reason: 'connection closed in the middle of an answer over TCP' });
  });

  test('an answer to another query, or one that is truncated again, is a failure over TCP', async () => {
    expect(await ask(await truncating((query) => framed(answerTo(query, { id: 0, questions: [] }))), 'A')).toMatchObject({ status: 'failed', reason: 'malformed answer' });
    expect(await ask(await truncating((query) => framed(answerTo(query, { flags: 0x200 }))), 'A')).toMatchObject({ status: 'failed', reason: 'malformed answer' });
  });

  test('an extended response code is a failure over TCP', async () => {
    const additionals: OptAnswer[] = [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 1, ednsVersion: 0, flags: 0, flag_do: false, options: [] }];
    expect(await ask(await truncating((query) => framed(answerTo(query, { additionals }))), 'A')).toMatchObject({ status: 'failed', reason: 'BADVERS' });
  });

  test('an answer over TCP may arrive in pieces', async () => {
    const tcp = createServer((socket) => {
      socket.on('data', (data: Buffer) => {
        const answer = framed(answerTo(data.subarray(2)));
        socket.write(answer.subarray(0, 1));
        setTimeout(() => socket.end(answer.subarray(1)), 10);
      });
    });
    open.push(tcp);
    const port = await listen(tcp);
    const server = await rawServer((query, send) => {
      send(answerTo(query, { flags: 0x200, answers: [] }));
    }, port);
    expect(await ask(server, 'A')).toMatchObject({ status: 'found', records: ['192.0.2.1'] });
  });
});
