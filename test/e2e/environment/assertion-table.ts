// Prints each assertion with its evidence when it is proven or not, and the tables at the end of a run.

/** Result of one assertion. */
interface Row {
  readonly scenario: string;
  readonly assertion: string;
  readonly evidence: string;
  readonly seconds: number;
  readonly isProven: boolean;
}

/** Marks a case in which the sender is expected to do what was predicted. */
export const AGREES = 'agrees';

/** One message of a real sender, which did what was expected. */
export interface Case {
  readonly sender: string;
  readonly what: string;
  /** Prediction of `mta-sts verify --smtp` just before: `deliver-verified`, `deliver-unverified`, `refuse`, or `unknown`. */
  readonly predicted: string;
  /** `agrees`, or why this sender does something else. */
  readonly expected: string;
  readonly did: string;
  /** Mail host that received the message. Undefined if the sender refused to deliver. */
  readonly host?: string;
  /** Line of the sender's own log that shows the outcome. */
  readonly log: string;
}

export class AssertionTable {
  public readonly cases: Case[] = [];
  /** Names and versions of the senders. */
  public senders = '';
  private readonly rows: Row[] = [];
  private readonly started = Date.now();
  private currentScenario = '';
  private readonly running = new Set<string>();

  /** Prints the title of a scenario. Later assertions belong to it. */
  public begin(scenario: string): void {
    this.currentScenario = scenario;
    console.log(`\n${scenario}`);
  }

  /**
   * Runs a proof, and prints its result.
   *
   * @param assertion - a sentence
   * @param proof - returns short evidence, or throws the reason against the assertion
   */
  public async prove(assertion: string, proof: () => Promise<string> | string): Promise<void> {
    const started = Date.now();
    const { currentScenario: scenario } = this;
    const report = (isProven: boolean, evidence: string): void => {
      const row = { scenario, assertion, evidence, seconds: (Date.now() - started) / 1000, isProven };
      this.rows.push(row);
      this.running.delete(assertion);
      console.log(`  ${isProven ? '✔' : '✖'} ${assertion} (${row.seconds.toFixed(1)} s)${evidence.split('\n').map((line) => `\n      ${line}`).join('')}`);
    };
    this.running.add(assertion);
    try {
      report(true, await proof());
    } catch (error) {
      report(false, error instanceof Error ? error.message : String(error));
    }
  }

  public get scenario(): string {
    return this.currentScenario;
  }

  /** Assertions whose proof is running. */
  public get unfinished(): readonly string[] {
    return [...this.running];
  }

  public get failed(): readonly string[] {
    return this.rows.filter(({ isProven }) => !isProven).map(({ scenario, assertion }) => `${scenario}: ${assertion}`);
  }

  public get count(): number {
    return this.rows.length;
  }

  /** Returns the table of messages, the table of scenarios with their number of assertions, and the totals. */
  public summary(): string {
    const scenarios = new Map<string, Row[]>();
    for (const row of this.rows) scenarios.set(row.scenario, [...scenarios.get(row.scenario) ?? [], row]);
    const { count, failed, cases } = this;
    const messages = [
      `${cases.length} messages: the prediction of \`mta-sts verify --smtp\` just before, the expectation, the action of the sender, and its own log`,
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
 * Formats a table with columns as wide as their content.
 *
 * @param below - a line of text below each row
 */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[], below: readonly string[] = []): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], filler = ' '): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |`;
  return [
    line(head),
    line(head.map(() => ''), '-'),
    ...rows.flatMap((row, index) => [line(row), ...below.length === 0 ? [] : [`    ${below[index]}`]]),
  ].join('\n');
}
