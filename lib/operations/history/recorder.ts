// Keeps the ledger of one publication, and chooses its id. A ledger that cannot be read or written never stops the publication: the log and
// the attributes say so, and no dates are known then.
import type { Policy } from '../../protocol/policy/policy';
import { hashOfPolicyId } from '../../protocol/policy/id';
import { begunAnew, close, current, isOf, keptId, record, unusedId } from './history';
import type { Entry, Ledger } from './history';
import { LedgerChanged, ledgerObject, readLedger, writeLedger } from './s3-store';
import type { StoredLedger, StoredText } from './s3-store';
import { earliestRemoval } from './removal';
import { parseObjectUrl } from '../publish/policy-object';
import type { PolicyObject } from '../publish/policy-object';
import type { Run } from '../context/invocation';

/** A policy of a template. */
export interface PlannedPublication extends Policy {
  /** Of the bytes, as `policyHash` returns it. */
  readonly hash: string;
  /** The id that the template names, as those of the releases before 0.2 do. Missing: the publication chooses it. */
  readonly givenId?: string;
}

/** What the keeper needs to know of a publication. */
export interface Keeping {
  /** Where the file is put. */
  readonly object: PolicyObject;
  readonly policy: PlannedPublication;
  /** The request id of the event. */
  readonly request: string;
  /** The physical id from before; missing on a Create. */
  readonly before?: string;
  /** What was published before, where that can be read. */
  readonly policyBefore?: PlannedPublication;
  /** Reads the id that stands in the record now; undefined where that cannot be learned. Not asked on a Create. */
  readonly announced: (run: Run) => Promise<string | undefined>;
  /** Whether the stack may be rolling back: then the record may keep the id that it had before. Not asked on a Create. */
  readonly rollingBack: (run: Run) => Promise<boolean>;
  /** Passes while CloudFormation waits for this event; throws `EventNotCurrent` otherwise. */
  readonly requireCurrent: (run: Run) => Promise<void>;
}

/** A ledger, and the text in the bucket that it was read from or written to. */
interface Known {
  readonly ledger: Ledger;
  readonly stored: StoredText;
}

/** Writes that are tried. Events that write at the same time are few. */
const MAX_WRITES = 5;

export class LedgerKeeper {
  private readonly object: PolicyObject | undefined;
  private known: Known | undefined;
  private chosen: string | undefined;
  private announced: string | undefined;
  private isRollback = false;
  private isFinished = false;
  /** A phrase to put after "the ledger"; empty while all is well. */
  private trouble = 'was not read';

  constructor(private readonly keeping: Keeping) {
    this.object = ledgerObject(keeping.object);
  }

  /** Missing while it could not be read. */
  public get ledger(): Ledger | undefined {
    return this.known?.ledger;
  }

  /** The id of this publication; missing before `begin`. */
  public get id(): string | undefined {
    return this.chosen;
  }

  /**
   * Chooses the id and notes the publication, before the file is put: a sender may fetch it the moment it is there.
   *
   * @throws EventNotCurrent where another event is under way in its place
   */
  public async begin(run: Run): Promise<void> {
    const { before, announced, rollingBack } = this.keeping;
    if (before !== undefined) [this.announced, this.isRollback] = await Promise.all([announced(run), rollingBack(run)]);
    await this.change(run, (ledger) => this.noted(run, ledger));
    // Without a ledger nothing says that an older id may be kept.
    this.chosen ??= this.choose({ entries: [] }, run.world.clock.now());
  }

  /**
   * Notes that the file was seen live: no sooner do edges stop to give the old one.
   *
   * @throws EventNotCurrent where another event has put another file since
   */
  public async finish(run: Run): Promise<void> {
    const before = this.known;
    // Read once more: only so is it seen that another event has put another file since.
    this.known = undefined;
    await this.change(run, async (ledger) => {
      if (this.isNoted(ledger)) return close(ledger, run.world.clock.now(), this.isRollback);
      if (before !== undefined) await this.keeping.requireCurrent(run);
      return close(this.noted(run, ledger), run.world.clock.now(), this.isRollback);
    });
    this.known ??= before;
    this.isFinished = true;
  }

  /** Reads the entry of what was put last, by whichever event; undefined where there is none, `unread` where that cannot be learned. */
  public async last(run: Run): Promise<Entry | 'unread' | undefined> {
    const here = this.object === undefined ? undefined : await readLedger(run, this.object);
    if (here === undefined || here.state === 'unread' || here.state === 'lost') return 'unread';
    return here.state === 'found' ? current(here.ledger) : undefined;
  }

  /**
   * Tells who put the file that is noted last: this run of the event, another run of it that saw the file live and may have been
   * answered, or another event.
   */
  public async writer(run: Run): Promise<'this run' | 'another run' | 'another event' | 'unknown'> {
    const last = await this.last(run);
    if (last === undefined || last === 'unread') return 'unknown';
    if (last.request !== this.keeping.request) return 'another event';
    return last.live === undefined || this.isFinished ? 'this run' : 'another run';
  }

