// The object that holds a domain's ledger: beside the policy file, and never served, since the edge answers for that file alone.
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Location } from '../../contract/object-keys';
import { awsCall, AwsCallFailed } from '../context/aws-call';
import { withStepLimit } from '../context/deadline';
import type { History } from './history';
import { MAX_HISTORY_BYTES, parseHistory, renderHistory } from './format';
import type { OperationContext } from '../context/operation-context';

/** Long enough for rights that were granted just before; the publication need not wait longer for what it can do without. */
const PATIENCE = { totalMs: 10_000, firstPauseMs: 1_000, maxPauseMs: 4_000 };

/** For reading or writing it, however S3 hangs. */
const LIMIT = 20_000;

/**
 * What became of reading it.
 *
 * - `lost`: it is there and cannot be used; `why` is a phrase to put after "the ledger"
 * - `unread`: S3 did not give it, so it may be whole
 */
export type StoredHistory
  = | { readonly state: 'found'; readonly history: History; readonly text: string; readonly etag?: string }
    | { readonly state: 'missing' }
    | { readonly state: 'lost'; readonly why: string; readonly etag?: string }
    | { readonly state: 'unread'; readonly why: string };

/** Never rejects but when the run is over. */
export async function readHistory(context: OperationContext, object: S3Location): Promise<StoredHistory> {
  try {
    return await withStepLimit(context, LIMIT, `reading s3://${object.bucket}/${object.key}`, async (part) => read(part, object));
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof AwsCallFailed && error.code === 'NoSuchKey') return { state: 'missing' };
    return { state: 'unread', why: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Without the right to list, S3 denies that a missing object is missing; and that right, bound to a prefix, holds for listing
 * alone. So it is looked for in a listing first.
 */
async function read(context: OperationContext, { bucket, key }: S3Location): Promise<StoredHistory> {
  const { Contents: listed = [] } = await awsCall(context, 's3:ListBucket', async (options) => {
    return context.services.s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }), options);
  }, PATIENCE);
  // The shortest name comes first, so if it is there it is the one.
  const first = listed.at(0);
  if (first?.Key !== key) return { state: 'missing' };
  if ((first.Size ?? 0) > MAX_HISTORY_BYTES) return { state: 'lost', why: `was larger than ${MAX_HISTORY_BYTES} bytes` };
  const { bytes, etag } = await awsCall(context, 's3:GetObject', async (options) => {
    const { Body: body, ETag } = await context.services.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), options);
    return { bytes: body === undefined ? new Uint8Array() : await body.transformToByteArray(), etag: ETag };
  }, PATIENCE);
  const reading = parseHistory(bytes);
  if ('problem' in reading) return { state: 'lost', why: reading.problem, etag };
  return { state: 'found', history: reading.history, text: Buffer.from(bytes).toString('utf8'), etag };
}

/** What lies in the bucket, as far as is known: the text and its version, or that nothing is there. */
export interface StoredText {
  readonly text?: string;
  /** Missing where S3 named none. */
  readonly etag?: string;
  readonly missing?: true;
}

/** Thrown where another event has written the ledger since it was read. */
export class HistoryChanged extends Error {}

/**
 * Writes it, unless that is what lies there, and only over what was read: another event may write at the same time.
 *
 * @param stored - what lies there, as far as is known
 * @returns what lies there now
 * @throws LedgerChanged
 * @throws where S3 does not take it
 */
export async function writeHistory(context: OperationContext, { bucket, key }: S3Location, history: History, stored: StoredText): Promise<StoredText> {
  const text = renderHistory(history, context.services.clock.now());
  if (text === stored.text) return stored;
  const condition = stored.missing === true ? { IfNoneMatch: '*' } : { IfMatch: stored.etag };
  try {
    const { ETag: etag } = await withStepLimit(context, LIMIT, `writing s3://${bucket}/${key}`, async (part) => awsCall(part, 's3:PutObject', async (options) => {
      return context.services.s3.send(new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: text,
        ContentType: 'application/json',
        CacheControl: 'no-store',
        ChecksumAlgorithm: 'SHA256',
        ...condition,
      }), options);
    }, PATIENCE));
    return { text, etag };
  } catch (error) {
    if (error instanceof AwsCallFailed && CHANGED.has(error.code)) throw new HistoryChanged(error.message);
    throw error;
  }
}

/** How S3 says that an object is not the one that was read, or is being written by somebody else. */
const CHANGED: ReadonlySet<string> = new Set(['ConditionalRequestConflict', 'NoSuchKey', 'PreconditionFailed']);
