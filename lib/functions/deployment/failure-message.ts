// Texts of the function's answers: the failure reason in the CloudFormation console, and attributes. All are one line and bounded.
import { MAX_OUTPUT_ATTRIBUTE_BYTES } from '../../contract/custom-resources';
import type { DeploymentFailure } from '../../operations/failures';
import { safeText } from '../../util/safe-text';

/**
 * Maximum length of a failure reason in JSON, where a quotation mark takes two bytes. CloudFormation takes 4,096 bytes for the whole
 * answer, ids included, and the framework adds a line of its own.
 */
const MAX_REASON_BYTES = 2_400;

/** Maximum length of an attribute in JSON. The log has the whole text. */
const MAX_ATTRIBUTE_BYTES = 1_000;

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
  const error = new Error(cut(message, MAX_REASON_BYTES - jsonLength(pointer)) + pointer);
  error.stack = error.message;
  return error;
}

/** Returns a text as an attribute of a resource. */
export function attribute(text: string): string {
  return cut(text, MAX_ATTRIBUTE_BYTES);
}

/**
 * Returns a text as an attribute that becomes part of the JSON in a stack output. CloudFormation only joins texts there, so the attribute
 * has ASCII characters only, and neither quotation marks nor backslashes.
 */
export function outputText(text: string): string {
  const plain = safeText(text, 4 * MAX_OUTPUT_ATTRIBUTE_BYTES).replace(/[^ -~]|["\\]/g, '?');
  return plain.length <= MAX_OUTPUT_ATTRIBUTE_BYTES ? plain : `${plain.slice(0, MAX_OUTPUT_ATTRIBUTE_BYTES - 3)}...`;
}

/** Cuts a text to one line that has at most so many bytes in JSON. */
function cut(text: string, maxBytes: number): string {
  const line = safeText(text, maxBytes);
  if (jsonLength(line) <= maxBytes) return line;
  let kept = '';
  let length = jsonLength('…');
  for (const character of line) {
    length += jsonLength(character);
    if (length > maxBytes) break;
    kept += character;
  }
  return `${kept}…`;
}

function jsonLength(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
