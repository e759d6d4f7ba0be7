// Records one publication in the history, and chooses its id. An unreadable or unwritable history never stops the publication. The log and
// the result then say so, and no dates are known.
import { historyLocation } from '../../contract/object-keys';
import type { S3Location } from '../../contract/object-keys';
import { hashOfPolicyId } from '../../protocol/policy/id';
import type { Policy } from '../../protocol/policy/policy';
import { errorMessage } from '../../util/errors';
import type { OperationContext } from '../context/operation-context';
import { confirmLive, currentEntry, earliestRemoval, keptId, publishesBytes, recordPublication, restarted, unusedId } from './history';
import type { History, HistoryEntry } from './history';
import { HistoryChanged, readHistory, writeHistory } from './s3-store';
import type { StoredHistory, StoredText } from './s3-store';

/** A policy to publish. */
export interface PlannedPublication extends Policy {
  /** The hash of the bytes, as `policyHash` returns it. */
  readonly hash: string;
  /** The id that the caller chose: templates of the releases before 0.2 name one. Missing: the publication chooses the id. */
  readonly givenId?: string;
}

/** The publication that a new one replaces. */
export interface PreviousPublication {
  /** The location of its policy file. Missing where it is not known. */
  readonly object?: S3Location;
  /** Its policy. Missing where it is not readable. */
  readonly policy?: PlannedPublication;
}

/** One publication, as the recorder needs it. */
export interface RecorderOptions {
  /** The location of the policy file. */
  readonly object: S3Location;
  readonly policy: PlannedPublication;
  /** Identifies the request to publish. The same request may come twice. */
  readonly requestId: string;
  /** Missing for the first publication. */
  readonly previous?: PreviousPublication;
  /** Reads the id in the record; undefined where it cannot be read. Not called for the first publication. */
  readonly readPublishedId: (context: OperationContext) => Promise<string | undefined>;
  /** Returns whether the record may keep its previous id because the change is being rolled back. Not called for the first publication. */
  readonly mayBeRollingBack: (context: OperationContext) => Promise<boolean>;
  /** Rejects where the request is outdated. */
  readonly requireCurrent: (context: OperationContext) => Promise<void>;
}

/** The author of the last entry. `another run` is an earlier run of this request that saw the file live. */
export type LastWriter = 'this run' | 'another run' | 'another request' | 'unknown';

/** A history with the state of the stored object. */
interface KnownHistory {
  readonly history: History;
  readonly stored: StoredText;
}

/** Maximum number of writes. Few requests write at the same time. */
const MAX_WRITES = 5;

export class HistoryRecorder {
  private readonly location: S3Location | undefined;
  private known: KnownHistory | undefined;
  private chosenId: string | undefined;
  private publishedId: string | undefined;
  private isRollback = false;
  private isFinished = false;
  /** A phrase to put after "the publication history"; empty without a problem. */
  private problem = 'was not read';

  constructor(private readonly options: RecorderOptions) {
    this.location = historyLocation(options.object);
  }

  /** The history. Missing while it could not be read. */
  public get history(): History | undefined {
    return this.known?.history;
  }

  /** The id of this publication. Missing before `start`. */
  public get id(): string | undefined {
    return this.chosenId;
  }

  /** The time after which no sender can hold an enforce or testing policy, or the reason why it is not known. */
  public get earliestRemoval(): string {
    return this.known === undefined || this.problem !== '' ? `not known: the publication history ${this.problem}` : earliestRemoval(this.known.history);
  }

  /**
   * Chooses the id and records the publication. Must run before the file is put, because senders may fetch the file at once.
   *
   * @throws whatever `requireCurrent` throws
   */
  public async start(context: OperationContext): Promise<void> {
    const { previous, readPublishedId, mayBeRollingBack } = this.options;
    if (previous !== undefined) {
      [this.publishedId, this.isRollback] = await Promise.all([readPublishedId(context), mayBeRollingBack(context)]);
    }
    await this.change(context, (history) => this.recorded(context, history));
    // Without a history, nothing shows that an older id may be kept.
    this.chosenId ??= this.chooseId({ entries: [] }, context.services.clock.now());
  }

  /**
   * Records that every edge serves the file. Only then do edges stop to serve the old file.
   *
   * @throws whatever `requireCurrent` throws
   */
  public async confirmLive(context: OperationContext): Promise<void> {
    const before = this.known;
    // Reads the history again to see whether another request has put another file.
    this.known = undefined;
    await this.change(context, async (history) => {
      if (this.adoptsLastEntry(history)) return confirmLive(history, context.services.clock.now(), this.isRollback);
      if (before !== undefined) await this.options.requireCurrent(context);
      return confirmLive(this.recorded(context, history), context.services.clock.now(), this.isRollback);
    });
    this.known ??= before;
    this.isFinished = true;
  }

  /** Reads the last entry, of whichever request; undefined for an empty history, `unread` where the entry is not known. */
  public async readLast(context: OperationContext): Promise<HistoryEntry | 'unread' | undefined> {
    const stored = this.location === undefined ? undefined : await readHistory(context, this.location);
    if (stored === undefined || stored.state === 'unread' || stored.state === 'lost') return 'unread';
    return stored.state === 'found' ? currentEntry(stored.history) : undefined;
  }

