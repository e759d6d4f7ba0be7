// The failure reason that people read in the CloudFormation console: one line, bounded, with a pointer to the log.
import type { DeploymentFailure } from '../../operations/failures';
import { safeText } from '../../util/safe-text';

/**
 * CloudFormation takes 4,096 bytes for the whole answer, ids included, and the framework adds a line of its own.
 * What is shown in JSON is longer than what is read: a quotation mark counts twice.
 */
const LONGEST_REASON = 2_400;

/** Long enough for what people read first; the log has the rest. */
const LONGEST_ATTRIBUTE = 1_000;

/** An output may have 4,096 bytes, and most of them are the policy's. */
const LONGEST_OUTPUT_TEXT = 600;

/** Maximum number of codes to explain in the pointer of a message. */
const MAX_CODES = 4;

/**
 * Returns the error to throw at the provider framework. The framework sends its message, and then its stack from the second line on, so
 * the stack is the message alone.
 *
 * @param failure - the problems, each with its code
 * @param logGroup - the log group of the function; the framework would name one that need not exist
 */
export function failureReason({ message, codes }: DeploymentFailure, logGroup: string): Error {
  const pointer = ` Details: npx cdk-mta-sts explain ${codes.slice(0, MAX_CODES).join(' ')}; log group ${safeText(logGroup, 520)}`;
  const error = new Error(cut(message, LONGEST_REASON - jsonLength(pointer)) + pointer);
  error.stack = error.message;
  return error;
}

/** A text as an attribute of a resource: one line, bounded. */
export function attribute(text: string): string {
  return cut(text, LONGEST_ATTRIBUTE);
}

/**
 * An attribute that becomes a part of the JSON of a stack output, where CloudFormation only joins texts: so in ASCII, without
 * quotation marks and backslashes. `lib/stack-output.ts` keeps room for it.
 */
export function outputText(text: string): string {
  const plain = safeText(text, 4 * LONGEST_OUTPUT_TEXT).replace(/[^ -~]|["\\]/g, '?');
  return plain.length <= LONGEST_OUTPUT_TEXT ? plain : `${plain.slice(0, LONGEST_OUTPUT_TEXT - 3)}...`;
}

/** At most so many bytes once it stands in JSON, in one line. */
function cut(text: string, bytes: number): string {
  const line = safeText(text, bytes);
  if (jsonLength(line) <= bytes) return line;
  let shown = '';
  let length = jsonLength('…');
  for (const character of line) {
    length += jsonLength(character);
    if (length > bytes) break;
    shown += character;
  }
  return `${shown}…`;
}

function jsonLength(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
