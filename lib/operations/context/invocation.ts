// One event being worked on: its world, its log, and how long it may take.
import type { Log } from './log';
import type { Activity } from './activity';
import type { Services } from './services';

/** What every step of an event is given. */
export interface Invocation {
  readonly services: Services;
  readonly log: Log;
  readonly activity: Activity;
  /** When the work must have ended, in the clock's milliseconds. */
  readonly deadline: number;
  /** Aborted when the time is over: what still runs then must end and change nothing more. */
  readonly signal: AbortSignal;
}
