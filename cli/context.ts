// What every command works with.
import type { createNetwork } from '../lib/verifier/default-network';
import type { verify } from '../lib/verifier/verify';
import type { Io } from './io';
import type { Status } from './exit-status';

/** One run of the command. */
export interface Context {
  readonly io: Io;
  /** Tells what to end with; the last word counts. */
  readonly end: (status: Status) => void;
  /** DNS and TLS take their time to load: only the command that needs them does. */
  readonly loadVerifier: () => Promise<Verifier>;
}

/** What the command has of the verifier. */
export interface Verifier {
  readonly verify: typeof verify;
  readonly createWorld: typeof createNetwork;
}
