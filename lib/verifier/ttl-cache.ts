// Remembers answers for a while, in bounded space: whoever asks for one that is on its way waits for the same.
import type { Clock } from './network';

/** What is worth remembering of an answer. */
export interface TtlCacheOptions<V> {
  readonly clock: Pick<Clock, 'now'>;
  /** The oldest are forgotten beyond this number. */
  readonly most: number;
  /** How long an answer holds, in milliseconds; 0 for one that is not to be kept. */
  readonly lifetimeMs: (value: V) => number;
}

interface Entry {
  readonly value: Promise<unknown>;
  until: number;
}

/** Answers by key. */
export class TtlCache<V> {
  private readonly entries = new Map<string, Entry & { readonly value: Promise<V> }>();

  public constructor(private readonly options: TtlCacheOptions<V>) {}

  /** The answer that is remembered or on its way, or else a new one. */
  public get(key: string, ask: () => Promise<V>): Promise<V> {
    const { clock } = this.options;
    const known = this.entries.get(key);
    if (known !== undefined && known.until > clock.now()) return known.value;
    const entry = { value: ask(), until: Infinity };
    this.entries.delete(key);
    this.entries.set(key, entry);
    this.forgetOldest();
    entry.value.then((value) => {
      const lifetime = this.options.lifetimeMs(value);
      entry.until = clock.now() + lifetime;
      if (lifetime <= 0) this.forget(key, entry);
    }, () => {
      this.forget(key, entry);
    });
    return entry.value;
  }

  private forget(key: string, entry: Entry): void {
    if (this.entries.get(key) === entry) this.entries.delete(key);
  }

  private forgetOldest(): void {
    for (const key of this.entries.keys()) {
      if (this.entries.size <= this.options.most) return;
      this.entries.delete(key);
    }
  }
}
