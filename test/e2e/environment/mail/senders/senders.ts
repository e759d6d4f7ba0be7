// All senders of the stage.
import type { TestEnvironment } from '../../environment';
import { Chasquid } from './chasquid';
import { Postfix } from './postfix';
import type { Sender } from './sender';

export class Senders {
  public static async start(environment: TestEnvironment): Promise<Senders> {
    const all = [await Postfix.start(environment), await Chasquid.start(environment)];
    environment.table.senders = all.map(({ version }) => version).join('; ');
    return new Senders(all);
  }

  private messages = 0;

  private constructor(public readonly all: readonly Sender[]) {}

  /** Proves a claim of each sender, of all at the same time. */
  public async each(assertion: (sender: Sender) => string, { table }: TestEnvironment, proof: (sender: Sender) => Promise<string>): Promise<void> {
    await Promise.all(this.all.map(async (sender) => table.prove(assertion(sender), () => proof(sender))));
  }

  /** An address that no other message goes to. */
  public newRecipient(): string {
    this.messages += 1;
    return `case-${this.messages}@example.test`;
  }
}
