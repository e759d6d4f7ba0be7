// Writes structured logs: one JSON object a line, in the form that Lambda's JSON log format passes on unchanged.
import type { Log, LogFields } from '../../operations/context/log';
import type { Services } from '../../operations/context/services';

/**
 * Creates a log. Its functions never throw.
 *
 * @param services - the clock, and the receiver of the lines
 * @param base - fields of every line
 */
export function createLog({ clock, log }: Pick<Services, 'clock' | 'log'>, base: LogFields = {}): Log {
  const write = (level: string): Log['info'] => (message, fields = {}) => {
    // CloudWatch and Lambda's log filter know the names `timestamp` and `level`.
    const head = { timestamp: new Date(clock.now()).toISOString(), level, message, ...base };
    log(asciiLine(head, fields));
  };
  return { info: write('INFO'), warn: write('WARN'), error: write('ERROR') };
}

/** Returns a line in ASCII. Characters that could mislead a terminal or a log viewer become `\uNNNN`. */
function asciiLine(head: LogFields, fields: LogFields): string {
  return json(head, fields).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function json(head: LogFields, fields: LogFields): string {
  try {
    return JSON.stringify({ ...head, ...fields });
  } catch {
    // For example a circular object: a line without its fields is better than no line.
    return JSON.stringify({ ...head, unreadable: Object.keys(fields) });
  }
}
