// One line on the terminal that says how far a long run is; it goes away again, and never gets into what else is printed.
import type { VerificationResult } from '../../../lib/verifier/result';
import type { Output } from '../../io';

/** To the first column, and the rest of the line away. */
const CLEAR = '\r\u001b[K';

/** How far a run is. */
export class Progress {
  private readonly counts = { pass: 0, fail: 0, unknown: 0 };
  /** The terminal, while the line is on it. */
  private terminal: Output | undefined;
  private total: number | undefined;

  /** @param stderr - for what is said beside the reports */
  public constructor(private readonly stderr: Output) {}

  /** How many reports have been handed on. */
  public get done(): number {
    return this.counts.pass + this.counts.fail + this.counts.unknown;
  }

  /** Says something on a line of its own. */
  public say(text: string): void {
    this.clear();
    this.stderr.write(text);
    this.draw();
  }

  /**
   * Hands the reports on, and tells of them in between.
   *
   * @param terminal - undefined where there is none: then nothing is told
   * @param total - how many there will be, where that is known
   */
  public async* over(reports: AsyncIterable<VerificationResult>, terminal: Output | undefined, total?: number): AsyncGenerator<VerificationResult> {
    this.terminal = terminal;
    this.total = total;
    this.draw();
    try {
      for await (const result of reports) {
        this.counts[result.verdict] += 1;
        this.clear();
        yield result;
        this.draw();
      }
    } finally {
      this.clear();
      this.terminal = undefined;
    }
  }

  private clear(): void {
    this.terminal?.write(CLEAR);
  }

  private draw(): void {
    const { pass, fail, unknown } = this.counts;
    const of = this.total === undefined ? '' : ` of ${this.total}`;
    this.terminal?.write(`${CLEAR}${this.done}${of} verified: ${pass} pass, ${fail} fail, ${unknown} could not be decided`);
  }
}
