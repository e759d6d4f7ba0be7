// Reads and writes the publication history of a domain: an object beside the policy file that CloudFront never serves.
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Location } from '../../contract/object-keys';
import { errorMessage } from '../../util/errors';
import { awsCall, AwsCallFailed } from '../context/aws-call';
import { withStepLimit } from '../context/deadline';
import type { OperationContext } from '../context/operation-context';
import { MAX_HISTORY_BYTES, parseHistory, renderHistory } from './format';
import type { History } from './history';

/** Covers rights that were granted just before. The publication works without a history, so it does not wait longer. */
const S3_RETRY = { totalMs: 10_000, firstPauseMs: 1_000, maxPauseMs: 4_000 };

/** Time limit for one read or write, also when S3 hangs. */
const S3_LIMIT_MS = 20_000;

/**
 * The result of a read.
 *
 * - `lost`: the object exists and is not usable; `why` is a phrase to put after "the publication history"
 * - `unread`: S3 did not return the object, so the history may be intact
 */
export type StoredHistory
  = | { readonly state: 'found'; readonly history: History; readonly text: string; readonly etag?: string }
    | { readonly state: 'missing' }
    | { readonly state: 'lost'; readonly why: string; readonly etag?: string }
    | { readonly state: 'unread'; readonly why: string };

/** Reads a history. Rejects only at the end of the operation. */
export async function readHistory(context: OperationContext, location: S3Location): Promise<StoredHistory> {
  try {
    return await withStepLimit(context, S3_LIMIT_MS, `reading s3://${location.bucket}/${location.key}`, async (part) => read(part, location));
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof AwsCallFailed && error.code === 'NoSuchKey') return { state: 'missing' };
    return { state: 'unread', why: errorMessage(error) };
  }
}

/**
 * Lists the object before the read. Without the right to list, S3 answers "access denied" for a missing object, and a right to list a
 * prefix holds for listings only.
 */
async function read(context: OperationContext, { bucket, key }: S3Location): Promise<StoredHistory> {
  const { Contents: listed = [] } = await awsCall(context, 's3:ListBucket', async (options) => {
    return context.services.s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }), options);
  }, S3_RETRY);
  // S3 lists the shortest key with the prefix first.
  const first = listed.at(0);
  if (first?.Key !== key) return { state: 'missing' };
  if ((first.Size ?? 0) > MAX_HISTORY_BYTES) return { state: 'lost', why: `was larger than ${MAX_HISTORY_BYTES} bytes` };
  const { bytes, etag } = await awsCall(context, 's3:GetObject', async (options) => {
    const { Body: body, ETag } = await context.services.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), options);
    return { bytes: body === undefined ? new Uint8Array() : await body.transformToByteArray(), etag: ETag };
  }, S3_RETRY);
  const reading = parseHistory(bytes);
  if ('problem' in reading) return { state: 'lost', why: reading.problem, etag };
  return { state: 'found', history: reading.history, text: Buffer.from(bytes).toString('utf8'), etag };
}

/** The known state of the stored object. */
export interface StoredText {
  readonly text?: string;
  /** The version of the object. Missing where S3 returned none. */
  readonly etag?: string;
  /** Whether the object does not exist. */
  readonly missing?: boolean;
}

/** Thrown where another request has written the history since it was read. */
export class HistoryChanged extends Error {}

/**
 * Writes a history unless the object already has this text. The write succeeds only over the object that was read, because another request
 * may write at the same time.
 *
 * @param stored - the known state of the object
 * @returns the new state of the object
 * @throws HistoryChanged
 * @throws AwsCallFailed where S3 refuses the write
 */
export async function writeHistory(
  context: OperationContext, { bucket, key }: S3Location, history: History, stored: StoredText,
): Promise<StoredText> {
  const text = renderHistory(history, context.services.clock.now());
  if (text === stored.text) return stored;
  const condition = stored.missing === true ? { IfNoneMatch: '*' } : { IfMatch: stored.etag };
  try {
    const { ETag: etag } = await withStepLimit(context, S3_LIMIT_MS, `writing s3://${bucket}/${key}`, async (part) => awsCall(part, 's3:PutObject', async (options) => {
      return context.services.s3.send(new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: text,
        ContentType: 'application/json',
        CacheControl: 'no-store',
        ChecksumAlgorithm: 'SHA256',
        ...condition,
      }), options);
    }, S3_RETRY));
    return { text, etag };
  } catch (error) {
    if (error instanceof AwsCallFailed && CHANGED_CODES.has(error.code)) throw new HistoryChanged(error.message);
    throw error;
  }
}

/** Error codes of S3 for an object that another request has changed or is changing. */
const CHANGED_CODES: ReadonlySet<string> = new Set(['ConditionalRequestConflict', 'NoSuchKey', 'PreconditionFailed']);
