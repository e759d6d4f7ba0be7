// Process: the name servers and the recursive resolver of the look-ups, in one. Each answer is made once and sent from memory.
import { createSocket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { AUTHORITATIVE_ANSWER, RECURSION_AVAILABLE, decode, encode } from 'dns-packet';
import { serving } from './server.mjs';
import { ADDRESSES, recordsOf, zoneOf } from './world.mjs';

const HEADER = 12;
const NXDOMAIN = 3;

/** Many more than the look-ups have, and bounded all the same: the measurement of memory asks for a hundred times as many. */
const MOST_ANSWERS = 50_000;

const answers = new Map();
const service = serving();

for (const address of [ADDRESSES.recursive, ...ADDRESSES.nameServers]) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 21 });
  socket.on('message', (query, from) => {
    const reply = replyTo(query);
    service.answer(() => socket.send(reply, from.port, from.address));
    service.log?.push({ at: performance.now(), server: address, ...question(query) });
  });
  await new Promise((bound, failed) => socket.on('error', failed).bind(53, address, bound));
}
service.ready();

/** Only the id differs from client to client: what is asked, and with which flags, is the key. */
function replyTo(query) {
  const key = query.latin1Slice(2, query.indexOf(0, HEADER) + 5);
  let answer = answers.get(key);
  if (answer === undefined) {
    if (answers.size > MOST_ANSWERS) answers.clear();
    answer = makeAnswer(query);
    answers.set(key, answer);
  }
  const reply = Buffer.from(answer);
  query.copy(reply, 0, 0, 2);
  return reply;
}

function makeAnswer(query) {
  const { name, type } = question(query);
  const records = recordsOf(name, type);
  return encode({
    type: 'response',
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (records === undefined ? NXDOMAIN : 0) | (query.readUInt16BE(2) & 0x100),
    questions: [{ name, type }],
    answers: records ?? [],
    authorities: records?.length > 0 ? [] : [soa(zoneOf(name))],
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] }],
  });
}

function question(query) {
  const [{ name, type }] = decode(query).questions;
  return { name, type };
}

function soa(name) {
  const data = { mname: `ns1.${name}`, rname: `hostmaster.${name}`, serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 60 };
  return { name, type: 'SOA', ttl: 300, data };
}
