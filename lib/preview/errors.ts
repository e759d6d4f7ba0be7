// Separates errors that a user can fix from bugs of the program.

/** An error that a user can fix. Its message names the problem, the value and the fix, so print it without a stack trace. */
export class PreviewError extends Error {}
