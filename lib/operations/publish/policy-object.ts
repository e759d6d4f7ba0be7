// The object that holds a policy file: written exactly, and taken away again.
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { awsCall } from '../context/aws-call';
import { historyLocation } from '../../contract/object-keys';
import type { S3Location } from '../../contract/object-keys';
import { errorFields } from '../context/log';
import { deleteVersions } from './object-versions';
import type { OperationContext } from '../context/operation-context';

/** Writes the exact bytes. The same write twice, even at once, leaves the same object. */
export async function putPolicy(context: OperationContext, { bucket, key }: S3Location, bytes: Uint8Array): Promise<void> {
  await awsCall(context, 's3:PutObject', async (options) => {
    return context.services.s3.send(new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: bytes,
      ContentType: 'text/plain; charset=utf-8',
      // Senders must not be shown an older file by anything on the way (RFC 8461 §3.3).
      CacheControl: 'no-store',
      ChecksumAlgorithm: 'SHA256',
    }), options);
  });
}

/**
 * Deletes the policy file and its ledger, with all their versions where the bucket keeps versions. Failures are only logged: a delete must
 * never fail a stack.
 */
export async function deletePolicy(context: OperationContext, object: S3Location): Promise<void> {
  const ledger = historyLocation(object);
  await Promise.all([
    deleteObject(context, 'policy file', object),
    // Left behind it would keep the bucket from being removed.
    ledger === undefined ? undefined : deleteObject(context, 'ledger', ledger),
  ]);
}

async function deleteObject(context: OperationContext, what: string, object: S3Location): Promise<void> {
  const { bucket, key } = object;
  let isVersioned = false;
  try {
    const { VersionId } = await context.activity.track('s3:DeleteObject', async () => {
      return context.services.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: context.signal });
    });
    context.log.info(`deleted the ${what}`, { bucket, key });
    // That of the delete marker: S3 tells one wherever versioning is on, or was.
    isVersioned = VersionId !== undefined;
  } catch (error) {
    context.log.warn(`could not delete the ${what}; the bucket may be gone already, else delete it by hand`, { bucket, key, ...errorFields(error) });
  }
  if (isVersioned) await deleteHistory(context, what, object);
}

async function deleteHistory(context: OperationContext, what: string, object: S3Location): Promise<void> {
  try {
    context.log.info(`deleted the versions of the ${what}`, { ...object, versions: await deleteVersions(context, object) });
  } catch (error) {
    context.log.warn(`could not delete the versions of the ${what}. S3 does not remove a bucket that holds versions. Delete them by hand`, {
      ...object, ...errorFields(error),
    });
  }
}
