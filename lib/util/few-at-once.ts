// Work on many things, a few of them at once.

/**
 * Begins the next as soon as one is done.
 *
 * @param work - must not reject: the others would go on
 * @returns the results in the order of the items
 */
export async function fewAtOnce<T, R>(few: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const left = items.entries();
  await Promise.all(Array.from({ length: few }, async () => {
    for (const [index, item] of left) results[index] = await work(item);
  }));
  return results;
}
