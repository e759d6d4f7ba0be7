// A port on loopback that drops every connection attempt, as a firewall does: a listener with a full queue that never accepts.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface SilentServer {
  /** The port, which is open at every IPv4 address of the loopback. */
  readonly port: number;
  close(): Promise<void>;
}

/** The system accepts connections for a listener until its queue is full. A sleeping worker never takes a connection out of the queue. */
const LISTENER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer().listen({ host: '0.0.0.0', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
});
`;

/** Number of connections that fill the queue, and more. */
const FILLING_CONNECTIONS = 4;

export async function startSilentServer(): Promise<SilentServer> {
  const worker = new Worker(LISTENER, { eval: true, workerData: new SharedArrayBuffer(4) });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const waiting = Array.from({ length: FILLING_CONNECTIONS }, () => connect({ host: '127.0.0.1', port }).on('error', () => undefined));
  await queueIsFull(waiting);
  return {
    port,
    close: async () => {
      waiting.forEach((socket) => socket.destroy());
      await worker.terminate();
    },
  };
}

/** Waits until no connection has succeeded for 200 ms. */
function queueIsFull(sockets: readonly Socket[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      resolve();
    };
    let timer = setTimeout(done, 200);
    for (const socket of sockets) {
      socket.once('connect', () => {
        clearTimeout(timer);
        timer = setTimeout(done, 200);
      });
    }
  });
}
