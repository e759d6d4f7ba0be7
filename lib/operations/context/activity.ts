// Tracks the pending steps of an operation and its last observation, for the message at the end of its time.

/** The pending steps and the last observation. */
export class Activity {
  private readonly steps = new Set<{ readonly name: string }>();
  private lastSeen = '';

  /**
   * Runs a step and tracks it under its name.
   *
   * @param name - for example `GetHostedZone of Route 53`
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

  /** Notes an observation. */
  public noteSeen(state: string): void {
    this.lastSeen = state;
  }

  /** Returns `waiting for A and B; last seen: C`. */
  public describe(): string {
    const names = [...new Set([...this.steps].map(({ name }) => name))];
    const waiting = names.length === 0 ? 'waiting to try again' : `waiting for ${names.join(' and ')}`;
    return this.lastSeen === '' ? waiting : `${waiting}; last seen: ${this.lastSeen}`;
  }
}
