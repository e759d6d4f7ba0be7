// A sender that never sleeps: looks at the TXT record and the file again and again while something changes.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { shortHash, shortId } from '../app/policy-ids';
import type { FailedObservation, Observation, ObservationBatch, UnreachedObservation, ObserverOptions } from './observation';

export { publishesNeither, servesNeither } from './observation';
export type { Observation, UnreachedObservation as Unreached, ObserverOptions } from './observation';

/** Watches while something is done, however that ends. */
export async function observeWhile<T>(
  options: ObserverOptions, work: (observer: Observer) => Promise<T>,
): Promise<{ readonly observer: Observer; readonly ended: T }> {
  const observer = new Observer(options);
  const ended = await work(observer).finally(() => observer.stop());
  return { observer, ended };
}

export class Observer {
  /** So far; in the order of their beginnings once the watch is over. */
  public readonly observations: Observation[] = [];
  /** Those that the edge gave nothing to go by. */
  public readonly unreached: UnreachedObservation[] = [];
  public readonly startedAt = Date.now();
  private readonly failed: FailedObservation[] = [];
  private edgeRetries = 0;
  private endedAt = 0;
  private readonly worker: Worker;
  private readonly completed: Promise<void>;

  public constructor(options: ObserverOptions) {
    // Bundled beside this file by tools/e2e.mjs.
    this.worker = new Worker(join(__dirname, 'observer-thread.cjs'), { workerData: options });
    this.completed = new Promise((resolve, reject) => {
      this.worker.on('error', reject).on('message', ({ observations, unreached, failed: blind, edgeRetries: again, last }: ObservationBatch) => {
        this.observations.push(...observations);
        this.unreached.push(...unreached);
        this.failed.push(...blind);
        this.edgeRetries += again;
        if (last) resolve();
      });
    });
    // Said at its end.
    this.completed.catch(() => undefined);
  }

  /** @throws Error where the thread failed */
  public async stop(): Promise<void> {
    this.worker.postMessage('stop');
    await this.completed;
    this.endedAt = Date.now();
    for (const list of [this.observations, this.unreached, this.failed]) list.sort((one, other) => one.at - other.at);
  }

  /** Duration of the observation. */
  public get seconds(): number {
    return (this.endedAt - this.startedAt) / 1000;
  }

  /** Observations a second that saw record and file. */
  public get rate(): number {
    return this.observations.length / this.seconds;
  }

  /** How many looks got no answer, by DNS or from the edge. */
  public get unanswered(): number {
    return this.failed.length + this.unreached.length;
  }

  /**
   * The looks that a claim forbids, in words; empty where it held.
   *
   * @param unreached - of those that the edge gave nothing to go by; none where it is not given
   */
  public findViolations(forbidden: (observation: Observation) => boolean, unreached: (look: UnreachedObservation) => boolean = () => false): readonly string[] {
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
  public expectAnswers(without: (look: UnreachedObservation) => boolean = () => false): void {
    const lost = this.failed.length + this.unreached.filter((look) => !without(look)).length;
    if (this.observations.length === 0) throw new Error(`no look reached a file, ${this.unanswered} got no answer: ${this.reasons}`);
    if (lost * 50 > this.observations.length) {
      throw new Error(`${lost} of ${this.unanswered + this.observations.length} looks got no answer: ${this.reasons}`);
    }
  }

  /** @throws Error where a look was blind so close to a moment that matters */
  public expectAnswersAt(moments: readonly number[], milliseconds: number): void {
    const lost = this.failed.filter(({ at }) => moments.some((moment) => Math.abs(at - moment) <= milliseconds));
    if (lost.length > 0) {
      const when = lost.map(({ at, why }) => `${at - this.startedAt} ms (${why})`).join(', ');
      throw new Error(`${lost.length} looks were blind within ${milliseconds} ms of what they should see: ${when}\n${this.summary()}`);
    }
  }

  /** The ids that were announced, each once, in the order in which they came. */
  public get publishedIds(): readonly string[] {
    const all = [...this.observations, ...this.unreached].sort((one, other) => one.at - other.at);
    return [...new Set(all.flatMap(({ published }) => published ?? []))];
  }

  /** In figures: `912 looks in 9.1 s, 100 a second; ...`. */
  public summary(): string {
    const { seconds } = this;
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
        this.edgeRetries === 0 ? '' : `; ${this.edgeRetries} times the machine was too slow for the function of the edge, which was asked again`}`,
      ...[...pairs].map(([pair, { count, from, to }]) => `  ${pair}: ${count} looks, ${from - this.startedAt} to ${to - this.startedAt} ms`),
    ].join('\n');
  }

  private get reasons(): string {
    return [...new Set([...this.failed, ...this.unreached].map(({ why }) => why))].join(', ');
  }
}
