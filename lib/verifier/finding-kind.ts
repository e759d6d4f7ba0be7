// What is always true of a code about a live domain.
import type { FindingKind } from '../protocol/findings/catalog';

/** A kind of finding that the passing of time may do away with, or not. */
export interface LiveFindingKind extends FindingKind {
  /** Whether waiting may mend it, with nobody doing anything about it. */
  readonly temporary?: true;
}
