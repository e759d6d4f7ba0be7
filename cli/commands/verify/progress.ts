// Shows one line of progress on the terminal during a long run. It disappears at the end and never mixes with other output.
import type { VerificationResult } from '../../../lib/verifier/result';
import type { Output } from '../../io';

/** Moves to the first column and clears the line. */
const CLEAR = '\r\u001b[K';

/** The progress line of a run. */
export class Progress {
  private readonly counts = { pass: 0, fail: 0, unknown: 0 };
  /** The terminal while it shows the line. */
  private terminal: Output | undefined;
  private total: number | undefined;

  /** @param stderr - destination of messages */
  public constructor(private readonly stderr: Output) {}

  /** Number of results so far. */
  public get done(): number {
    return this.counts.pass + this.counts.fail + this.counts.unknown;
  }

  /** Prints a message on a line of its own. */
  public print(text: string): void {
    this.clear();
    this.stderr.write(text);
    this.draw();
  }

  /**
   * Passes the results on, and shows the progress between them.
   *
   * @param terminal - where to show the line; undefined for no line
   * @param total - expected number of results, if known
   */
  public async* track(
    results: AsyncIterable<VerificationResult>, terminal: Output | undefined, total?: number,
  ): AsyncGenerator<VerificationResult> {
    this.terminal = terminal;
    this.total = total;
    this.draw();
    try {
      for await (const result of results) {
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
    const total = this.total === undefined ? '' : ` of ${this.total}`;
    this.terminal?.write(`${CLEAR}${this.done}${total} verified: ${pass} pass, ${fail} fail, ${unknown} could not be decided`);
  }
}
