// The sockets that DNS questions share: no forger's chance grows by it, and nothing stays open.
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openChannel } from '../../../lib/verifier/dns/sockets';
import type { DnsChannel } from '../../../lib/verifier/dns/sockets';

interface Seen {
  readonly message: Buffer;
  readonly from: RemoteInfo;
}

const servers: Socket[] = [];

afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
});

/** A server that answers with what it was sent, or as a test wants. */
async function startServer(answer = (server: Socket, { message, from }: Seen): void => {
  server.send(message, from.port, from.address);
}): Promise<{ port: number; seen: Seen[] }> {
  const server = createSocket('udp4');
  servers.push(server);
  const seen: Seen[] = [];
  server.on('message', (message, from) => {
    seen.push({ message, from });
    answer(server, { message, from });
  });
  await new Promise<void>((bound) => server.bind(0, '127.0.0.1', bound));
  return { port: server.address().port, seen };
}

/** Asks with the id alone, and waits for what comes back. */
function ask(port: number): { line: DnsChannel; answer: Promise<Buffer | Error> } {
  let settle: (answer: Buffer | Error) => void;
  const answer = new Promise<Buffer | Error>((resolve) => {
    settle = resolve;
  });
  const line = openChannel('127.0.0.1', port, {
    message: (message) => {
      settle(message);
    },
    error: (error) => {
      settle(error);
    },
  });
  line.send(idOf(line));
  return { line, answer };
}

function idOf({ id }: DnsChannel): Buffer {
  return Buffer.from([id >> 8, id & 0xff]);
}

function portsOf(seen: readonly Seen[]): number {
  return new Set(seen.map(({ from }) => from.port)).size;
}

describe('questions that are under way to one server', () => {
  test('concurrent queries to one server share a socket, have different ids, and each gets its own answer', async () => {
    const { port, seen } = await startServer();
    const asked = Array.from({ length: 16 }, () => ask(port));
    const answers = await Promise.all(asked.map(({ answer }) => answer));
    expect(answers).toEqual(asked.map(({ line }) => idOf(line)));
    expect(new Set(asked.map(({ line }) => line.id)).size).toBe(16);
    expect(portsOf(seen)).toBe(1);
    asked.forEach(({ line }) => {
      line.close();
    });
  });

  test('at most sixteen concurrent queries share a socket, and the next one uses another port', async () => {
    const { port, seen } = await startServer();
    const asked = Array.from({ length: 40 }, () => ask(port));
    await Promise.all(asked.map(({ answer }) => answer));
    expect(portsOf(seen)).toBe(3);
    asked.forEach(({ line }) => {
      line.close();
    });
  });

  test('a socket is shared up to its limit although other queries on it are answered meanwhile', async () => {
    const { port, seen } = await startServer();
    let before = ask(port);
    for (let question = 1; question < 20; question += 1) {
      const next = ask(port);
      await before.answer;
      before.line.close();
      before = next;
    }
    await before.answer;
    before.line.close();
    expect(portsOf(seen)).toBe(2);
  });
});

test('a query without concurrent queries has a port of its own', async () => {
  const { port, seen } = await startServer();
  for (let question = 0; question < 5; question += 1) {
    const { line, answer } = ask(port);
    await answer;
    line.close();
  }
  // The system may choose one of them twice, but hardly the same five times.
  expect(portsOf(seen)).toBeGreaterThan(1);
});

test('queries to different servers share no socket', async () => {
  const [one, other] = [await startServer(), await startServer()];
  const asked = [ask(one.port), ask(other.port)];
  await Promise.all(asked.map(({ answer }) => answer));
  const portOf = ({ seen }: typeof one): number | undefined => seen.at(0)?.from.port;
  expect(portOf(one)).toEqual(expect.any(Number));
  expect(portOf(one)).not.toBe(portOf(other));
  asked.forEach(({ line }) => {
    line.close();
  });
});

test('a message with a foreign or unknown id, or too short for one, is ignored', async () => {
  const { port } = await startServer((server, { message, from }) => {
    const other = message.readUInt16BE(0) ^ 1;
    for (const forged of [Buffer.alloc(0), Buffer.from([1]), Buffer.from([other >> 8, other & 0xff]), message]) {
      server.send(forged, from.port, from.address);
    }
  });
  const { line, answer } = ask(port);
  expect(await answer).toEqual(idOf(line));
  line.close();
});

test('a message from an address other than the server\'s is ignored', async () => {
  const stranger = createSocket('udp4');
  servers.push(stranger);
  const { port } = await startServer((server, { message, from }) => {
    stranger.send(Buffer.concat([message, Buffer.from('forged')]), from.port, from.address, () => {
      server.send(message, from.port, from.address);
    });
  });
  const { line, answer } = ask(port);
  expect(await answer).toEqual(idOf(line));
  line.close();
});

test('a closed port fails every query of its socket, and the next query gets a new socket', async () => {
  const { port } = await startServer();
  await new Promise<void>((closed) => servers.splice(0).at(0)?.close(() => {
    closed();
  }));
  const asked = [ask(port), ask(port)];
  const answers = await Promise.all(asked.map(({ answer }) => answer));
  expect(answers).toEqual([expect.objectContaining({ code: 'ECONNREFUSED' }), expect.objectContaining({ code: 'ECONNREFUSED' })]);
  const later = ask(port);
  expect(await later.answer).toMatchObject({ code: 'ECONNREFUSED' });
  [...asked, later].forEach(({ line }) => {
    line.close();
  });
});

test('a query that ends before it is sent leaves no open socket and no error', async () => {
  const { port, seen } = await startServer();
  ask(port).line.close();
  const { line, answer } = ask(port);
  await answer;
  line.close();
  expect(seen).toHaveLength(1);
});
