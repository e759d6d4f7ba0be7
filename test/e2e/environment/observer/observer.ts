// Observes the TXT record and the policy file about a hundred times a second while a deployment changes them.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { shortHash, shortId } from '../app/policy-ids';
import type { FailedObservation, Observation, ObservationBatch, UnreachedObservation, ObserverOptions } from './observation';

export { publishesNeither, servesNeither } from './observation';
export type { Observation, UnreachedObservation, ObserverOptions } from './observation';

/** Observes until the work has ended, successfully or not. */
export async function observeWhile<T>(
  options: ObserverOptions, work: (observer: Observer) => Promise<T>,
): Promise<{ readonly observer: Observer; readonly ended: T }> {
  const observer = new Observer(options);
  const ended = await work(observer).finally(() => observer.stop());
  return { observer, ended };
}

export class Observer {
  /** Observations so far. Sorted by their start once the observer has stopped. */
  public readonly observations: Observation[] = [];
  /** Observations that got no file from the edge. */
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
      this.worker.on('error', reject).on('message', ({ observations, unreached, failed, edgeRetries, last }: ObservationBatch) => {
        this.observations.push(...observations);
        this.unreached.push(...unreached);
        this.failed.push(...failed);
        this.edgeRetries += edgeRetries;
        if (last) resolve();
      });
    });
    // `stop` reports the error. Without this handler, an earlier rejection would end the process.
    this.completed.catch(() => undefined);
  }

  /** @throws Error if the thread failed */
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

  /** Number of observations without an answer from DNS or from the edge. */
  public get unanswered(): number {
    return this.failed.length + this.unreached.length;
  }

  /**
   * Describes the observations that an assertion forbids.
   *
   * @param isForbiddenUnreached - selects forbidden observations among those that got no file from the edge. @default none
   * @returns one line for each, empty if the assertion holds
   */
  public findViolations(
    isForbidden: (observation: Observation) => boolean, isForbiddenUnreached: (observation: UnreachedObservation) => boolean = () => false,
  ): readonly string[] {
    return [
      ...this.observations.filter(isForbidden).map(({ served, ...record }) => ({ ...record, file: `served ${served ?? 'none'}` })),
      ...this.unreached.filter(isForbiddenUnreached).map(({ why, ...record }) => ({ ...record, file: `no file: ${why}` })),
    ].sort((one, other) => one.at - other.at).map(({ at, published, edge, file }) => {
      return `${new Date(at).toISOString()}: published ${published ?? 'none'}, ${file} (${edge})`;
    });
  }

  /**
   * Asserts that at most one observation in fifty got no answer. With more, the observer proves little.
   *
   * @param isSufficient - selects observations without a file that saw enough all the same. @default none
   */
  public expectAnswers(isSufficient: (observation: UnreachedObservation) => boolean = () => false): void {
    const lost = this.failed.length + this.unreached.filter((observation) => !isSufficient(observation)).length;
    if (this.observations.length === 0) throw new Error(`no observation reached a file, ${this.unanswered} got no answer: ${this.reasons}`);
    if (lost * 50 > this.observations.length) {
      throw new Error(`${lost} of ${this.unanswered + this.observations.length} observations got no answer: ${this.reasons}`);
    }
  }

  /** Asserts that DNS answered every observation within so many milliseconds of the given times. */
  public expectAnswersAt(times: readonly number[], milliseconds: number): void {
    const lost = this.failed.filter(({ at }) => times.some((time) => Math.abs(at - time) <= milliseconds));
    if (lost.length > 0) {
      const when = lost.map(({ at, why }) => `${at - this.startedAt} ms (${why})`).join(', ');
      throw new Error(`${lost.length} observations got no answer within ${milliseconds} ms of a change: ${when}\n${this.summary()}`);
    }
  }

  /** Published ids, each once, in the order in which they were first seen. */
  public get publishedIds(): readonly string[] {
    const all = [...this.observations, ...this.unreached].sort((one, other) => one.at - other.at);
    return [...new Set(all.flatMap(({ published }) => published ?? []))];
  }

  /** Returns the figures: `912 observations in 9.1 s, 100 a second`, and a line for each pair of record and file. */
  public summary(): string {
    const { seconds } = this;
    const pairs = new Map<string, { count: number; from: number; to: number }>();
    const add = ({ at, published, several }: Pick<Observation, 'at' | 'published' | 'several'>, file: string): void => {
      const pair = `record ${published === undefined ? several === true ? 'several' : 'none' : shortId(published)}, file ${file}`;
      const known = pairs.get(pair) ?? { count: 0, from: at, to: at };
      pairs.set(pair, { count: known.count + 1, from: Math.min(known.from, at), to: Math.max(known.to, at) });
    };
    for (const observation of this.observations) add(observation, observation.served === undefined ? 'none' : shortHash(observation.served));
    for (const observation of this.unreached) add(observation, 'not reached');
    return [
      `${this.observations.length} observations in ${seconds.toFixed(1)} s, ${Math.round(this.rate)} a second${
        this.unanswered === 0 ? '' : `, ${this.unanswered} more got no answer (${this.reasons})`}${
        this.edgeRetries === 0 ? '' : `; ${this.edgeRetries} requests were repeated because the edge function ran out of time on a busy machine`}`,
      ...[...pairs].map(([pair, { count, from, to }]) => `  ${pair}: ${count} observations, ${from - this.startedAt} to ${to - this.startedAt} ms`),
    ].join('\n');
  }

  private get reasons(): string {
    return [...new Set([...this.failed, ...this.unreached].map(({ why }) => why))].join(', ');
  }
}