  /** Reads who put the file of the last entry. */
  public async lastWriter(context: OperationContext): Promise<LastWriter> {
    const last = await this.readLast(context);
    if (last === undefined || last === 'unread') return 'unknown';
    if (last.requestId !== this.options.requestId) return 'another request';
    return last.confirmedLiveAt === undefined || this.isFinished ? 'this run' : 'another run';
  }

  /** Changes the stored history. Tries again with the new text if another request was faster. */
  private async change(context: OperationContext, apply: (history: History) => History | Promise<History>): Promise<void> {
    const { location } = this;
    if (location === undefined) {
      this.problem = 'has no place, since the key of the policy file names no domain';
      return;
    }
    for (let writes = 1; ; writes += 1) {
      const known = this.known ?? await this.read(context, location);
      if (known === undefined) return;
      const history = await apply(known.history);
      this.known = { history, stored: known.stored };
      try {
        this.known = { history, stored: await writeHistory(context, location, history, known.stored) };
        this.problem = '';
        return;
      } catch (error) {
        context.signal.throwIfAborted();
        if (error instanceof HistoryChanged && writes < MAX_WRITES) {
          context.log.info('another request has written the publication history; reading it again', { ...location });
          await this.options.requireCurrent(context);
          this.known = undefined;
          continue;
        }
        const reason = errorMessage(error);
        context.log.warn('could not write the publication history; the publication continues without it', { ...location, reason });
        this.problem = `could not be written: ${reason}`;
        return;
      }
    }
  }

  private async read(context: OperationContext, location: S3Location): Promise<KnownHistory | undefined> {
    const here = await readHistory(context, location);
    const found = here.state === 'missing' ? await this.readPreviousBucket(context, location) ?? here : here;
    if (found.state === 'unread') {
      // A write would replace a history that may be intact.
      context.log.warn('could not read the publication history; the publication continues without it', { ...location, reason: found.why });
      this.problem = `could not be read: ${found.why}`;
      return undefined;
    }
    const stored = here.state === 'found' ? here : here.state === 'lost' ? { etag: here.etag } : { missing: true };
    return { history: this.opened(context, found), stored };
  }

  /** Reads the history in the previous bucket, where the bucket was replaced. */
  private async readPreviousBucket(context: OperationContext, location: S3Location): Promise<StoredHistory | undefined> {
    const before = this.options.previous?.object;
    const there = before === undefined ? undefined : historyLocation(before);
    return there === undefined || there.bucket === location.bucket ? undefined : readHistory(context, there);
  }

  /** Returns the stored history, or a new one in its place. */
  private opened(context: OperationContext, stored: Exclude<StoredHistory, { state: 'unread' }>): History {
    if (stored.state === 'found') return stored.history;
    const now = context.services.clock.now();
    // Before the first publication, no history can exist.
    if (stored.state === 'missing' && this.options.previous === undefined) return { entries: [], startedAt: now };
    const why = stored.state === 'missing' ? 'was missing' : stored.why;
    context.log.warn(`the publication history ${why}; starting it again`);
    return restarted(why, now);
  }

  private recorded(context: OperationContext, history: History): History {
    const { policy, requestId } = this.options;
    const now = context.services.clock.now();
    const complete = this.completed(context, history, now);
    this.chosenId = this.chooseId(complete, now);
    return recordPublication(complete, { ...policy, id: this.chosenId, requestId }, now, this.publishedId);
  }

  private chooseId(history: History, now: number): string {
    const { policy: { hash, givenId }, requestId } = this.options;
    return givenId ?? keptId(history, hash, requestId) ?? unusedId(history, hash, now, this.publishedId);
  }

  /**
   * Returns whether the last entry is this publication. A parallel request with the same bytes may have recorded them again. The id of that
   * entry is then the id of this publication.
   */
  private adoptsLastEntry(history: History): boolean {
    const last = currentEntry(history);
    if (!publishesBytes(last, this.options.policy.hash)) return false;
    this.chosenId = last.id;
    return true;
  }

  /** Adds the previous publication if it was not recorded, because the history was not readable or writable then. */
  private completed(context: OperationContext, history: History, now: number): History {
    const { policy, object, previous: { policy: before, object: objectBefore } = {} } = this.options;
    const last = currentEntry(history)?.hash;
    // When a request comes a second time, the previous publication is no longer the last entry.
    const isKnown = last === before?.hash || (last === policy.hash && history.entries.some(({ hash }) => hash === before?.hash));
    if (before === undefined || isKnown) return history;
    // The id of the previous publication is known if the record still has it. Otherwise the entry gets an unused id.
    const published = hashOfPolicyId(this.publishedId ?? '') === before.hash ? this.publishedId : undefined;
    const missed = { ...before, id: before.givenId ?? published ?? unusedId(history, before.hash, now, this.publishedId) };
    // In another bucket nothing is wrong: the missing publication is the one that is being rolled back.
    if (history.gap !== undefined || objectBefore?.bucket !== object.bucket) return recordPublication(history, missed, now);
    context.log.warn('the publication history misses a publication; continuing from here', { id: missed.id });
    return recordPublication({ ...history, gap: { restartedAt: now, reason: 'missed a publication' } }, missed, now);
  }
}
