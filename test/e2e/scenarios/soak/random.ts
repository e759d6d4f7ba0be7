// Chance that can be repeated: the same seed gives the same numbers.

export class Random {
  /** @param seed - a whole number, of 32 bits */
  public constructor(private state: number) {}

  /** A whole number from 0 to below the limit. */
  public below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Whether something happens that happens so often: 0 is never, 1 always. */
  public happens(share: number): boolean {
    return this.next() < share;
  }

  public oneOf<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)];
  }

  /** From 0 to below 1, by mulberry32. */
  private next(): number {
    this.state = (this.state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Gives each of its items once, in an order by chance, before any comes again. */
export class Bag<T> {
  private left: T[] = [];

  public constructor(private readonly random: Random, private readonly items: readonly T[]) {}

  public draw(): T {
    if (this.left.length === 0) this.left.push(...this.items);
    const [drawn] = this.left.splice(this.random.below(this.left.length), 1);
    return drawn;
  }
}
