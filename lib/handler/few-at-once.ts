// Work on many things, a few of them at once.

/**
 * Begins the next as soon as one is done. Where one rejects, all that is under way ends first, and none begins any more.
 *
 * @returns the results in the order of the items
 */
export async function fewAtOnce<T, R>(few: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results = new Map<number, R>();
  const left = items.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) {
      if (failed) return;
      try {
        results.set(index, await work(item));
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(few, items.length) }, worker));
  const fault = ended.find((end) => end.status === 'rejected');
  if (fault !== undefined) throw fault.reason;
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
