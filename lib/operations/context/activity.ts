// Keeps in mind what an event is waiting for and what it saw last, for the message when its time is over.

/** What is going on right now. */
export class Activity {
  private readonly steps = new Set<{ readonly name: string }>();
  private lastSeen = '';

  /**
   * Runs a step under its name.
   *
   * @param name - what is waited for, `GetHostedZone of Route 53` for example
   */
  public async track<T>(name: string, step: () => Promise<T>): Promise<T> {
    const entry = { name };
    this.steps.add(entry);
    try {
      return await step();
    } finally {
      this.steps.delete(entry);
    }
  }

  /** Notes the last state that was seen. */
  public noteSeen(state: string): void {
    this.lastSeen = state;
  }

  /** `waiting for A and B; last seen: C`. */
  public describe(): string {
    const names = [...new Set([...this.steps].map(({ name }) => name))];
    const waiting = names.length === 0 ? 'waiting to try again' : `waiting for ${names.join(' and ')}`;
    return this.lastSeen === '' ? waiting : `${waiting}; last seen: ${this.lastSeen}`;
  }
}
