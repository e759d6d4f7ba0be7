// Keeps the ledger of one publication, and chooses its id. A ledger that cannot be read or written never stops the publication: the log and
// the attributes say so, and no dates are known then.
import type { Policy } from '../../protocol/policy/policy';
import { hashOfPolicyId } from '../../protocol/policy/id';
import { restarted, confirmLive, currentEntry, publishesBytes, keptId, recordPublication, unusedId } from './history';
import type { HistoryEntry, History } from './history';
import { HistoryChanged, readHistory, writeHistory } from './s3-store';
import type { StoredHistory, StoredText } from './s3-store';
import { earliestRemoval } from './removal';
import { historyLocation, parseS3Url } from '../../contract/object-keys';
import type { S3Location } from '../../contract/object-keys';
import type { OperationContext } from '../context/operation-context';

/** A policy of a template. */
export interface PlannedPublication extends Policy {
  /** Of the bytes, as `policyHash` returns it. */
  readonly hash: string;
  /** The id that the template names, as those of the releases before 0.2 do. Missing: the publication chooses it. */
  readonly givenId?: string;
}

/** What the keeper needs to know of a publication. */
export interface RecorderOptions {
  /** Where the file is put. */
  readonly object: S3Location;
  readonly policy: PlannedPublication;
  /** The request id of the event. */
  readonly requestId: string;
  /** The physical id from before; missing on a Create. */
  readonly before?: string;
  /** What was published before, where that can be read. */
  readonly previousPolicy?: PlannedPublication;
  /** Reads the id that stands in the record now; undefined where that cannot be learned. Not asked on a Create. */
  readonly readPublishedId: (context: OperationContext) => Promise<string | undefined>;
  /** Whether the stack may be rolling back: then the record may keep the id that it had before. Not asked on a Create. */
  readonly mayBeRollingBack: (context: OperationContext) => Promise<boolean>;
  /** Passes while CloudFormation waits for this event; throws `EventNotCurrent` otherwise. */
  readonly requireCurrent: (context: OperationContext) => Promise<void>;
}

/** A ledger, and the text in the bucket that it was read from or written to. */
interface Known {
  readonly history: History;
  readonly stored: StoredText;
}

/** Writes that are tried. Events that write at the same time are few. */
const MAX_WRITES = 5;

export class HistoryRecorder {
  private readonly object: S3Location | undefined;
  private known: Known | undefined;
  private chosen: string | undefined;
  private announced: string | undefined;
  private isRollback = false;
  private isFinished = false;
  /** A phrase to put after "the ledger"; empty while all is well. */
  private trouble = 'was not read';

  constructor(private readonly keeping: RecorderOptions) {
    this.object = historyLocation(keeping.object);
  }

