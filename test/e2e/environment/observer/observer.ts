// A sender that never sleeps: looks at the TXT record and the file again and again while something changes.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { shortHash, shortId } from '../app/policy-ids';
import type { FailedObservation, Observation, Seen, Unreached, ObserverOptions } from './observation';

export { publishesNeither, servesNeither } from './observation';
export type { Observation, Unreached, ObserverOptions } from './observation';

/** Watches while something is done, however that ends. */
export async function observeDuring<T>(
  options: ObserverOptions, work: (activity: Observer) => Promise<T>,
): Promise<{ readonly activity: Observer; readonly ended: T }> {
  const activity = new Observer(options);
  const ended = await work(activity).finally(() => activity.stop());
  return { activity, ended };
}

export class Observer {
  /** So far; in the order of their beginnings once the watch is over. */
  public readonly observations: Observation[] = [];
  /** Those that the edge gave nothing to go by. */
  public readonly unreached: Unreached[] = [];
  public readonly started = Date.now();
  private readonly blind: FailedObservation[] = [];
  private again = 0;
  private ended = 0;
  private readonly worker: Worker;
  private readonly over: Promise<void>;

  public constructor(options: ObserverOptions) {
    // Bundled beside this file by tools/e2e.mjs.
    this.worker = new Worker(join(__dirname, 'observer-thread.cjs'), { workerData: options });
    this.over = new Promise((resolve, reject) => {
      this.worker.on('error', reject).on('message', ({ observations, unreached, blind, again, last }: Seen) => {
        this.observations.push(...observations);
        this.unreached.push(...unreached);
        this.blind.push(...blind);
        this.again += again;
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
    for (const list of [this.observations, this.unreached, this.blind]) list.sort((one, other) => one.at - other.at);
  }

  /** How long it lasted, in seconds, and how many looks got no answer. */
  public get extent(): { readonly seconds: number; readonly blind: number } {
    return { seconds: (this.ended - this.started) / 1000, blind: this.unanswered };
  }

  /** Looks a second that saw record and file. */
  public get rate(): number {
    return this.observations.length / this.extent.seconds;
  }

  /** How many looks got no answer, by DNS or from the edge. */
  public get unanswered(): number {
    return this.blind.length + this.unreached.length;
  }

  /**
   * The looks that a claim forbids, in words; empty where it held.
   *
   * @param unreached - of those that the edge gave nothing to go by; none where it is not given
   */
  public against(forbidden: (observation: Observation) => boolean, unreached: (look: Unreached) => boolean = () => false): readonly string[] {
    return [
      ...this.observations.filter(forbidden).map(({ served, ...look }) => ({ ...look, file: `served ${served ?? 'none'}` })),
      ...this.unreached.filter(unreached).map(({ why, ...look }) => ({ ...look, file: `no file: ${why}` })),
    ].sort((one, other) => one.at - other.at).map(({ at, published, edge, file }) => {
      return `${new Date(at).toISOString()}: announced ${published ?? 'none'}, ${file} (${edge})`;
    });
  }

  /**
   * @param without - of those that the edge gave nothing to go by: which saw enough all the same; none where it is not given
   * @throws Error where more than one look in fifty saw nothing: then it proves little
   */
  public expectSight(without: (look: Unreached) => boolean = () => false): void {
    const lost = this.blind.length + this.unreached.filter((look) => !without(look)).length;
    if (this.observations.length === 0) throw new Error(`no look reached a file, ${this.unanswered} got no answer: ${this.reasons}`);
    if (lost * 50 > this.observations.length) {
      throw new Error(`${lost} of ${this.unanswered + this.observations.length} looks got no answer: ${this.reasons}`);
    }
  }

  /** @throws Error where a look was blind so close to a moment that matters */
  public expectSightAt(moments: readonly number[], milliseconds: number): void {
    const lost = this.blind.filter(({ at }) => moments.some((moment) => Math.abs(at - moment) <= milliseconds));
    if (lost.length > 0) {
      const when = lost.map(({ at, why }) => `${at - this.started} ms (${why})`).join(', ');
      throw new Error(`${lost.length} looks were blind within ${milliseconds} ms of what they should see: ${when}\n${this.summary()}`);
    }
  }

  /** The ids that were announced, each once, in the order in which they came. */
  public get ids(): readonly string[] {
    const all = [...this.observations, ...this.unreached].sort((one, other) => one.at - other.at);
    return [...new Set(all.flatMap(({ published }) => published ?? []))];
  }

  /** In figures: `912 looks in 9.1 s, 100 a second; ...`. */
  public summary(): string {
    const { seconds } = this.extent;
    const pairs = new Map<string, { count: number; from: number; to: number }>();
    const add = ({ at, published, several }: Pick<Observation, 'at' | 'published' | 'several'>, file: string): void => {
      const pair = `record ${published === undefined ? several === true ? 'several' : 'none' : shortId(published)}, file ${file}`;
      const known = pairs.get(pair) ?? { count: 0, from: at, to: at };
      pairs.set(pair, { count: known.count + 1, from: Math.min(known.from, at), to: Math.max(known.to, at) });
    };
    for (const observation of this.observations) add(observation, observation.served === undefined ? 'none' : shortHash(observation.served));
    for (const look of this.unreached) add(look, 'not reached');
    return [
      `${this.observations.length} looks in ${seconds.toFixed(1)} s, ${Math.round(this.rate)} a second${
        this.unanswered === 0 ? '' : `, ${this.unanswered} more got no answer (${this.reasons})`}${
        this.again === 0 ? '' : `; ${this.again} times the machine was too slow for the function of the edge, which was asked again`}`,
      ...[...pairs].map(([pair, { count, from, to }]) => `  ${pair}: ${count} looks, ${from - this.started} to ${to - this.started} ms`),
    ].join('\n');
  }

  private get reasons(): string {
    return [...new Set([...this.blind, ...this.unreached].map(({ why }) => why))].join(', ');
  }
}
