// Gathers what comes in pieces in one buffer of limited size: pieces that are kept hold on to the memory they were cut from.

/** Lives for one message. */
export class BoundedBytes {
  private buffer = Buffer.alloc(0);
  private length = 0;
  private over = false;

  /** @param limit - in bytes */
  public constructor(private readonly limit: number) {}

  /** Whether more than the limit has come. */
  public get isOver(): boolean {
    return this.over;
  }

  /** Copies a piece, as far as it fits. Gives whether it did. */
  public add(piece: Uint8Array): boolean {
    const taken = Math.min(piece.length, this.limit - this.length);
    if (taken < piece.length) this.over = true;
    this.grow(this.length + taken);
    this.buffer.set(piece.subarray(0, taken), this.length);
    this.length += taken;
    return !this.over;
  }

  /** What has come, in memory of its own. */
  public bytes(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }

  /** What has come, for a look at it before more does. */
  public get view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private grow(needed: number): void {
    if (needed <= this.buffer.length) return;
    const grown = Buffer.alloc(Math.min(this.limit, Math.max(needed, 2 * this.buffer.length, LEAST)));
    grown.set(this.view);
    this.buffer = grown;
  }
}

/** In bytes: more than most policies have. */
const LEAST = 1024;
