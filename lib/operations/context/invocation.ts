// One event being worked on: its world, its log, and how long it may take.
import type { Log } from './log';
import type { Watch } from './activity';
import type { World } from './services';

/** What every step of an event is given. */
export interface Run {
  readonly world: World;
  readonly log: Log;
  readonly watch: Watch;
  /** When the work must have ended, in the clock's milliseconds. */
  readonly deadline: number;
  /** Aborted when the time is over: what still runs then must end and change nothing more. */
  readonly signal: AbortSignal;
}
