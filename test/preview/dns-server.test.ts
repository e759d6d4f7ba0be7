// The authoritative DNS server: its answers for names of its zones, and its reaction to unexpected messages.
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RECURSION_DESIRED, decode, encode, streamEncode } from 'dns-packet';
import type { Answer, DecodedPacket, Packet } from 'dns-packet';
import { startDnsServer, zoneAnswers } from '../../lib/preview/dns-server/server';
import type { DnsAnswerer, DnsRecord, DnsServer } from '../../lib/preview/dns-server/server';

const SOA = {
  type: 'SOA', ttl: 900,
  data: { mname: 'ns1.example.test', rname: 'hostmaster.example.test', serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 60 },
} as const;

const ZONE: readonly DnsRecord[] = [
  { name: 'example.test', ...SOA },
  { name: 'example.test.', type: 'NS', ttl: 300, data: 'ns1.example.test' },
  { name: 'Example.TEST', type: 'MX', ttl: 300, data: { preference: 10, exchange: 'mx1.example.test' } },
  { name: '_mta-sts.example.test', type: 'TXT', ttl: 300, data: ['v=STSv1; ', 'id=1;'] },
  { name: 'mta-sts.example.test', type: 'A', ttl: 300, data: '192.0.2.1' },
  { name: 'mta-sts.example.test', type: 'AAAA', ttl: 300, data: '2001:db8::1' },
  { name: 'alias.example.test', type: 'CNAME', ttl: 300, data: 'mta-sts.example.test' },
  { name: 'away.example.test', type: 'CNAME', ttl: 300, data: 'www.example.net' },
  { name: 'dangling.example.test', type: 'CNAME', ttl: 300, data: 'nothing.example.test' },
  { name: 'loop.example.test', type: 'CNAME', ttl: 300, data: 'loop.example.test' },
  { name: '*.wild.example.test', type: 'A', ttl: 300, data: '192.0.2.2' },
  { name: 'named.wild.example.test', type: 'TXT', ttl: 300, data: ['named'] },
  { name: 'sub.example.test', type: 'NS', ttl: 300, data: 'ns1.elsewhere.test' },
  { name: 'example.test', type: 'CAA', ttl: 300, data: { critical: true, tag: 'newtag', value: 'amazon.com' } },
  { name: 'big.example.test', type: 'TXT', ttl: 300, data: Array.from({ length: 8 }, () => 'x'.repeat(255)) },
  { name: 'other.test', ...SOA },
  { name: 'other.test', type: 'A', ttl: 300, data: '192.0.2.3' },
  { name: 'cross.other.test', type: 'CNAME', ttl: 300, data: 'mta-sts.example.test' },
];

let server: DnsServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(answer: DnsAnswerer = zoneAnswers(ZONE), address = '127.0.0.1'): Promise<DnsServer> {
  server = await startDnsServer({ address, answer });
  return server;
}

/** Sends a datagram and returns the reply. */
function udp(port: number, message: Uint8Array, wait = 20_000): Promise<Buffer | 'silence'> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const finish = (result: Buffer | 'silence'): void => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(finish, wait, 'silence');
    socket.on('message', finish);
    socket.on('error', reject);
    socket.send(message, port, '127.0.0.1');
  });
}

/** Sends chunks over TCP and returns the received bytes, until the number of messages has arrived or the server closes. */
function tcp(port: number, messages: number, ...chunks: Uint8Array[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      if (countMessages(Buffer.concat(received)) >= messages) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(Buffer.concat(received));
    });
  });
}

/** Counts complete messages. Each one follows its length (RFC 1035 §4.2.2). */
function countMessages(bytes: Buffer): number {
  const end = bytes.length < 2 ? Infinity : 2 + bytes.readUInt16BE(0);
  return bytes.length < end ? 0 : 1 + countMessages(bytes.subarray(end));
}

type QuestionType = NonNullable<Packet['questions']>[number]['type'];

function query(name: string, type: QuestionType, more: Partial<Packet> = {}): Buffer {
  return encode({ type: 'query', id: 4711, questions: [{ name, type }], ...more });
}

const EDNS = {
  type: 'OPT' as const, name: '.', udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [],
} satisfies Answer;