  /** The value of the attribute. */
  public earliestRemoval(): string {
    return this.known === undefined || this.trouble !== '' ? `not known: the ledger ${this.trouble}` : earliestRemoval(this.known.ledger);
  }

  /** Changes what lies in the bucket; once more, with what lies there then, where another event was faster. */
  private async change(run: Run, apply: (ledger: Ledger) => Ledger | Promise<Ledger>): Promise<void> {
    const { object } = this;
    if (object === undefined) {
      this.trouble = 'has no place, since the key of the policy file names no domain';
      return;
    }
    for (let writes = 1; ; writes += 1) {
      const known = this.known ?? await this.read(run, object);
      if (known === undefined) return;
      const ledger = await apply(known.ledger);
      this.known = { ledger, stored: known.stored };
      try {
        this.known = { ledger, stored: await writeLedger(run, object, ledger, known.stored) };
        this.trouble = '';
        return;
      } catch (error) {
        run.signal.throwIfAborted();
        if (error instanceof LedgerChanged && writes < MAX_WRITES) {
          run.log.info('another event has written the ledger; it is read again', { ...object });
          await this.keeping.requireCurrent(run);
          this.known = undefined;
          continue;
        }
        const reason = error instanceof Error ? error.message : String(error);
        run.log.warn('the ledger of what was published could not be written; the publication goes on without it', { ...object, reason });
        this.trouble = `could not be written: ${reason}`;
        return;
      }
    }
  }

  private async read(run: Run, object: PolicyObject): Promise<Known | undefined> {
    const here = await readLedger(run, object);
    const history = here.state === 'missing' ? await this.readElsewhere(run, object) ?? here : here;
    if (history.state === 'unread') {
      // Nothing is written: that would end a history that may be whole.
      run.log.warn('the ledger of what was published could not be read; the publication goes on without it', { ...object, reason: history.why });
      this.trouble = `could not be read: ${history.why}`;
      return undefined;
    }
    const stored = here.state === 'found' ? here : here.state === 'lost' ? { etag: here.etag } : { missing: true as const };
    return { ledger: opened(run, history, this.keeping), stored };
  }

  /** Where the bucket was replaced, the history is still in the old one. */
  private async readElsewhere(run: Run, object: PolicyObject): Promise<StoredLedger | undefined> {
    const before = parseObjectUrl(this.keeping.before);
    const there = before === undefined ? undefined : ledgerObject(before);
    return there === undefined || there.bucket === object.bucket ? undefined : readLedger(run, there);
  }

  private noted(run: Run, ledger: Ledger): Ledger {
    const { policy, request } = this.keeping;
    const now = run.world.clock.now();
    const whole = this.mended(run, ledger, now);
    this.chosen = this.choose(whole, now);
    return record(whole, { ...policy, id: this.chosen, request }, now, this.announced);
  }

  private choose(ledger: Ledger, now: number): string {
    const { policy: { hash, givenId }, request } = this.keeping;
    return givenId ?? keptId(ledger, hash, request) ?? unusedId(ledger, hash, now, this.announced);
  }

  /**
   * Whether the last entry is this publication. An event with the same bytes that ran at the same time may have noted it once more:
   * then its id counts.
   */
  private isNoted(ledger: Ledger): boolean {
    const last = current(ledger);
    if (!isOf(last, this.keeping.policy.hash)) return false;
    this.chosen = last.id;
    return true;
  }

  /** What was published while the ledger could not be kept. */
  private mended(run: Run, ledger: Ledger, now: number): Ledger {
    const { policyBefore, policy, before, object } = this.keeping;
    const last = current(ledger)?.hash;
    // The second time that an event comes what was before it has been left behind.
    const isKnown = last === policyBefore?.hash || (last === policy.hash && ledger.entries.some(({ hash }) => hash === policyBefore?.hash));
    if (policyBefore === undefined || isKnown) return ledger;
    const { hash, givenId } = policyBefore;
    // Which id it had is known where that is still announced; else it is noted under one that nobody has.
    const announced = hashOfPolicyId(this.announced ?? '') === hash ? this.announced : undefined;
    const missed = { ...policyBefore, id: givenId ?? announced ?? unusedId(ledger, hash, now, this.announced) };
    // In another bucket nothing is amiss: the publication that the ledger misses is the one that is being rolled back.
    const isElsewhere = parseObjectUrl(before)?.bucket !== object.bucket;
    if (ledger.gap !== undefined || isElsewhere) return record(ledger, missed, now);
    run.log.warn('the ledger misses a publication; it goes on from here', { id: missed.id });
    return record({ ...ledger, gap: { at: now, why: 'missed a publication' } }, missed, now);
  }
}

function opened(run: Run, stored: Exclude<StoredLedger, { state: 'unread' }>, { before }: Keeping): Ledger {
  if (stored.state === 'found') return stored.ledger;
  const now = run.world.clock.now();
  // Where this construct published nothing before there can be none.
  if (stored.state === 'missing' && before === undefined) return { entries: [], begun: now };
  const why = stored.state === 'missing' ? 'was missing' : stored.why;
  run.log.warn(`the ledger of what was published ${why}; it is begun anew`);
  return begunAnew(why, now);
}
