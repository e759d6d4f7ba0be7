// What a format is: a document with a beginning, a part for each report, and an end that is always written.
import type { Severity } from '../../lib/protocol/findings/finding';
import type { VerificationResult, Verdict } from '../../lib/verifier/result';

/** The names that `--format` takes. */
export const RESULT_FORMATS = ['text', 'json', 'ndjson', 'junit', 'github', 'html'] as const;

export type ResultFormat = (typeof RESULT_FORMATS)[number];

/**
 * One document, written as the reports come: `head`, `report` for each, `tail`. What is kept between the calls is bounded, or a
 * few bytes for a domain: there may be 100,000 of them.
 */
export interface Reporter {
  /** What stands before the first report; it is asked for once, also where none follows. */
  head(): string;
  /** One report, or nothing where it comes with the tail. */
  report(result: VerificationResult): string;
  /** What closes the document, after as many reports as there were: the run may have ended early. */
  tail(totals: Totals): string;
}

/** All that is kept of the reports when they are printed. */
export interface Totals {
  readonly domains: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly findings: Readonly<Record<Severity, number>>;
}

/** Counts the reports as they go by. */
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