async function ask(name: string, type: QuestionType, more: Partial<Packet> = {}): Promise<DecodedPacket & { code: number }> {
  const { port } = server ?? await start();
  const reply = await udp(port, query(name, type, more));
  if (reply === 'silence') throw new Error('no reply');
  const packet = decode(reply);
  return { ...packet, code: (packet.flags ?? 0) & 0xf };
}

describe('invalid records', () => {
  test('the DNS server refuses records without a SOA record', () => {
    expect(() => zoneAnswers([])).toThrow('a zone needs a SOA record at its apex, found none');
  });

  test('the DNS server refuses a record outside of its zones', () => {
    expect(() => zoneAnswers([...ZONE, { name: 'example.net', type: 'A', ttl: 1, data: '192.0.2.1' }]))
      .toThrow('the record A at example.net is in none of the zones');
  });

  test('the DNS server refuses a character-string of 256 bytes', () => {
    expect(() => zoneAnswers([...ZONE, { name: 'a.example.test', type: 'TXT', ttl: 1, data: ['x'.repeat(256)] }]))
      .toThrow('a character-string has at most 255 bytes');
  });
});

describe('missing names and types', () => {
  test('the answer for a missing name is NXDOMAIN with the SOA record', async () => {
    const reply = await ask('nothing.example.test', 'A');
    expect(reply).toMatchObject({ code: 3, flag_aa: true, answers: [], authorities: [{ type: 'SOA', name: 'example.test', ttl: 900 }] });
  });

  test('the answer for a missing type is NODATA with the SOA record', async () => {
    expect(await ask('example.test', 'A')).toMatchObject({ code: 0, flag_aa: true, answers: [], authorities: [{ type: 'SOA' }] });
  });

  test('the answer for a name that only has names below it is NODATA', async () => {
    expect(await ask('wild.example.test', 'A')).toMatchObject({ code: 0, answers: [], authorities: [{ type: 'SOA' }] });
  });

  test('the answer for a name outside of the zones is REFUSED, also for the root', async () => {
    expect(await ask('example.net', 'A')).toMatchObject({ code: 5, flag_aa: false, answers: [] });
    expect(await ask('.', 'NS')).toMatchObject({ code: 5, flag_aa: false, answers: [] });
    expect(server?.queries.map(({ name }) => name)).toEqual(['example.net', '']);
  });

  test('the answer below a delegation is a referral to its name servers', async () => {
    expect(await ask('mta-sts.sub.example.test', 'A')).toMatchObject({
      code: 0, flag_aa: false, answers: [], authorities: [{ type: 'NS', name: 'sub.example.test', data: 'ns1.elsewhere.test' }],
    });
  });
});

describe('existing names', () => {
  test('the DNS server ignores the case of a name, and repeats the question unchanged', async () => {
    const reply = await ask('MTA-sts.EXAMPLE.test', 'A');
    expect(reply).toMatchObject({ id: 4711, code: 0, flag_aa: true, answers: [{ type: 'A', data: '192.0.2.1', ttl: 300 }] });
    expect(reply.questions).toMatchObject([{ name: 'MTA-sts.EXAMPLE.test' }]);
  });

  test('the answer to a question for ANY has every record of the name', async () => {
    const { port } = await start();
    const question = query('mta-sts.example.test', 'A');
    question.writeUInt16BE(255, question.length - 4);
    const reply = await udp(port, question);
    expect(reply === 'silence' ? reply : decode(reply).answers).toHaveLength(2);
  });

  test('the character-strings of a TXT record stay separate', async () => {
    const [answer] = (await ask('_mta-sts.example.test', 'TXT')).answers ?? [];
    expect(answer).toMatchObject({ data: [Buffer.from('v=STSv1; '), Buffer.from('id=1;')] });
  });

  test('the DNS server serves CAA records with any tag', async () => {
    const [answer] = (await ask('example.test', 'CAA')).answers ?? [];
    expect(answer).toMatchObject({ data: { issuerCritical: true, tag: 'newtag', value: 'amazon.com' } });
  });

  test('the DNS server serves IPv6 addresses and MX records', async () => {
    expect((await ask('mta-sts.example.test', 'AAAA')).answers).toMatchObject([{ data: '2001:db8::1' }]);
    expect((await ask('example.test', 'MX')).answers).toMatchObject([{ data: { preference: 10, exchange: 'mx1.example.test' } }]);
  });

  test('the records of a wildcard have the name of the question', async () => {
    expect((await ask('any.thing.wild.example.test', 'A')).answers).toMatchObject([{ name: 'any.thing.wild.example.test', data: '192.0.2.2' }]);
    expect(await ask('named.wild.example.test', 'A')).toMatchObject({ code: 0, answers: [] });
    expect(await ask('below.named.wild.example.test', 'A')).toMatchObject({ code: 3 });
  });
});

