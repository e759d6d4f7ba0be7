// A port on the loopback that drops whoever wants to connect, as a firewall does: a listener that never accepts, its queue full.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface SilentServer {
  /** At every IPv4 address of the loopback. */
  readonly port: number;
  close(): Promise<void>;
}

/** The system takes connections for a listener until its queue is full; a worker that sleeps takes none out of it. */
const LISTENER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer().listen({ host: '0.0.0.0', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
});
`;

/** More than the queue holds. */
const FILLING = 4;

export async function startSilentServer(): Promise<SilentServer> {
  const worker = new Worker(LISTENER, { eval: true, workerData: new SharedArrayBuffer(4) });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const waiting = Array.from({ length: FILLING }, () => connect({ host: '127.0.0.1', port }).on('error', () => undefined));
  await filled(waiting);
  return {
    port,
    close: async () => {
      waiting.forEach((socket) => socket.destroy());
      await worker.terminate();
    },
  };
}

/** Until nobody has got through for a while. */
function filled(sockets: readonly Socket[]): Promise<void> {
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
