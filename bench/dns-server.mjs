// Process: the name servers and the recursive resolver of the look-ups, in one. Each answer is encoded once and sent from memory.
import { createSocket } from 'node:dgram';
import { AUTHORITATIVE_ANSWER, RECURSION_AVAILABLE, decode, encode } from 'dns-packet';
import { ADDRESSES, recordsOf, zoneOf } from './domains.mjs';
import { createService } from './server.mjs';

const HEADER_BYTES = 12;
const NXDOMAIN = 3;

/** Far more than the look-ups need. The limit is for the measurement of memory, which has a hundred times as many domains. */
const MAX_ANSWERS = 50_000;

/** @type {Map<string, Buffer>} */
const answers = new Map();
const service = createService();

for (const address of [ADDRESSES.recursive, ...ADDRESSES.nameServers]) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 21 });
  socket.on('message', (query, from) => {
    const reply = replyTo(query);
    service.answer(() => socket.send(reply, from.port, from.address));
    service.log({ server: address, ...question(query) });
  });
  await new Promise((bound, failed) => socket.on('error', failed).bind(53, address, () => bound(undefined)));
}
service.ready();

/**
 * Returns the answer to a query. Only the id differs between clients, so the question and its flags are the key.
 *
 * @param {Buffer} query
 */
function replyTo(query) {
  const key = query.toString('latin1', 2, query.indexOf(0, HEADER_BYTES) + 5);
  let answer = answers.get(key);
  if (answer === undefined) {
    if (answers.size > MAX_ANSWERS) answers.clear();
    answer = makeAnswer(query);
    answers.set(key, answer);
  }
  const reply = Buffer.from(answer);
  query.copy(reply, 0, 0, 2);
  return reply;
}

/** @param {Buffer} query */
function makeAnswer(query) {
  const asked = question(query);
  const records = recordsOf(asked.name, asked.type);
  return encode({
    type: 'response',
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (records === undefined ? NXDOMAIN : 0) | (query.readUInt16BE(2) & 0x100),
    questions: [asked],
    answers: records ?? [],
    authorities: records !== undefined && records.length > 0 ? [] : [soa(zoneOf(asked.name))],
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }],
  });
}

/** @param {Buffer} query */
function question(query) {
  const asked = decode(query).questions?.[0];
  if (asked === undefined) throw new Error('a query has no question');
  return { name: asked.name, type: asked.type };
}

/**
 * @param {string} name
 * @returns {import('dns-packet').Answer}
 */
function soa(name) {
  const data = { mname: `ns1.${name}`, rname: `hostmaster.${name}`, serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 60 };
  return { name, type: 'SOA', ttl: 300, data };
}
