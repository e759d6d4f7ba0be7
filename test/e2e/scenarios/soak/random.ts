// Repeatable random numbers: the same seed gives the same numbers.

export class Random {
  /** @param state - the seed, an integer of 32 bits */
  public constructor(private state: number) {}

  /** Returns an integer from 0 to below the limit. */
  public below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Returns true with this probability: 0 is never, 1 always. */
  public happens(probability: number): boolean {
    return this.next() < probability;
  }

  public oneOf<T>(items: readonly [T, ...T[]]): T {
    const [first] = items;
    return items.at(this.below(items.length)) ?? first;
  }

  /** Returns a number from 0 to below 1 (mulberry32). */
  private next(): number {
    this.state = (this.state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Draws each item once in random order before any item is drawn again. */
export class Bag<T> {
  private left: T[] = [];

  public constructor(private readonly random: Random, private readonly items: readonly T[]) {}

  public draw(): T {
    if (this.left.length === 0) this.left.push(...this.items);
    const [drawn] = this.left.splice(this.random.below(this.left.length), 1);
    if (drawn === undefined) throw new Error('the bag has no items');
    return drawn;
  }
}
