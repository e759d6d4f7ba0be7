// Caches results for a limited time, in limited space. Concurrent calls with the same key share one result.

/** The limits of a cache. */
export interface TtlCacheOptions<V> {
  /** Returns milliseconds since the epoch. */
  readonly clock: { now(): number };
  /** Maximum number of entries. The oldest are dropped. */
  readonly maxEntries: number;
  /** Returns the lifetime of a value in milliseconds; 0 for a value that is not cached. */
  readonly lifetimeMs: (value: V) => number;
}

interface Entry {
  readonly value: Promise<unknown>;
  /** Milliseconds since the epoch; infinite while the value is pending. */
  expiresAt: number;
}

/** A cache by key. */
export class TtlCache<V> {
  private readonly entries = new Map<string, Entry & { readonly value: Promise<V> }>();

  public constructor(private readonly options: TtlCacheOptions<V>) {}

  /** Returns the cached or pending value, or calls `load`. */
  public get(key: string, load: () => Promise<V>): Promise<V> {
    const { clock } = this.options;
    const known = this.entries.get(key);
    if (known !== undefined && known.expiresAt > clock.now()) return known.value;
    const entry = { value: load(), expiresAt: Infinity };
    this.entries.delete(key);
    this.entries.set(key, entry);
    this.dropOldest();
    entry.value.then((value) => {
      const lifetime = this.options.lifetimeMs(value);
      entry.expiresAt = clock.now() + lifetime;
      if (lifetime <= 0) this.drop(key, entry);
    }, () => {
      this.drop(key, entry);
    });
    return entry.value;
  }

  private drop(key: string, entry: Entry): void {
    if (this.entries.get(key) === entry) this.entries.delete(key);
  }

  private dropOldest(): void {
    for (const key of this.entries.keys()) {
      if (this.entries.size <= this.options.maxEntries) return;
      this.entries.delete(key);
    }
  }
}
