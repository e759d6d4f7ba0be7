// The message of a thrown value.

/** Returns the message of any thrown value. JavaScript can throw values that are no `Error`. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
