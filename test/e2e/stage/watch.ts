// A sender that never sleeps: looks at the TXT record and the file again and again while something changes.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Look, Seen, WatchOptions } from './look';

export type { Look, WatchOptions } from './look';

export class Watch {
  /** So far; in the order of their beginnings once the watch is over. */
  public readonly looks: Look[] = [];
  public readonly started = Date.now();
  private readonly blind: string[] = [];
  private readonly worker: Worker;
  private readonly over: Promise<void>;
  private ended = 0;

  public constructor(options: WatchOptions) {
    // Bundled beside this file by tools/e2e.mjs.
    this.worker = new Worker(join(__dirname, 'watch-thread.cjs'), { workerData: options });
    this.over = new Promise((resolve, reject) => {
      this.worker.on('error', reject).on('message', ({ looks, blind, last }: Seen) => {
        this.looks.push(...looks);
        this.blind.push(...blind);
        if (last) resolve();
      });
    });
    // Said at its end.
    this.over.catch(() => undefined);
  }

  /** @throws Error where the thread failed */
  public async stop(): Promise<void> {
    this.worker.postMessage('stop');
    await this.over;
    this.ended = Date.now();
    this.looks.sort((one, other) => one.at - other.at);
  }

  /** How long it lasted, in seconds, and how many looks got no answer. */
  public get extent(): { readonly seconds: number; readonly blind: number } {
    return { seconds: (this.ended - this.started) / 1000, blind: this.blind.length };
  }

  /** The looks that a claim forbids, in words; empty where it held. */
  public against(forbidden: (look: Look) => boolean): readonly string[] {
    return this.looks.filter(forbidden).map(({ at, announced, served }) => {
      return `${new Date(at).toISOString()}: announced ${announced ?? 'none'}, served ${served ?? 'none'}`;
    });
  }

  /** @throws Error where more than one look in fifty saw nothing: then it proves little */
  public expectSight(): void {
    if (this.looks.length === 0 || this.blind.length * 50 > this.looks.length) {
      throw new Error(`${this.blind.length} of ${this.blind.length + this.looks.length} looks got no answer: ${[...new Set(this.blind)].join(', ')}`);
    }
  }

  /** How many looks got no answer. */
  public get unanswered(): number {
    return this.blind.length;
  }

  /** In figures: `912 looks in 9.1 s, 100 a second; ...`. */
  public summary(): string {
    const seconds = (this.ended - this.started) / 1000;
    const pairs = new Map<string, { count: number; from: number; to: number }>();
    for (const { at, announced, served } of this.looks) {
      const pair = `record ${announced?.slice(0, 6) ?? 'none'}, file ${served?.slice(0, 6) ?? 'none'}`;
      const known = pairs.get(pair) ?? { count: 0, from: at, to: at };
      pairs.set(pair, { count: known.count + 1, from: Math.min(known.from, at), to: Math.max(known.to, at) });
    }
    return [
      `${this.looks.length} looks in ${seconds.toFixed(1)} s, ${Math.round(this.looks.length / seconds)} a second${
        this.blind.length === 0 ? '' : `, ${this.blind.length} more got no answer (${[...new Set(this.blind)].join(', ')})`}`,
      ...[...pairs].map(([pair, { count, from, to }]) => `  ${pair}: ${count} looks, ${from - this.started} to ${to - this.started} ms`),
    ].join('\n');
  }
}
