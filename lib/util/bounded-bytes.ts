// Collects the chunks of a message in one buffer of limited size. The chunks themselves would keep larger buffers in memory.

/** Lives for one message. */
export class BoundedBytes {
  private buffer = Buffer.alloc(0);
  private length = 0;
  private over = false;

  /** @param limit - maximum size in bytes */
  public constructor(private readonly limit: number) {}

  /** Whether more bytes arrived than the limit allows. */
  public get isOver(): boolean {
    return this.over;
  }

  /** Copies a chunk as far as it fits. Returns whether all of it did, and all before it. */
  public add(chunk: Uint8Array): boolean {
    const taken = Math.min(chunk.length, this.limit - this.length);
    if (taken < chunk.length) this.over = true;
    this.grow(this.length + taken);
    this.buffer.set(chunk.subarray(0, taken), this.length);
    this.length += taken;
    return !this.over;
  }

  /** Returns a copy of the collected bytes. */
  public bytes(): Buffer {
    return Buffer.from(this.view);
  }

  /** The collected bytes without a copy, valid until the next chunk. */
  public get view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private grow(needed: number): void {
    if (needed <= this.buffer.length) return;
    const grown = Buffer.alloc(Math.min(this.limit, Math.max(needed, 2 * this.buffer.length, MIN_BUFFER_BYTES)));
    grown.set(this.view);
    this.buffer = grown;
  }
}

/** More than most policies have. */
const MIN_BUFFER_BYTES = 1024;
