// An authoritative DNS server on one UDP and TCP port. The preview and the tests use it.
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
export { zoneAnswers } from './zone-answers';

/** A received question, for a log. */
interface DnsQuery extends DnsQuestion {
  readonly transport: 'udp' | 'tcp';
  /** Whether the client asked for recursion. */
  readonly recursionDesired: boolean;
}

interface DnsServerOptions {
  /** IPv4 or IPv6 address to listen on. */
  readonly address: string;
  /** @default - any free port */
  readonly port?: number;
  readonly answer: DnsAnswerer;
}

export interface DnsServer {
  readonly address: string;
  readonly port: number;
  /** The received questions, at most the last thousand. */
  readonly queries: readonly DnsQuery[];
  /** Stops the server at once and cuts open connections. */
  close(): Promise<void>;
}

/** Maximum size of a reply over UDP, without EDNS (RFC 1035 §4.2.1) and with EDNS. No path fragments the latter (RFC 9715 §3.1). */
const MAX_UDP_BYTES = { plain: 512, edns: 1232 } as const;

/**
 * Starts a server.
 *
 * @throws the error of the system if the server cannot listen on the port
 */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const service = new Service(options.answer);
  const { udp, tcp, port } = await bind(service, options);
  let closing: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    service.cutConnections();
    await Promise.all([closeServer(udp), closeServer(tcp)]);
  };
  return {
    address: options.address,
    port,
    queries: service.queries,
    close: () => closing ??= stop(),
  };
}

/** Listens on the same port over UDP and TCP. A port that is free for TCP may be in use for UDP. Then another port is tried. */
async function bind(service: Service, options: DnsServerOptions): Promise<{ udp: UdpSocket; tcp: TcpServer; port: number }> {
  const { address, port: requested = 0 } = options;
  for (let attempt = 1; ; attempt += 1) {
    const tcp = await service.listenTcp(address, requested);
    try {
      const bound = tcp.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : requested;
      return { tcp, port, udp: await service.listenUdp(address, port) };
    } catch (error) {
      await closeServer(tcp);
      if (requested !== 0 || attempt === 10) throw error;
    }
  }
}

/** Answers questions over both transports. */
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
          // The client may be gone, or this server may be closing.
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

  /** Reads the questions of a connection. Each one follows its length (RFC 1035 §4.2.2). */
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

  /** Returns the reply to a message, or undefined for no reply. Never rejects. */
  private async reply(message: Buffer, transport: DnsQuery['transport']): Promise<Buffer | undefined> {
    const query = decodeMessage(message);
    if (query === undefined) return isQuery(message) ? encodeFormatError(message, transport) : undefined;
    // Do not reply to a reply: two servers would exchange replies forever.
    if (query.flag_qr) return undefined;
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
  const complete = encode(packet);
  const { plain, edns } = MAX_UDP_BYTES;
  const maxBytes = opt === undefined ? plain : Math.min(Math.max(opt.udpPayloadSize, plain), edns);
  if (complete.length <= maxBytes && reply.truncated !== true) return complete;
  return encode({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

const EDNS: OptAnswer = {
  type: 'OPT', name: '.', udpPayloadSize: MAX_UDP_BYTES.edns, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [],
};

function failure(rcode: DnsReply['rcode']): DnsReply {
  return { rcode, answers: [], authorities: [], authoritative: false };
}

function isQuery(message: Buffer): boolean {
  return message.length >= 12 && (message.readUInt8(2) & 0x80) === 0;
}

function encodeFormatError(message: Buffer, transport: DnsQuery['transport']): Buffer {
  const packet: Packet = { type: 'response', id: message.readUInt16BE(0), flags: RCODES.FORMERR };
  return transport === 'tcp' ? streamEncode(packet) : encode(packet);
}

function opcode(query: DecodedPacket): number {
  return ((query.flags ?? 0) >> 11) & 0xf;
}

function closeServer(server: TcpServer | UdpSocket): Promise<void> {
  return new Promise((done) => {
    server.close(() => {
      done();
    });
  });
}

function ignore(): void {
  // No other part depends on this error.
}
