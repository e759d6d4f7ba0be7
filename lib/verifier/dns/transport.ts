// Asks one DNS server one question, over UDP and, when the answer does not fit, over TCP (RFC 1035 §4.2, RFC 7766).
import { lookup } from 'node:dns';
import { connect, isIP } from 'node:net';
import { RECURSION_DESIRED, encode, streamEncode } from 'dns-packet';
import type { DecodedPacket, OptAnswer, Packet } from 'dns-packet';
import { MAX_RECORDS, decodeMessage, recordCount } from './message';
import type { DnsServerAddress } from './server-address';
import { BoundedBytes } from '../https/bounded-bytes';
import { openLine } from './sockets';
import { Guard } from '../guard';
import { duration, networkProblem } from '../network-errors';
import type { DnsType } from './resolver';

/** One question to one server. */
export interface DnsRequest {
  readonly server: DnsServerAddress;
  readonly name: string;
  readonly type: DnsType;
  /** Whether the server shall find the answer elsewhere if need be. */
  readonly recursive: boolean;
  /** For each of UDP and TCP. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A message that answers the question, whatever it says; or why there is none. */
export type DnsExchange = { readonly packet: DecodedPacket } | { readonly fault: string; readonly timedOut: boolean };

/** Never rejects. */
export async function exchange(request: DnsRequest): Promise<DnsExchange> {
  const { host } = request.server;
  const address = isIP(host) === 0 ? await addressOf(host) : host;
  if (typeof address === 'object') return address;
  const result = await overUdp(request, address, [EDNS]);
  // RFC 6891 §7: a server from before EDNS says so with FORMERR.
  return 'packet' in result && rcode(result.packet) === FORMERR ? overUdp(request, address, []) : result;
}

/**
 * The response code: the four bits of the header (RFC 1035 §4.1.1), above them the eight of the OPT record (RFC 6891 §6.1.3). By the
 * four alone BADVERS would be "no error" and BADMODE "no such name".
 */
export function rcode(packet: DecodedPacket): number {
  // An honest message has one OPT record at most, in this section.
  const upper = (packet.additionals ?? []).map((record) => record.type === 'OPT' ? record.extendedRcode : 0);
  return ((packet.flags ?? 0) & 0xf) | (Math.max(0, ...upper) << 4);
}

/** RFC 1035 §4.1.1. */
export const NOERROR = 0;
const FORMERR = 1;
export const NXDOMAIN = 3;

/** What no path fragments (RFC 9715 §3.1). */
const EDNS: OptAnswer = {
  type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [],
};

async function overUdp(request: DnsRequest, address: string, additionals: OptAnswer[]): Promise<DnsExchange> {
  const { name, type, recursive, server: { port } } = request;
  let query: Packet = {};
  const result = await settle(request, (done, guard) => {
    const line = openLine(address, port, {
      message: guard.over((message: Buffer) => {
        const read = readAnswer(message, query);
        if (read !== undefined) done(read);
      }),
      error: guard.over((error: Error) => {
        done(fault(networkProblem(error)));
      }),
    });
    query = { type: 'query', id: line.id, flags: recursive ? RECURSION_DESIRED : 0, questions: [{ name, type }], additionals };
    line.send(encode(query));
    return line.end;
  });
  return 'packet' in result && result.packet.flag_tc ? overTcp(request, address, query) : result;
}

function overTcp(request: DnsRequest, address: string, query: Packet): Promise<DnsExchange> {
  return settle(request, (done, guard) => {
    const received = new BoundedBytes(MOST_MESSAGE_BYTES);
    const socket = connect(request.server.port, address);
    socket.on('connect', guard.over(() => {
      socket.write(streamEncode(query));
    }));
    socket.on('error', guard.over((error: Error) => {
      done(fault(`${networkProblem(error)} over TCP`));
    }));
    socket.on('close', guard.over(() => {
      done(fault('connection closed in the middle of an answer over TCP'));
    }));
    socket.on('data', guard.over((chunk: Buffer) => {
      received.add(chunk);
      const { view } = received;
      if (view.length < 2 || view.length < 2 + view.readUInt16BE(0)) return;
      const read = readAnswer(view.subarray(2, 2 + view.readUInt16BE(0)), query);
      done(read === undefined || ('packet' in read && read.packet.flag_tc) ? MALFORMED : read);
    }));
    return () => {
      socket.destroy();
    };
  });
}

/** The length before a message has two bytes (RFC 1035 §4.2.2). */
const MOST_MESSAGE_BYTES = 2 + 0xffff;

/** Runs one conversation until it is done, out of time or called off, and always ends it. */
function settle(request: DnsRequest, start: (done: (result: DnsExchange) => void, guard: Guard) => () => void): Promise<DnsExchange> {
  return new Promise((resolve) => {
    let stop: (() => void) | undefined = undefined;
    const done = (result: DnsExchange): void => {
      resolve(result);
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
      stop?.();
      // What a socket still says while it is being closed is of no interest.
      stop = undefined;
    };
    const guard = new Guard((reason) => {
      done(fault(reason));
    });
    const abort = guard.over((): void => {
      done(fault('called off'));
    });
    const timer = setTimeout(guard.over(() => {
      done({ fault: `no answer within ${duration(request.timeoutMs)}`, timedOut: true });
    }), request.timeoutMs);
    request.signal?.addEventListener('abort', abort);
    guard.over(() => {
      stop = start(done, guard);
    })();
    if (request.signal?.aborted === true) abort();
  });
}

const MALFORMED = fault('malformed answer');

/** Bytes of a name, type, class, TTL and length (RFC 1035 §4.1.3): a message with room for fewer than it announces is malformed. */
const SMALLEST_RECORD = 11;

/** Begins the reason of an answer that is well-formed, as far as it was looked at, but too long. */
export const TOO_MANY_RECORDS = 'the answer holds too many records';

/** A message that belongs to another question is undefined: to be passed over, it may be late or forged. */
function readAnswer(message: Buffer, query: Packet): DnsExchange | undefined {
  if (message.length < 12 || message.readUInt16BE(0) !== query.id) return undefined;
  const packet = decodeMessage(message);
  if (packet === undefined) {
    if (isBareRefusal(message)) return { packet: { ...BARE, flags: message.readUInt16BE(2) & 0xf } };
    const records = recordCount(message);
    return records > MAX_RECORDS && message.length > records * SMALLEST_RECORD ? fault(`${TOO_MANY_RECORDS}: ${records}, of which at most ${MAX_RECORDS} are read`) : MALFORMED;
  }
  const [asked] = query.questions ?? [];
  const [answered] = packet.questions ?? [];
  const same = packet.flag_qr && answered.type === asked.type && answered.class === 'IN' && normalizeName(answered.name) === normalizeName(asked.name);
  return same ? { packet } : undefined;
}

/** Who cannot read a query, or will not, need not repeat its question; who says what there is must say of what. */
function isBareRefusal(message: Buffer): boolean {
  const flags = message.readUInt16BE(2);
  const code = flags & 0xf;
  const silentOnQuestion = message.readUInt16BE(4) === 0 && code !== NOERROR && code !== NXDOMAIN;
  return (flags & 0x8000) !== 0 && (code === FORMERR || silentOnQuestion);
}

const BARE: DecodedPacket = {
  flag_qr: true, flag_aa: false, flag_tc: false, flag_rd: false, flag_ra: false, flag_z: false, flag_ad: false, flag_cd: false,
};

/** Lower case (RFC 4343) and without the dot at the end. */
export function normalizeName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

function fault(reason: string): DnsExchange {
  return { fault: reason, timedOut: false };
}

function addressOf(host: string): Promise<string | DnsExchange> {
  return new Promise((resolve) => {
    const guard = new Guard((reason) => {
      resolve(fault(reason));
    });
    lookup(host, guard.over((error: Error | null, address: string) => {
      resolve(error === null ? address : fault(`no address is known for the DNS server ${host}`));
    }));
  });
}
