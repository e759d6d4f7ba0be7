// Asserts that a value of a test exists, so that no test needs a cast. A missing value fails the test with a clear error.

/** Returns the value. Throws if it is undefined. */
export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('expected a value, got undefined');
  return value;
}
