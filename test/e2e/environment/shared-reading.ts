// Reading together: many ask at the same time for what is read from the emulator, which answers one after the other.

/**
 * Whoever asks gets what was read after they asked, never what is older; who asks while a reading runs shares the next one.
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
