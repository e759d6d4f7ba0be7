// An authoritative DNS server on UDP and TCP of one port: what a preview answers DNS with, and what the tests ask.
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Server as TcpServer, Socket as TcpSocket } from 'node:net';
import { AUTHORITATIVE_ANSWER, RECURSION_DESIRED, TRUNCATED_RESPONSE, encode, streamEncode } from 'dns-packet';
import type { DecodedPacket, OptAnswer, Packet } from 'dns-packet';
import { decodeMessage } from '../../verifier/dns/message';
import { RCODES } from './question';
import type { DnsAnswerer, DnsQuestion, DnsReply } from './question';
import { toWire } from './records';

export type { DnsAnswerer, DnsQuestion, DnsReply } from './question';
export type { DnsRecord } from './records';
export { zoneAnswers } from './message';

/** A question that came in, for a log. */
export interface DnsQuery extends DnsQuestion {
  readonly transport: 'udp' | 'tcp';
  /** Whether the client asked for recursion. */
  readonly recursionDesired: boolean;
}

export interface DnsServerOptions {
  /** IPv4 or IPv6 address to listen on. */
  readonly address: string;
  /** @default - any free one */
  readonly port?: number;
  readonly answer: DnsAnswerer;
}

export interface DnsServer {
  readonly address: string;
  readonly port: number;
  /** The questions so far, of a long run the last thousand. */
  readonly queries: readonly DnsQuery[];
  /** Stops at once; open connections are cut. */
  close(): Promise<void>;
}

/** Without EDNS (RFC 1035 §4.2.1), and the most that is sent with it: what no path fragments (RFC 9715 §3.1). */
const UDP_SIZE = { plain: 512, edns: 1232 } as const;

/** @throws the system's error when the port cannot be had */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const service = new Service(options.answer);
  const { udp, tcp, port } = await bind(service, options);
  let closing: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    service.cutConnections();
    await Promise.all([closed(udp), closed(tcp)]);
  };
  return {
    address: options.address,
    port,
    queries: service.queries,
    close: () => closing ??= stop(),
  };
}

/** UDP and TCP have ports of their own: one that is free for TCP may be taken for UDP, and then another one is tried. */
async function bind(service: Service, options: DnsServerOptions): Promise<{ udp: UdpSocket; tcp: TcpServer; port: number }> {
  const { address, port: wanted = 0 } = options;
  for (let attempt = 1; ; attempt += 1) {
    const tcp = await service.listenTcp(address, wanted);
    try {
      const bound = tcp.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : wanted;
      return { tcp, port, udp: await service.listenUdp(address, port) };
    } catch (error) {
      await closed(tcp);
      if (wanted !== 0 || attempt === 10) throw error;
    }
  }
}

/** What both transports share. */
class Service {
  public readonly queries: DnsQuery[] = [];
  private readonly connections = new Set<TcpSocket>();

  public constructor(private readonly answer: DnsAnswerer) {}

  public listenUdp(address: string, port: number): Promise<UdpSocket> {
    return new Promise((resolve, reject) => {
      const udp = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', ipv6Only: address.includes(':') });
      udp.once('error', reject);
      udp.on('message', (message, from) => {
        void this.reply(message, 'udp').then((packet) => {
          if (packet === undefined) return;
          // A client that is gone, or a server that is closing, is no fault.
          try {
            udp.send(packet, from.port, from.address, ignore);
          } catch {
            ignore();
          }
        });
      });
      udp.bind({ address, port, exclusive: true }, () => {
        udp.on('error', ignore);
        resolve(udp);
      });
    });
  }

  public listenTcp(address: string, port: number): Promise<TcpServer> {
    return new Promise((resolve, reject) => {
      const tcp = createServer((connection) => {
        this.serve(connection);
      });
      tcp.maxConnections = 100;
      tcp.once('error', reject);
      tcp.listen({ host: address, port, ipv6Only: true }, () => {
        resolve(tcp);
      });
    });
  }

