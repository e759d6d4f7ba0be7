// What the server processes share: latency before each answer, a log of what was asked, and talk with the parent process.

/** @returns how to answer, the log while one is wanted, and how to tell the parent that the server listens */
export function serving() {
  const service = {
    log: undefined,
    answer: (send) => {
      if (latency === 0) send();
      else setTimeout(send, latency);
    },
    ready: (more) => process.send({ ...more }),
  };
  let latency = 0;
  process.on('message', (order) => {
    latency = order.latency ?? latency;
    const log = service.log ?? [];
    service.log = order.log === true ? [] : undefined;
    const { user, system } = process.cpuUsage();
    process.send({ log, cpuMs: (user + system) / 1000 });
  });
  process.on('disconnect', () => process.exit());
  return service;
}
