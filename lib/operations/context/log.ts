// The log of an operation: messages with named fields.

/** Fields of a message, by name. */
export type LogFields = Readonly<Record<string, unknown>>;

type Write = (message: string, fields?: LogFields) => void;

/** A log whose functions never throw. */
export interface Log {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

/** Returns the fields of an error: its name, message and stack, and the request metadata of the AWS SDK. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const { name, message, stack, cause } = error;
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  return { error: { name, message, stack, metadata, cause: cause === undefined ? undefined : errorFields(cause).error } };
}
