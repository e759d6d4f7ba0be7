// What a person at the terminal can mend, kept apart from faults of the program.

/** The message says what is wrong, what was found and what to do; a stack trace would help nobody. */
export class PreviewError extends Error {}

/** The words of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
