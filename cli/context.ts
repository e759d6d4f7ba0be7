// The surroundings of a command: streams, exit status, and the parts that are loaded on demand.
import type { createNetwork } from '../lib/verifier/default-network';
import type { verify } from '../lib/verifier/verify';
import type { Io } from './io';
import type { Status } from './exit-status';

/** Everything that one run of the command works with. */
export interface Context {
  readonly io: Io;
  /** Sets the exit status. The last call counts. */
  readonly end: (status: Status) => void;
  readonly load: Loaders;
}

/** Loaders of dependencies that take their time to load. Only a command that needs one calls its loader. */
export interface Loaders {
  /** DNS and TLS. */
  readonly verifier: () => Promise<Verifier>;
}

/** The part of the verifier that commands use. */
export interface Verifier {
  readonly verify: typeof verify;
  readonly createNetwork: typeof createNetwork;
}
