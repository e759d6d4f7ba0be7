// The type of one difference between the emulator and AWS.
import type { TestEnvironment } from '../../environment/environment';

export interface Difference {
  readonly assertion: string;
  /** Returns the evidence, or undefined if the emulator behaves like AWS. */
  readonly shown: (environment: TestEnvironment) => Promise<string | undefined>;
}
