// What a sender sees that looks at the TXT record and the file.

export interface Look {
  /** Milliseconds since the epoch, when the look began. */
  readonly at: number;
  /** The id in the TXT record. */
  readonly announced?: string;
  /** The id that belongs to the bytes that were served. */
  readonly served?: string;
}

/** What the thread that looks is told. */
export interface WatchOptions {
  /** PEM of what is to be trusted. */
  readonly ca: string;
  /** Which of the two is looked at first: what must be there already when the other one is seen must be looked at later. */
  readonly first: 'record' | 'file';
  /** @default example.test */
  readonly domain?: string;
  /** Where several watches share the machine, fewer. @default 110, for a hundred where some are late */
  readonly looksASecond?: number;
}

/** What it tells, some times a second and at its end. */
export interface Seen {
  readonly looks: readonly Look[];
  /** Why a look got no answer, by DNS or from the edge: nothing was seen. */
  readonly blind: readonly string[];
  /** Nothing more will come. */
  readonly last: boolean;
}
