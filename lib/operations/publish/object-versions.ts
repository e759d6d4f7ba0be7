// Deletes every version of an object: with versioning, deleting an object only hides it, and S3 removes no bucket that holds versions.
import { DeleteObjectsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { awsCall } from '../context/aws-call';
import type { S3Location } from '../../contract/object-keys';
import type { OperationContext } from '../context/operation-context';

/** S3 lists and deletes a thousand versions in one call. */
const PAGE_SIZE = 1000;

/** Bounds the work of one event: a hundred thousand versions. */
const MAX_PAGES = 100;

/** Right after a deployment that granted these rights. A delete must end soon. */
const PATIENCE = { totalMs: 10_000, firstPauseMs: 1_000, maxPauseMs: 4_000 };

/**
 * Deletes all versions and delete markers of one key.
 *
 * @returns the number of deleted versions and delete markers
 * @throws AwsCallFailed where S3 does not list or delete
 * @throws Error where S3 keeps a version, for example by an object lock
 */
export async function deleteVersions(context: OperationContext, object: S3Location): Promise<number> {
  let deleted = 0;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const versions = await listVersions(context, object);
    if (versions.length === 0) return deleted;
    await deletePage(context, object, versions);
    deleted += versions.length;
  }
  throw new Error(`more than ${deleted} versions; delete the rest by hand`);
}

/** Returns the first page. Each page is listed anew, since the one before is deleted by then. */
async function listVersions(context: OperationContext, { bucket, key }: S3Location): Promise<readonly string[]> {
  const { Versions: versions = [], DeleteMarkers: markers = [] } = await awsCall(context, 's3:ListBucketVersions', async (options) => {
    return context.services.s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, MaxKeys: PAGE_SIZE }), options);
  }, PATIENCE);
  // A prefix also finds longer keys; the shortest comes first.
  return [...versions, ...markers].flatMap(({ Key, VersionId }) => Key === key && VersionId !== undefined ? [VersionId] : []);
}

async function deletePage(context: OperationContext, { bucket, key }: S3Location, versions: readonly string[]): Promise<void> {
  const { Errors: errors = [] } = await awsCall(context, 's3:DeleteObjectVersion', async (options) => {
    return context.services.s3.send(new DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Objects: versions.map((VersionId) => ({ Key: key, VersionId })), Quiet: true },
    }), options);
  }, PATIENCE);
  const first = errors.at(0);
  // Without progress the same page would be listed again and again.
  if (first !== undefined) {
    throw new Error(`s3:DeleteObjectVersion failed for ${errors.length} of ${versions.length} versions, the first with ${first.Code ?? 'no code'}: ${first.Message ?? 'no message'}`);
  }
}