  public cutConnections(): void {
    for (const connection of this.connections) connection.destroy();
  }

  /** Several questions may come over one connection, each after its length (RFC 1035 §4.2.2). */
  private serve(connection: TcpSocket): void {
    let pending = Buffer.alloc(0);
    this.connections.add(connection);
    connection.on('close', () => this.connections.delete(connection));
    connection.on('error', ignore);
    connection.setTimeout(10_000, () => connection.destroy());
    connection.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        const message = pending.subarray(2, end);
        pending = pending.subarray(end);
        void this.reply(message, 'tcp').then((packet) => {
          if (packet !== undefined) connection.write(packet);
        });
      }
    });
  }

  /** Never rejects. */
  private async reply(message: Buffer, transport: DnsQuery['transport']): Promise<Buffer | undefined> {
    const query = decodeMessage(message);
    // Never answer an answer, or two servers would talk for ever.
    if (query === undefined || query.flag_qr) return query === undefined && isQuery(message) ? malformed(message, transport) : undefined;
    const reply = await this.ask(query, transport);
    if (reply === 'drop') return undefined;
    try {
      return encodeReply(query, reply, transport);
    } catch {
      return encodeReply(query, failure('SERVFAIL'), transport);
    }
  }

  private async ask(query: DecodedPacket, transport: DnsQuery['transport']): Promise<DnsReply | 'drop'> {
    const [asked] = query.questions ?? [];
    if (asked === undefined) return failure('FORMERR');
    const question = { name: asked.name === '.' ? '' : asked.name, type: asked.type };
    this.queries.push({ ...question, transport, recursionDesired: query.flag_rd });
    if (this.queries.length > 1000) this.queries.shift();
    if (opcode(query) !== 0) return failure('NOTIMP');
    if (asked.class !== 'IN') return failure('REFUSED');
    try {
      return await this.answer(question);
    } catch {
      return failure('SERVFAIL');
    }
  }
}

function encodeReply(query: DecodedPacket, reply: DnsReply, transport: DnsQuery['transport']): Buffer {
  const opt = query.additionals?.find((record) => record.type === 'OPT');
  const packet: Packet = {
    type: 'response',
    id: query.id,
    flags: RCODES[reply.rcode]
      | (opcode(query) << 11)
      | (reply.authoritative ? AUTHORITATIVE_ANSWER : 0)
      | (query.flag_rd ? RECURSION_DESIRED : 0),
    questions: query.questions,
    answers: reply.answers.map(toWire),
    authorities: reply.authorities.map(toWire),
    additionals: opt === undefined ? [] : [EDNS],
  };
  if (transport === 'tcp') return streamEncode(packet);
  const whole = encode(packet);
  const room = opt === undefined ? UDP_SIZE.plain : Math.min(Math.max(opt.udpPayloadSize, UDP_SIZE.plain), UDP_SIZE.edns);
  if (whole.length <= room && reply.truncated !== true) return whole;
  return encode({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

const EDNS: OptAnswer = {
  type: 'OPT', name: '.', udpPayloadSize: UDP_SIZE.edns, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [],
};

function failure(rcode: DnsReply['rcode']): DnsReply {
  return { rcode, answers: [], authorities: [], authoritative: false };
}

function isQuery(message: Buffer): boolean {
  return message.length >= 12 && (message.readUInt8(2) & 0x80) === 0;
}

function malformed(message: Buffer, transport: DnsQuery['transport']): Buffer {
  const packet: Packet = { type: 'response', id: message.readUInt16BE(0), flags: RCODES.FORMERR };
  return transport === 'tcp' ? streamEncode(packet) : encode(packet);
}

function opcode(query: DecodedPacket): number {
  return ((query.flags ?? 0) >> 11) & 0xf;
}

function closed(server: TcpServer | UdpSocket): Promise<void> {
  return new Promise((done) => {
    server.close(() => {
      done();
    });
  });
}

function ignore(): void {
  // Nothing to be done about it, and nothing depends on it.
}
