// The log of one observed policy change, in the form of docs/figures/race.json. The figure of docs/guide/how-it-works.md is drawn from it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Observation } from './observation';
import type { Observer } from './observer';

const STEP_MS = 50;

/** Time that the log keeps before the new bytes and after the new id. */
const MARGIN_MS = 1_000;

/**
 * One policy change, as docs/figures/race.json stores it. Times are milliseconds since the beginning of the first observation that saw
 * the new bytes.
 */
export interface Race {
  readonly what: string;
  /** Number of observations that saw record and file. */
  readonly observations: number;
  /** Number of observations without an answer. */
  readonly blind: number;
  readonly seconds: number;
  /** Number of observations that saw the new id with the old bytes. */
  readonly newIdOldBytes: number;
  /** Time of the first observation that saw the new id. */
  readonly idAfter: number;
  readonly stepMilliseconds: number;
  /**
   * Number of observations in each step:
   * `[time, old id with old bytes, old id with new bytes, new id with new bytes, new id with old bytes]`.
   */
  readonly steps: readonly (readonly number[])[];
}

/**
 * Summarizes the observations of one policy change.
 *
 * @param before - hash of the old bytes
 * @param after - hash of the new bytes
 */
export function summarizeRace(what: string, { observations, unanswered, seconds }: Observer, before: string, after: string): Race {
  const findTime = (isWanted: (observation: Observation) => boolean): number => observations.find(isWanted)?.at ?? NaN;
  const zero = findTime(({ served }) => served === after);
  const idAfter = findTime(({ names }) => names === after) - zero;
  const kinds = [[before, before], [before, after], [after, after], [after, before]];
  const firstStep = Math.floor(-MARGIN_MS / STEP_MS);
  const steps = Array.from({ length: Math.ceil((idAfter + MARGIN_MS) / STEP_MS) - firstStep }, (_, index) => {
    const time = (firstStep + index) * STEP_MS;
    const inStep = observations.filter(({ at }) => at - zero >= time && at - zero < time + STEP_MS);
    return [time, ...kinds.map(([id, bytes]) => inStep.filter(({ names, served }) => names === id && served === bytes).length)];
  });
  const newIdOldBytes = observations.filter(({ names, served }) => names === after && served !== after).length;
  return { what, observations: observations.length, newIdOldBytes, idAfter, stepMilliseconds: STEP_MS, steps, seconds, blind: unanswered };
}

/** Writes a race to the file, and replaces an earlier race of the same change. */
export function writeRace(file: string, race: Race): void {
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as readonly Race[] : [];
  const races = known.some(({ what }) => what === race.what) ? known.map((one) => one.what === race.what ? race : one) : [...known, race];
  // Each step on one line.
  writeFileSync(file, `${JSON.stringify(races, null, 1).replace(/\[\s+(-?\d[\d,\s-]*?)\s+\]/g, (_, numbers: string) => `[${numbers.replace(/\s+/g, ' ')}]`)}\n`);
}