describe('an alias', () => {
  test('the DNS server follows an alias within its zones, also to another zone', async () => {
    expect((await ask('alias.example.test', 'A')).answers).toMatchObject([{ type: 'CNAME', data: 'mta-sts.example.test' }, { data: '192.0.2.1' }]);
    expect((await ask('cross.other.test', 'A')).answers).toMatchObject([{ type: 'CNAME' }, { data: '192.0.2.1' }]);
  });

  test('the answer is only the alias if its target is on another server, or if the question is for CNAME', async () => {
    expect(await ask('away.example.test', 'A')).toMatchObject({ code: 0, answers: [{ data: 'www.example.net' }], authorities: [] });
    expect((await ask('alias.example.test', 'CNAME')).answers).toHaveLength(1);
  });

  test('the answer for an alias to a missing name is NXDOMAIN with the alias', async () => {
    expect(await ask('dangling.example.test', 'A')).toMatchObject({ code: 3, answers: [{ type: 'CNAME' }], authorities: [{ type: 'SOA' }] });
  });

  test('the DNS server stops at an alias to itself after eight records', async () => {
    expect((await ask('loop.example.test', 'A')).answers).toHaveLength(8);
  });
});

describe('truncation', () => {
  test('an answer that is too large for UDP is truncated there and complete over TCP', async () => {
    const { port } = await start();
    expect(await ask('big.example.test', 'TXT', { additionals: [EDNS] })).toMatchObject({ flag_tc: true, answers: [] });
    const complete = await tcp(port, 1, streamEncode({ type: 'query', id: 1, questions: [{ name: 'big.example.test', type: 'TXT' }] }));
    expect(complete.readUInt16BE(0)).toBe(complete.length - 2);
    expect(decode(complete.subarray(2))).toMatchObject({ flag_tc: false, answers: [{ data: Array.from({ length: 8 }, () => Buffer.from('x'.repeat(255))) }] });
  });

  test('the answerer can truncate a short answer', async () => {
    await start(() => ({ rcode: 'NOERROR', answers: [], authorities: [], authoritative: true, truncated: true }));
    expect(await ask('example.test', 'A')).toMatchObject({ flag_tc: true });
    expect(server?.queries).toEqual([{ name: 'example.test', type: 'A', transport: 'udp', recursionDesired: false }]);
  });

  test('an answer over UDP can be larger for a client with EDNS', async () => {
    const twoStrings = { name: 'example.test', type: 'TXT', ttl: 1, data: ['x'.repeat(255), 'y'.repeat(255), 'z'.repeat(255)] } as const;
    await start(() => ({ rcode: 'NOERROR', answers: [twoStrings], authorities: [], authoritative: true }));
    expect((await ask('example.test', 'TXT')).flag_tc).toBe(true);
    const reply = await ask('example.test', 'TXT', { additionals: [EDNS] });
    expect(reply.flag_tc).toBe(false);
    expect(reply.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
  });
});

describe('malformed messages', () => {
  test('the answer to a malformed message is FORMERR over both transports', async () => {
    const { port } = await start();
    const header = Buffer.from([0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const reply = await udp(port, header);
    expect(reply.toString('hex')).toBe('123480010000000000000000');
    expect((await tcp(port, 1, Buffer.from([0, 12]), header)).toString('hex')).toBe('000c123480010000000000000000');
  });

  test('the DNS server sends no reply to a message without a complete header, or to a reply', async () => {
    const { port } = await start();
    expect(await udp(port, Buffer.from('short'), 50)).toBe('silence');
    expect(await udp(port, query('example.test', 'A', { type: 'response' }), 50)).toBe('silence');
    expect(await udp(port, Buffer.from([0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 50)).toBe('silence');
  });

  test('the answer is NOTIMP for another opcode and REFUSED for another class', async () => {
    expect(await ask('example.test', 'A', { flags: 4 << 11 })).toMatchObject({ code: 4 });
    expect(await ask('', 'A', { questions: [{ name: 'example.test', type: 'A', class: 'CH' }] })).toMatchObject({ code: 5 });
  });

  test('the DNS server survives a TXT record that ends before its strings', async () => {
    const { port } = await start();
    const hostile = Buffer.concat([
      query('example.test', 'TXT', {}), Buffer.from('00001000010000000000ff04', 'hex'), Buffer.from('00001000010000000000ff04', 'hex'),
    ]);
    hostile.writeUInt16BE(2, 10);
    expect((await udp(port, hostile)).toString('hex')).toMatch(/^12678001/);
  });
});

describe('the answerer', () => {
  test('the DNS server sends no reply if the answerer drops the question', async () => {
    const { port } = await start(() => 'drop');
    expect(await udp(port, query('example.test', 'A'), 50)).toBe('silence');
  });

  test('the answer is SERVFAIL if the answerer throws, or returns a record that cannot be encoded', async () => {
    const invalid: DnsRecord = { name: 'example.test', type: 'CAA', ttl: 1, data: { critical: false, tag: 'no tag', value: '' } };
    await start((question) => {
      if (question.type === 'CAA') return { rcode: 'NOERROR', answers: [invalid], authorities: [], authoritative: true };
      throw new Error('broken');
    });
    expect(await ask('example.test', 'A', { flags: RECURSION_DESIRED })).toMatchObject({ code: 2, flag_rd: true });
    expect(await ask('example.test', 'CAA')).toMatchObject({ code: 2 });
  });
});

describe('the server', () => {
  test('the DNS server answers several questions that arrive in pieces over one connection', async () => {
    const { port } = await start();
    const one = streamEncode({ type: 'query', id: 1, questions: [{ name: 'mta-sts.example.test', type: 'A' }] });
    const two = streamEncode({ type: 'query', id: 2, questions: [{ name: 'other.test', type: 'A' }] });
    const both = Buffer.concat([one, two]);
    const received = await tcp(port, 2, both.subarray(0, 1), both.subarray(1, 40), both.subarray(40));
    const second = 2 + received.readUInt16BE(0);
    expect(decode(received.subarray(2, second))).toMatchObject({ answers: [{ data: '192.0.2.1' }] });
    expect(decode(received.subarray(second + 2))).toMatchObject({ answers: [{ data: '192.0.2.3' }] });
  });

  test('the resolver of Node.js understands the DNS server over IPv6', async () => {
    const { port } = await start(zoneAnswers(ZONE), '::1');
    const resolver = new Resolver({ timeout: 20_000, tries: 1 });
    resolver.setServers([`[::1]:${port}`]);
    expect(await resolver.resolveTxt('_mta-sts.example.test')).toEqual([['v=STSv1; ', 'id=1;']]);
    expect((await resolver.resolveTxt('big.example.test')).map((strings) => strings.length)).toEqual([8]);
    await expect(resolver.resolveTxt('nothing.example.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  test('the DNS server remembers the last thousand questions', async () => {
    const { port, queries } = await start();
    const question = streamEncode({ type: 'query', id: 1, questions: [{ name: 'other.test', type: 'A' }] });
    await tcp(port, 1005, ...Array.from({ length: 1005 }, () => question));
    expect(queries).toHaveLength(1000);
  });

  test('the DNS server fails with EADDRINUSE if its port is in use', async () => {
    const { port } = await start();
    await expect(startDnsServer({ address: '127.0.0.1', port, answer: () => 'drop' })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('the DNS server finds a port that is free for both transports', async () => {
    const started = await Promise.all(Array.from({ length: 20 }, () => startDnsServer({ address: '127.0.0.1', answer: zoneAnswers(ZONE) })));
    expect(new Set(started.map(({ port }) => port)).size).toBe(20);
    await Promise.all(started.map((each) => each.close()));
  });

  test('the DNS server stops at once with an open connection and a pending answer, and a second stop has no effect', async () => {
    let release: () => void = () => undefined;
    const { port, close } = await start(() => new Promise((resolve) => {
      release = () => {
        resolve({ rcode: 'NOERROR', answers: [], authorities: [], authoritative: true });
      };
    }));
    const silence = udp(port, query('example.test', 'A'), 100);
    await new Promise<void>((connected) => {
      const socket = connect(port, '127.0.0.1', connected);
      socket.on('error', () => undefined);
    });
    while (server?.queries.length === 0) await new Promise((tick) => setImmediate(tick));
    await Promise.all([close(), close()]);
    release();
    expect(await silence).toBe('silence');
  });
});