  /** Missing while it could not be read. */
  public get history(): History | undefined {
    return this.known?.history;
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
  public async start(context: OperationContext): Promise<void> {
    const { before, readPublishedId: announced, mayBeRollingBack: rollingBack } = this.keeping;
    if (before !== undefined) [this.announced, this.isRollback] = await Promise.all([announced(context), rollingBack(context)]);
    await this.change(context, (history) => this.noted(context, history));
    // Without a ledger nothing says that an older id may be kept.
    this.chosen ??= this.choose({ entries: [] }, context.services.clock.now());
  }

  /**
   * Notes that the file was seen live: no sooner do edges stop to give the old one.
   *
   * @throws EventNotCurrent where another event has put another file since
   */
  public async confirmLive(context: OperationContext): Promise<void> {
    const before = this.known;
    // Read once more: only so is it seen that another event has put another file since.
    this.known = undefined;
    await this.change(context, async (history) => {
      if (this.isNoted(history)) return confirmLive(history, context.services.clock.now(), this.isRollback);
      if (before !== undefined) await this.keeping.requireCurrent(context);
      return confirmLive(this.noted(context, history), context.services.clock.now(), this.isRollback);
    });
    this.known ??= before;
    this.isFinished = true;
  }

  /** Reads the entry of what was put last, by whichever event; undefined where there is none, `unread` where that cannot be learned. */
  public async readLast(context: OperationContext): Promise<HistoryEntry | 'unread' | undefined> {
    const here = this.object === undefined ? undefined : await readHistory(context, this.object);
    if (here === undefined || here.state === 'unread' || here.state === 'lost') return 'unread';
    return here.state === 'found' ? currentEntry(here.history) : undefined;
  }

  /**
   * Tells who put the file that is noted last: this run of the event, another run of it that saw the file live and may have been
   * answered, or another event.
   */
  public async lastWriter(context: OperationContext): Promise<'this run' | 'another run' | 'another event' | 'unknown'> {
    const last = await this.readLast(context);
    if (last === undefined || last === 'unread') return 'unknown';
    if (last.requestId !== this.keeping.requestId) return 'another event';
    return last.confirmedLiveAt === undefined || this.isFinished ? 'this run' : 'another run';
  }

  /** The value of the attribute. */
  public earliestRemoval(): string {
    return this.known === undefined || this.trouble !== '' ? `not known: the ledger ${this.trouble}` : earliestRemoval(this.known.history);
  }

  /** Changes what lies in the bucket; once more, with what lies there then, where another event was faster. */
  private async change(context: OperationContext, apply: (history: History) => History | Promise<History>): Promise<void> {
    const { object } = this;
    if (object === undefined) {
      this.trouble = 'has no place, since the key of the policy file names no domain';
      return;
    }
    for (let writes = 1; ; writes += 1) {
      const known = this.known ?? await this.read(context, object);
      if (known === undefined) return;
      const history = await apply(known.history);
      this.known = { history, stored: known.stored };
      try {
        this.known = { history, stored: await writeHistory(context, object, history, known.stored) };
        this.trouble = '';
        return;
      } catch (error) {
        context.signal.throwIfAborted();
        if (error instanceof HistoryChanged && writes < MAX_WRITES) {
          context.log.info('another event has written the ledger; it is read again', { ...object });
          await this.keeping.requireCurrent(context);
          this.known = undefined;
          continue;
        }
        const reason = error instanceof Error ? error.message : String(error);
        context.log.warn('the ledger of what was published could not be written; the publication goes on without it', { ...object, reason });
        this.trouble = `could not be written: ${reason}`;
        return;
      }
    }
  }

  private async read(context: OperationContext, object: S3Location): Promise<Known | undefined> {
    const here = await readHistory(context, object);
    const history = here.state === 'missing' ? await this.readElsewhere(context, object) ?? here : here;
    if (history.state === 'unread') {
      // Nothing is written: that would end a history that may be whole.
      context.log.warn('the ledger of what was published could not be read; the publication goes on without it', { ...object, reason: history.why });
      this.trouble = `could not be read: ${history.why}`;
      return undefined;
    }
    const stored = here.state === 'found' ? here : here.state === 'lost' ? { etag: here.etag } : { missing: true as const };
    return { history: opened(context, history, this.keeping), stored };
  }

  /** Where the bucket was replaced, the history is still in the old one. */
  private async readElsewhere(context: OperationContext, object: S3Location): Promise<StoredHistory | undefined> {
    const before = parseS3Url(this.keeping.before);
    const there = before === undefined ? undefined : historyLocation(before);
    return there === undefined || there.bucket === object.bucket ? undefined : readHistory(context, there);
  }

  private noted(context: OperationContext, history: History): History {
    const { policy, requestId: request } = this.keeping;
    const now = context.services.clock.now();
    const whole = this.mended(context, history, now);
    this.chosen = this.choose(whole, now);
    return recordPublication(whole, { ...policy, id: this.chosen, requestId: request }, now, this.announced);
  }

  private choose(history: History, now: number): string {
    const { policy: { hash, givenId }, requestId: request } = this.keeping;
    return givenId ?? keptId(history, hash, request) ?? unusedId(history, hash, now, this.announced);
  }

  /**
   * Whether the last entry is this publication. An event with the same bytes that ran at the same time may have noted it once more:
   * then its id counts.
   */
  private isNoted(history: History): boolean {
    const last = currentEntry(history);
    if (!publishesBytes(last, this.keeping.policy.hash)) return false;
    this.chosen = last.id;
    return true;
  }

  /** What was published while the ledger could not be kept. */
  private mended(context: OperationContext, history: History, now: number): History {
    const { previousPolicy: policyBefore, policy, before, object } = this.keeping;
    const last = currentEntry(history)?.hash;
    // The second time that an event comes what was before it has been left behind.
    const isKnown = last === policyBefore?.hash || (last === policy.hash && history.entries.some(({ hash }) => hash === policyBefore?.hash));
    if (policyBefore === undefined || isKnown) return history;
    const { hash, givenId } = policyBefore;
    // Which id it had is known where that is still announced; else it is noted under one that nobody has.
    const announced = hashOfPolicyId(this.announced ?? '') === hash ? this.announced : undefined;
    const missed = { ...policyBefore, id: givenId ?? announced ?? unusedId(history, hash, now, this.announced) };
    // In another bucket nothing is amiss: the publication that the ledger misses is the one that is being rolled back.
    const isElsewhere = parseS3Url(before)?.bucket !== object.bucket;
    if (history.gap !== undefined || isElsewhere) return recordPublication(history, missed, now);
    context.log.warn('the ledger misses a publication; it goes on from here', { id: missed.id });
    return recordPublication({ ...history, gap: { restartedAt: now, reason: 'missed a publication' } }, missed, now);
  }
}

function opened(context: OperationContext, stored: Exclude<StoredHistory, { state: 'unread' }>, { before }: RecorderOptions): History {
  if (stored.state === 'found') return stored.history;
  const now = context.services.clock.now();
  // Where this construct published nothing before there can be none.
  if (stored.state === 'missing' && before === undefined) return { entries: [], startedAt: now };
  const why = stored.state === 'missing' ? 'was missing' : stored.why;
  context.log.warn(`the ledger of what was published ${why}; it is begun anew`);
  return restarted(why, now);
}
