// What was proven, as it is found and as tables at the end.

/** One claim, and what came of it. */
interface Row {
  readonly scenario: string;
  readonly assertion: string;
  readonly evidence: string;
  readonly seconds: number;
  readonly isProven: boolean;
}

/** The sender is expected to do what was foretold. */
export const AGREES = 'agrees';

/** One message of a real sender: what was said of it beforehand, and what became of it, which was as expected. */
export interface Case {
  readonly sender: string;
  readonly what: string;
  /** What `mta-sts verify --smtp` said just before that a sender does: `deliver-verified`, `deliver-unverified`, `refuse`, or `unknown`. */
  readonly predicted: string;
  /** `agrees`, or why this sender does otherwise. */
  readonly expected: string;
  readonly did: string;
  /** Which mail host has it; none where it was refused. */
  readonly host?: string;
  /** The line of the sender's own log that tells it. */
  readonly log: string;
}

export class AssertionTable {
  public readonly cases: Case[] = [];
  /** With their versions. */
  public senders = '';
  private readonly rows: Row[] = [];
  private readonly started = Date.now();
  private currentScenario = '';
  private readonly running = new Set<string>();

  public begin(scenario: string): void {
    this.currentScenario = scenario;
    console.log(`\n${scenario}`);
  }

  /**
   * Proves a claim.
   *
   * @param claim - a sentence
   * @param proof - gives the evidence in a few words, or throws what is against it
   */
  public async prove(assertion: string, proof: () => Promise<string> | string): Promise<void> {
    const started = Date.now();
    const { currentScenario: scenario } = this;
    const note = (isProven: boolean, evidence: string): void => {
      const row = { scenario, assertion, evidence, seconds: (Date.now() - started) / 1000, isProven };
      this.rows.push(row);
      this.running.delete(assertion);
      console.log(`  ${isProven ? '✔' : '✖'} ${assertion} (${row.seconds.toFixed(1)} s)${evidence.split('\n').map((line) => `\n      ${line}`).join('')}`);
    };
    this.running.add(assertion);
    try {
      note(true, await proof());
    } catch (error) {
      note(false, error instanceof Error ? error.message : String(error));
    }
  }

  public get scenario(): string {
    return this.currentScenario;
  }

  /** The claims that are being proven now. */
  public get unfinished(): readonly string[] {
    return [...this.running];
  }

  public get failed(): readonly string[] {
    return this.rows.filter(({ isProven }) => !isProven).map(({ scenario, assertion }) => `${scenario}: ${assertion}`);
  }

  public get count(): number {
    return this.rows.length;
  }

  /** Messages and claims, each as a table; then the sum of them. */
  public summary(): string {
    const scenarios = new Map<string, Row[]>();
    for (const row of this.rows) scenarios.set(row.scenario, [...scenarios.get(row.scenario) ?? [], row]);
    const { count, failed, cases } = this;
    const messages = [
      `${cases.length} messages: what \`mta-sts verify --smtp\` said just before, what was expected, what the sender did, and its own log`,
      this.senders,
      textTable(
        ['sender', 'case', 'predicted', 'expected', 'did', 'host'],
        cases.map(({ sender, what, predicted, expected, did, host = '' }) => [sender, what, predicted, expected, did, host]),
        cases.map(({ log }) => log),
      ),
      '',
    ];
    return [
      '',
      ...cases.length > 0 ? messages : [],
      textTable(['scenario', 'assertions', 'proven'], [...scenarios].map(([scenario, rows]) => {
        return [scenario, String(rows.length), String(rows.filter(({ isProven }) => isProven).length)];
      })),
      '',
      `${count} assertions, ${failed.length} not proven, ${((Date.now() - this.started) / 1000).toFixed(0)} s${failed.map((assertion) => `\n  ✖ ${assertion}`).join('')}`,
    ].join('\n');
  }
}

/**
 * Columns as wide as what is in them.
 *
 * @param below - a line of text below each row
 */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[], below: readonly string[] = []): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[], filler = ' '): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column], filler)).join(' | ')} |`;
  return [
    line(head),
    line(head.map(() => ''), '-'),
    ...rows.flatMap((row, index) => [line(row), ...below.length === 0 ? [] : [`    ${below[index]}`]]),
  ].join('\n');
}
