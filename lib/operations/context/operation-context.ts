// The context that every step of an operation gets: services, log, and time limits.
import type { Activity } from './activity';
import type { Log } from './log';
import type { Services } from './services';

/** Surroundings and time limits of one operation. */
export interface OperationContext {
  readonly services: Services;
  readonly log: Log;
  readonly activity: Activity;
  /** Time by which the work must have ended, in the clock's milliseconds. */
  readonly deadline: number;
  /** Aborted at the end of the time. Work that still runs then must end and change nothing more. */
  readonly signal: AbortSignal;
}
