// Keeps the ledger of one publication. Whatever is wrong with it never stops the publication; it is said, and the dates are not known then.
import { begunAnew, close, current, record } from './ledger';
import type { Ledger, Published } from './ledger';
import { ledgerObject, readLedger, writeLedger } from './ledger-object';
import type { StoredLedger } from './ledger-object';
import { earliestRemoval } from './ledger-removal';
import { parseObjectUrl } from './policy-object';
import type { PolicyObject } from './policy-object';
import type { Run } from './run';

/** What a publication is about. */
export interface Keeping {
  /** Where the file is put. */
  readonly object: PolicyObject;
  readonly policy: Published;
  /** The physical id from before; missing on a Create. */
  readonly before?: string;
  /** What was published before, where that can be read. */
  readonly policyBefore?: Published;
  /** Reads the id that stands in the record now; undefined where that cannot be learned. Not asked on a Create. */
  readonly announced: (run: Run) => Promise<string | undefined>;
}

export class LedgerKeeper {
  private readonly object: PolicyObject | undefined;
  private kept: Ledger | undefined;
  /** What lies in the bucket, where that is known. */
  private stored: string | undefined;
  /** A phrase to put after "the ledger"; empty while all is well. */
  private trouble = 'was not read';

  constructor(private readonly keeping: Keeping) {
    this.object = ledgerObject(keeping.object);
  }

  /** Missing while it could not be read. */
  public get ledger(): Ledger | undefined {
    return this.kept;
  }

  /** Before the file is put: a sender may fetch it the moment it is there. */
  public async begin(run: Run): Promise<void> {
    const { object } = this;
    if (object === undefined) {
      this.trouble = 'has no place, since the key of the policy file names no domain';
      return;
    }
    const { before, announced } = this.keeping;
    const [stored, id] = await Promise.all([this.find(run, object), before === undefined ? undefined : announced(run)]);
    if (stored.state === 'unread') {
      // Nothing is written: that would end a history that may be whole.
      run.log.warn('the ledger of what was published could not be read; the publication goes on without it', { ...object, reason: stored.why });
      this.trouble = `could not be read: ${stored.why}`;
      return;
    }
    const now = run.world.clock.now();
    this.kept = record(this.mended(run, opened(run, stored, this.keeping, now), now), this.keeping.policy, now, id);
    await this.store(run, object);
  }

  /** After the file was seen live: no sooner do edges stop to give the old one. */
  public async finish(run: Run): Promise<void> {
    // A right that was too new before may be there by now.
    if (this.kept === undefined) await this.begin(run);
    if (this.kept === undefined || this.object === undefined) return;
    this.kept = close(this.kept, run.world.clock.now());
    await this.store(run, this.object);
  }

  /** The value of the attribute. */
  public earliestRemoval(): string {
    return this.kept === undefined || this.trouble !== '' ? `not known: the ledger ${this.trouble}` : earliestRemoval(this.kept);
  }

  /** With another bucket the history is still in the old one. */
  private async find(run: Run, object: PolicyObject): Promise<StoredLedger> {
    const here = await readLedger(run, object);
    const before = parseObjectUrl(this.keeping.before);
    const there = before === undefined ? undefined : ledgerObject(before);
    if (here.state !== 'missing' || there === undefined || there.bucket === object.bucket) {
      this.stored = here.state === 'found' ? here.text : undefined;
      return here;
    }
    return readLedger(run, there);
  }

  /** What was published while the ledger could not be kept. */
  private mended(run: Run, ledger: Ledger, now: number): Ledger {
    const { policyBefore, policy, before, object } = this.keeping;
    const last = current(ledger)?.id;
    // The second time that an event comes what was before it has been left behind.
    const isKnown = last === policyBefore?.id || (last === policy.id && ledger.entries.some(({ id }) => id === policyBefore?.id));
    if (policyBefore === undefined || isKnown) return ledger;
    // One that was in another bucket is no wonder: it is what is being rolled back.
    const isElsewhere = parseObjectUrl(before)?.bucket !== object.bucket;
    if (ledger.gap !== undefined || isElsewhere) return record(ledger, policyBefore, now);
    run.log.warn('the ledger misses a publication; it goes on from here', { id: policyBefore.id });
    return record({ ...ledger, gap: { at: now, why: 'missed a publication' } }, policyBefore, now);
  }

  private async store(run: Run, object: PolicyObject): Promise<void> {
    if (this.kept === undefined) return;
    try {
      this.stored = await writeLedger(run, object, this.kept, this.stored);
      this.trouble = '';
    } catch (error) {
      run.signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      run.log.warn('the ledger of what was published could not be written; the publication goes on without it', { ...object, reason });
      this.trouble = `could not be written: ${reason}`;
    }
  }
}

function opened(run: Run, stored: Exclude<StoredLedger, { state: 'unread' }>, { before }: Keeping, now: number): Ledger {
  if (stored.state === 'found') return stored.ledger;
  // Where this construct published nothing before there can be none.
  if (stored.state === 'missing' && before === undefined) return { entries: [], begun: now };
  const why = stored.state === 'missing' ? 'was missing' : stored.why;
  run.log.warn(`the ledger of what was published ${why}; it is begun anew`);
  return begunAnew(why, now);
}
