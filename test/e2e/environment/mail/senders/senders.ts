// All senders of the test environment.
import type { TestEnvironment } from '../../environment';
import { Chasquid } from './chasquid';
import { Postfix } from './postfix';
import type { Sender } from './sender';

export class Senders {
  /** Starts all senders. They run until the process ends. */
  public static async start(environment: TestEnvironment): Promise<Senders> {
    const all = [await Postfix.start(environment), await Chasquid.start(environment)];
    environment.table.senders = all.map(({ version }) => version).join('; ');
    return new Senders(all);
  }

  private messages = 0;

  private constructor(public readonly all: readonly Sender[]) {}

  /** Proves an assertion for each sender, for all at the same time. */
  public async each(
    assertion: (sender: Sender) => string, { table }: TestEnvironment, proof: (sender: Sender) => Promise<string>,
  ): Promise<void> {
    await Promise.all(this.all.map(async (sender) => table.prove(assertion(sender), () => proof(sender))));
  }

  /** Returns a recipient address that no other message has. */
  public newRecipient(): string {
    this.messages += 1;
    return `case-${this.messages}@example.test`;
  }
}
