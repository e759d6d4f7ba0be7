// The log of a watched change, as docs/figures/race.json keeps it: from it docs/figures/race.mjs draws the figure of the README.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Observation } from './observation';

/** How long a step of the log is, and how much of it is kept before the new bytes and after the new id. */
const STEP_MILLISECONDS = 50;
const MARGIN_MILLISECONDS = 1_000;

/** One change. Times are milliseconds since the first look that saw the new bytes, by the beginnings of the looks. */
export interface Race {
  readonly what: string;
  readonly observations: number;
  /** Looks that got no answer. */
  readonly blind: number;
  readonly seconds: number;
  /** Of all looks. */
  readonly newIdOldBytes: number;
  /** When a look saw the new id for the first time. */
  readonly idAfter: number;
  readonly stepMilliseconds: number;
  /** `[time, old id with old bytes, old id with new bytes, new id with new bytes, new id with old bytes]`: looks in each step. */
  readonly steps: readonly (readonly number[])[];
}

/**
 * @param before - the hash of its bytes, and so `after`
 */
export function summarizeRace(what: string, observations: readonly Observation[], before: string, after: string): Omit<Race, 'blind' | 'seconds'> {
  const first = (seen: (observation: Observation) => boolean): number => observations.find(seen)?.at ?? NaN;
  const zero = first(({ served }) => served === after);
  const idAfter = first(({ names }) => names === after) - zero;
  const kinds = [[before, before], [before, after], [after, after], [after, before]];
  const from = Math.floor(-MARGIN_MILLISECONDS / STEP_MILLISECONDS);
  const steps = Array.from({ length: Math.ceil((idAfter + MARGIN_MILLISECONDS) / STEP_MILLISECONDS) - from }, (_, index) => {
    const time = (from + index) * STEP_MILLISECONDS;
    const during = observations.filter(({ at }) => at - zero >= time && at - zero < time + STEP_MILLISECONDS);
    return [time, ...kinds.map(([id, bytes]) => during.filter(({ names, served }) => names === id && served === bytes).length)];
  });
  const newIdOldBytes = observations.filter(({ names, served }) => names === after && served !== after).length;
  return { what, observations: observations.length, newIdOldBytes, idAfter, stepMilliseconds: STEP_MILLISECONDS, steps };
}

/** Puts it into the file, in the place of an earlier one of the same change. */
export function writeRace(file: string, race: Race): void {
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as readonly Race[] : [];
  const races = known.some(({ what }) => what === race.what) ? known.map((one) => one.what === race.what ? race : one) : [...known, race];
  // A line for each step.
  writeFileSync(file, `${JSON.stringify(races, null, 1).replace(/\[\s+(-?\d[\d,\s-]*?)\s+\]/g, (_, numbers: string) => `[${numbers.replace(/\s+/g, ' ')}]`)}\n`);
}
