// Shares readings from the emulator between concurrent requests, because the emulator answers one request after the other.

/**
 * Returns a function that shares readings. Each call gets a reading that started after the call, never an older one. Calls that arrive
 * while a reading runs share the next one.
 */
export function shareReads<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined;
  let next: Promise<T> | undefined;
  const start = (): Promise<T> => {
    next = undefined;
    const reading = read();
    const settled = reading.then(() => undefined, () => undefined);
    running = settled;
    void settled.then(() => {
      if (running === settled) running = undefined;
    });
    return reading;
  };
  return () => {
    if (running === undefined) return start();
    return next ??= running.then(start);
  };
}
