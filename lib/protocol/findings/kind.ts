// Describes a finding code: its severity, its area, and the text that `mta-sts explain` prints.
import type { SenderQuirk, Severity } from './finding';

/** The parts of a lookup, in the order of a sender's steps. `other` holds findings about none of them. */
export const AREAS = ['record', 'policy-host', 'policy-file', 'mx', 'smtp', 'tls-reporting', 'other'] as const;

export type Area = (typeof AREAS)[number];

/** Facts about a code that do not depend on the input. */
export interface FindingKind {
  readonly severity: Severity;
  /** The area of most findings with this code. A check can set another area, for example for a DNS failure. */
  readonly area: Area;
  /** The problem, in one sentence. */
  readonly meaning: string;
  /** The consequence, in one sentence. */
  readonly impact: string;
  /** The remedy: a phrase without a full stop. */
  readonly fix: string;
  /** The section of the standard that states the rule. */
  readonly reference: string;
  /** Senders that refuse such input or read it differently, grouped by their behaviour. */
  readonly quirks?: readonly SenderQuirk[];
}

/** Facts about a code that only the verification of a live domain reports. */
export interface LiveFindingKind extends FindingKind {
  /** Whether the problem can disappear without any action. */
  readonly temporary?: true;
}
