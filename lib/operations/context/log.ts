// Structured logs: one JSON object a line, in the shape that Lambda's JSON log format passes on as it is.
import type { Services } from './services';

/** What belongs to a message, by name. */
export type LogFields = Readonly<Record<string, unknown>>;

type Write = (message: string, fields?: LogFields) => void;

/** Never throws, whatever it is given. */
export interface Log {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

/**
 * @param world - gives the time and takes the lines
 * @param base - stands in every line
 */
export function createLog(world: Pick<Services, 'clock' | 'log'>, base: LogFields = {}): Log {
  const write = (level: string): Write => (message, fields = {}) => {
    // `timestamp` and `level` are the names that CloudWatch and Lambda's own log filter know.
    const head = { timestamp: new Date(world.clock.now()).toISOString(), level, message, ...base };
    world.log(line(head, fields));
  };
  return { info: write('INFO'), warn: write('WARN'), error: write('ERROR') };
}

/** An error as fields: its name, message and stack, and what the AWS SDK knows of the request. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const { name, message, stack, cause } = error;
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  return { error: { name, message, stack, metadata, cause: cause === undefined ? undefined : errorFields(cause).error } };
}

/** ASCII alone: what a terminal or a log viewer could be led astray by stands there as `\uNNNN`. */
function line(head: LogFields, fields: LogFields): string {
  return json(head, fields).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function json(head: LogFields, fields: LogFields): string {
  try {
    return JSON.stringify({ ...head, ...fields });
  } catch {
    // A circle, for example: better a line without its fields than none.
    return JSON.stringify({ ...head, unreadable: Object.keys(fields) });
  }
}
