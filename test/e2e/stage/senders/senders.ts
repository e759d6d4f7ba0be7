// All senders of the stage.
import type { Stage } from '../stage';
import { Chasquid } from './chasquid';
import { Postfix } from './postfix';
import type { Sender } from './sender';

export class Senders {
  public static async start(stage: Stage): Promise<Senders> {
    const all = [await Postfix.start(stage), await Chasquid.start(stage)];
    stage.table.senders = all.map(({ version }) => version).join('; ');
    return new Senders(all);
  }

  private messages = 0;

  private constructor(public readonly all: readonly Sender[]) {}

  /** Proves a claim of each sender, of all at the same time. */
  public async each(claim: (sender: Sender) => string, { table }: Stage, proof: (sender: Sender) => Promise<string>): Promise<void> {
    await Promise.all(this.all.map(async (sender) => table.prove(claim(sender), () => proof(sender))));
  }

  /** An address that no other message goes to. */
  public newRecipient(): string {
    this.messages += 1;
    return `case-${this.messages}@example.test`;
  }
}
