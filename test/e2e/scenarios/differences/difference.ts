// One difference between the emulator and AWS.
import type { TestEnvironment } from '../../environment/environment';

export interface Difference {
  readonly assertion: string;
  /** @returns the evidence, or nothing where the emulator does as AWS does */
  readonly shown: (environment: TestEnvironment) => Promise<string | undefined>;
}
