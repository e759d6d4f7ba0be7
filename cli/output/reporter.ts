// The interface of a format: a document with a head, a part for each verification result, and a tail that is always written.
import type { Severity } from '../../lib/protocol/findings/finding';
import type { VerificationResult, Verdict } from '../../lib/verifier/result';

/**
 * Writes one document while the results arrive: `head`, `body` for each result, `tail`. Memory between the calls is bounded, or a few
 * bytes a domain: there may be 100,000 of them.
 */
export interface Reporter {
  /** Returns the text before the first result. Called once, also if no result follows. */
  head(): string;
  /** Returns the text of one result, or an empty text if the result is part of the tail. */
  body(result: VerificationResult): string;
  /** Returns the text that closes the document, after any number of results: the run may have ended early. */
  tail(totals: Totals): string;
}

/** Counts over all printed results. */
export interface Totals {
  readonly domains: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly findings: Readonly<Record<Severity, number>>;
}

/** Counts the results while they are printed. */
export class Tally implements Totals {
  public domains = 0;
  public readonly verdicts = { pass: 0, fail: 0, unknown: 0 };
  public readonly findings = { error: 0, unknown: 0, warning: 0, info: 0 };

  public add({ verdict, findings }: VerificationResult): void {
    this.domains += 1;
    this.verdicts[verdict] += 1;
    for (const { severity } of findings) this.findings[severity] += 1;
  }
}
