// Puts and deletes the object of a policy file.
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { historyLocation } from '../../contract/object-keys';
import type { S3Location } from '../../contract/object-keys';
import { awsCall } from '../context/aws-call';
import { errorFields } from '../context/log';
import type { OperationContext } from '../context/operation-context';
import { deleteVersions } from './object-versions';

/** Puts the exact bytes. The same bytes put twice, even at the same time, leave the same object. */
export async function putPolicy(context: OperationContext, { bucket, key }: S3Location, bytes: Uint8Array): Promise<void> {
  await awsCall(context, 's3:PutObject', async (options) => {
    return context.services.s3.send(new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: bytes,
      ContentType: 'text/plain; charset=utf-8',
      // No cache on the way may give senders an older file (RFC 8461 §3.3).
      CacheControl: 'no-store',
      ChecksumAlgorithm: 'SHA256',
    }), options);
  });
}

/**
 * Deletes the policy file and its publication history, with all versions in a versioned bucket. Failures are only logged, because a delete
 * must never fail a stack.
 */
export async function deletePolicy(context: OperationContext, location: S3Location): Promise<void> {
  const history = historyLocation(location);
  await Promise.all([
    deleteObject(context, 'policy file', location),
    // S3 does not remove a bucket that still holds an object.
    history === undefined ? undefined : deleteObject(context, 'publication history', history),
  ]);
}

async function deleteObject(context: OperationContext, name: string, location: S3Location): Promise<void> {
  const { bucket, key } = location;
  let isVersioned = false;
  try {
    const { VersionId } = await context.activity.track('s3:DeleteObject', async () => {
      return context.services.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: context.signal });
    });
    context.log.info(`deleted the ${name}`, { bucket, key });
    // The version of the delete marker: S3 returns one wherever versioning is or was enabled.
    isVersioned = VersionId !== undefined;
  } catch (error) {
    context.log.warn(`could not delete the ${name}. The bucket may be deleted already. Otherwise delete the object manually`, { bucket, key, ...errorFields(error) });
  }
  if (isVersioned) await deleteAllVersions(context, name, location);
}

async function deleteAllVersions(context: OperationContext, name: string, location: S3Location): Promise<void> {
  try {
    context.log.info(`deleted the versions of the ${name}`, { ...location, versions: await deleteVersions(context, location) });
  } catch (error) {
    context.log.warn(`could not delete the versions of the ${name}. S3 does not remove a bucket that holds versions. Delete them manually`, {
      ...location, ...errorFields(error),
    });
  }
}
