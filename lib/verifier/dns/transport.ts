// Asks one DNS server one question over UDP, and over TCP if the answer does not fit (RFC 1035 §4.2, RFC 7766).
import { TOO_MANY_RECORDS } from './answer';
import { lookup } from 'node:dns';
import { connect, isIP } from 'node:net';
import { RECURSION_DESIRED, encode, streamEncode } from 'dns-packet';
import type { DecodedPacket, OptAnswer, Packet } from 'dns-packet';
import { BoundedBytes } from '../../util/bounded-bytes';
import { Guard, settleOnce } from '../guard';
import { duration, networkProblem } from '../network-errors';
import { normalizeName } from './answer';
import type { DnsType } from './answer';
import { HEADER_BYTES, MAX_RECORDS, decodeMessage, recordCount } from './message';
import type { DnsServerAddress } from './server-address';
import { openChannel } from './sockets';

/** One question to one server. */
export interface DnsRequest {
  readonly server: DnsServerAddress;
  readonly name: string;
  readonly type: DnsType;
  /** Whether the server should look up the answer elsewhere. */
  readonly recursive: boolean;
  /** Time for UDP, and the same time again for TCP. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A message that answers the question, with any response code; or the problem that left the question unanswered. */
export type DnsExchange = { readonly packet: DecodedPacket } | { readonly problem: string; readonly timedOut: boolean };

/** Asks the question. Never rejects. */
export async function exchange(request: DnsRequest): Promise<DnsExchange> {
  const { host } = request.server;
  const address = isIP(host) === 0 ? await lookUpAddress(host) : host;
  if (typeof address === 'object') return address;
  const result = await overUdp(request, address, [EDNS]);
  // A server without EDNS answers FORMERR (RFC 6891 §7).
  return 'packet' in result && rcode(result.packet) === FORMERR ? overUdp(request, address, []) : result;
}

/**
 * Returns the response code: four bits of the header (RFC 1035 §4.1.1) below eight bits of the OPT record (RFC 6891 §6.1.3). The
 * four bits alone would turn BADVERS into "no error" and BADMODE into "no such name".
 */
export function rcode(packet: DecodedPacket): number {
  // A valid message has at most one OPT record, in this section.
  const upper = (packet.additionals ?? []).map((record) => record.type === 'OPT' ? record.extendedRcode : 0);
  return ((packet.flags ?? 0) & 0xf) | (Math.max(0, ...upper) << 4);
}

/** RFC 1035 §4.1.1. */
export const NOERROR = 0;
const FORMERR = 1;
export const NXDOMAIN = 3;

/** Offers a UDP payload size that no network fragments (RFC 9715 §3.1). */
const EDNS: OptAnswer = {
  type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [],
};

async function overUdp(request: DnsRequest, address: string, additionals: OptAnswer[]): Promise<DnsExchange> {
  const { name, type, recursive, server: { port } } = request;
  let query: Packet = {};
  const result = await converse(request, (settle, guard) => {
    const channel = openChannel(address, port, {
      message: guard.over((message: Buffer) => {
        const answer = readAnswer(message, query);
        if (answer !== undefined) settle(answer);
      }),
      error: guard.over((error: Error) => {
        settle(failure(networkProblem(error)));
      }),
    });
    query = { type: 'query', id: channel.id, flags: recursive ? RECURSION_DESIRED : 0, questions: [{ name, type }], additionals };
    channel.send(encode(query));
    return channel.close;
  });
  return 'packet' in result && result.packet.flag_tc ? overTcp(request, address, query) : result;
}

function overTcp(request: DnsRequest, address: string, query: Packet): Promise<DnsExchange> {
  return converse(request, (settle, guard) => {
    const received = new BoundedBytes(MAX_TCP_MESSAGE_BYTES);
    const socket = connect(request.server.port, address);
    socket.on('connect', guard.over(() => {
      socket.write(streamEncode(query));
    }));
    socket.on('error', guard.over((error: Error) => {
      settle(failure(`${networkProblem(error)} over TCP`));
    }));
    socket.on('close', guard.over(() => {
      settle(failure('connection closed in the middle of an answer over TCP'));
    }));
    socket.on('data', guard.over((chunk: Buffer) => {
      received.add(chunk);
      const { view } = received;
      if (view.length < 2 || view.length < 2 + view.readUInt16BE(0)) return;
      const answer = readAnswer(view.subarray(2, 2 + view.readUInt16BE(0)), query);
      settle(answer === undefined || ('packet' in answer && answer.packet.flag_tc) ? MALFORMED : answer);
    }));
    return () => {
      socket.destroy();
    };
  });
}

/** A message over TCP follows its length, which has two bytes (RFC 1035 §4.2.2). */
const MAX_TCP_MESSAGE_BYTES = 2 + 0xffff;

/** Runs one conversation within the time of a request. */
function converse(request: DnsRequest, start: (settle: (result: DnsExchange) => void, guard: Guard) => () => void): Promise<DnsExchange> {
  const { timeoutMs, signal } = request;
  let settleWith: ((result: DnsExchange) => void) | undefined;
  const guard = new Guard((reason) => {
    settleWith?.(failure(reason));
  });
  return settleOnce<DnsExchange>({
    timeoutMs,
    signals: signal === undefined ? [] : [signal],
    failed: failure,
    timedOut: () => ({ problem: `no answer within ${duration(timeoutMs)}`, timedOut: true }),
    cancelled: () => failure('cancelled'),
  }, (settle) => {
    settleWith = settle;
    return start(settle, guard);
  });
}

const MALFORMED = failure('malformed answer');

/** Size of a record's name, type, class, TTL and length (RFC 1035 §4.1.3). A message with less room for its records is malformed. */
const MIN_RECORD_BYTES = 11;

/** Returns the answer in a message, or undefined if the message belongs to another question: it may be late or forged. */
function readAnswer(message: Buffer, query: Packet): DnsExchange | undefined {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== query.id) return undefined;
  const packet = decodeMessage(message);
  if (packet === undefined) {
    if (isRefusalWithoutQuestion(message)) return { packet: { ...EMPTY_RESPONSE, flags: message.readUInt16BE(2) & 0xf } };
    const records = recordCount(message);
    return records > MAX_RECORDS && message.length > records * MIN_RECORD_BYTES
      ? failure(`${TOO_MANY_RECORDS}: ${records}, of which at most ${MAX_RECORDS} are read`)
      : MALFORMED;
  }
  const asked = query.questions?.at(0);
  const answered = packet.questions?.at(0);
  const isSame = asked !== undefined && answered?.type === asked.type
    && answered.class === 'IN' && normalizeName(answered.name) === normalizeName(asked.name);
  return packet.flag_qr && isSame ? { packet } : undefined;
}

/** Tells whether a message refuses a query without repeating the question. Only an answer with a result must repeat it. */
function isRefusalWithoutQuestion(message: Buffer): boolean {
  const flags = message.readUInt16BE(2);
  const code = flags & 0xf;
  const hasNoQuestion = message.readUInt16BE(4) === 0 && code !== NOERROR && code !== NXDOMAIN;
  return (flags & 0x8000) !== 0 && (code === FORMERR || hasNoQuestion);
}

const EMPTY_RESPONSE: DecodedPacket = {
  flag_qr: true, flag_aa: false, flag_tc: false, flag_rd: false, flag_ra: false, flag_z: false, flag_ad: false, flag_cd: false,
};

function failure(problem: string): DnsExchange {
  return { problem, timedOut: false };
}

/** Looks up the address of a server that was given by name. */
function lookUpAddress(host: string): Promise<string | DnsExchange> {
  return new Promise((resolve) => {
    const guard = new Guard((reason) => {
      resolve(failure(reason));
    });
    lookup(host, guard.over((error: Error | null, address: string) => {
      resolve(error === null ? address : failure(`no address is known for the DNS server ${host}`));
    }));
  });
}
