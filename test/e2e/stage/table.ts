// What was proven, as it is found and as a table at the end.

/** One claim, and what came of it. */
interface Row {
  readonly scene: string;
  readonly claim: string;
  readonly evidence: string;
  readonly seconds: number;
  readonly good: boolean;
}

export class Table {
  private readonly rows: Row[] = [];
  private scene = '';

  public begin(scene: string): void {
    this.scene = scene;
    console.log(`\n${scene}`);
  }

  /**
   * Proves a claim.
   *
   * @param claim - a sentence
   * @param proof - gives the evidence in a few words, or throws what is against it
   */
  public async prove(claim: string, proof: () => Promise<string> | string): Promise<void> {
    const started = Date.now();
    const note = (good: boolean, evidence: string): void => {
      const row = { scene: this.scene, claim, evidence, seconds: (Date.now() - started) / 1000, good };
      this.rows.push(row);
      console.log(`  ${good ? '✔' : '✖'} ${claim} (${row.seconds.toFixed(1)} s)${evidence.split('\n').map((line) => `\n      ${line}`).join('')}`);
    };
    try {
      note(true, await proof());
    } catch (error) {
      note(false, error instanceof Error ? error.message : String(error));
    }
  }

  public get failed(): readonly string[] {
    return this.rows.filter(({ good }) => !good).map(({ scene, claim }) => `${scene}: ${claim}`);
  }

  public get count(): number {
    return this.rows.length;
  }
}
