// Shared by the server processes: latency before each answer, a log of the questions, and messages to the parent process.

/**
 * A question, or the fetch of a policy.
 *
 * @typedef {{ at: number, server: string, name: string, type: string }} LogEntry
 *
 * @typedef {object} Order - a message of the parent process
 * @property {number} [latency] - before each answer from now on, in milliseconds
 * @property {boolean} [log] - whether to keep a log from now on
 *
 * @typedef {object} Report - the answer to an order
 * @property {readonly LogEntry[]} log - since the order that asked for it
 * @property {number} cpuMs - processor time of the process
 *
 * @typedef {object} Service
 * @property {(entry: Omit<LogEntry, 'at'>) => void} log - adds an entry if a log is wanted
 * @property {(send: () => void) => void} answer - sends an answer after the latency
 * @property {(more?: object) => void} ready - tells the parent process that the server listens
 */

/** @returns {Service} */
export function createService() {
  let latency = 0;
  /** @type {LogEntry[] | undefined} */
  let log;
  process.on('message', (/** @type {Order} */ order) => {
    latency = order.latency ?? latency;
    const { user, system } = process.cpuUsage();
    process.send?.({ log: log ?? [], cpuMs: (user + system) / 1000 });
    log = order.log === true ? [] : undefined;
  });
  process.on('disconnect', () => process.exit());
  return {
    log: (entry) => log?.push({ at: performance.now(), ...entry }),
    answer: (send) => {
      if (latency === 0) send();
      else setTimeout(send, latency);
    },
    ready: (more) => process.send?.({ ...more }),
  };
}
