// Returns values that must exist, and items of lists. A missing value fails the test with a clear error, so that no test needs a cast.

/** Returns the value. Throws if it is undefined. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value, got undefined');
  return value;
}

/** Returns the only item of a list. Throws if the list has no item or several items. */
export function onlyItem<T>(items: readonly T[]): T {
  if (items.length > 1) throw new Error(`expected one item, got ${items.length}`);
  return firstItem(items);
}

/** Returns the first item of a list. Throws if the list is empty. */
export function firstItem<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('expected at least one item, got none');
  return item;
}
