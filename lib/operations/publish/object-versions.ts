// Deletes every version of an object. A deleted object keeps its versions in a versioned bucket, and S3 removes no bucket with versions.
import { DeleteObjectsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { awsCall } from '../context/aws-call';
import type { S3Location } from '../../contract/object-keys';
import type { OperationContext } from '../context/operation-context';

/** S3 lists and deletes a thousand versions in one call. */
const PAGE_SIZE = 1000;

/** Limits the work to a hundred thousand versions. */
const MAX_PAGES = 100;

/** Covers rights that were granted just before. A Delete must end soon. */
const DELETE_RETRY = { totalMs: 10_000, firstPauseMs: 1_000, maxPauseMs: 4_000 };

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
  throw new Error(`more than ${deleted} versions; delete the rest manually`);
}

/** Returns the first page. Every page is the first one, because the page before is deleted by then. */
async function listVersions(context: OperationContext, { bucket, key }: S3Location): Promise<readonly string[]> {
  const { Versions: versions = [], DeleteMarkers: markers = [] } = await awsCall(context, 's3:ListBucketVersions', async (options) => {
    return context.services.s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, MaxKeys: PAGE_SIZE }), options);
  }, DELETE_RETRY);
  // A prefix also matches longer keys. The shortest key comes first.
  return [...versions, ...markers].flatMap(({ Key, VersionId }) => Key === key && VersionId !== undefined ? [VersionId] : []);
}

async function deletePage(context: OperationContext, { bucket, key }: S3Location, versions: readonly string[]): Promise<void> {
  const { Errors: errors = [] } = await awsCall(context, 's3:DeleteObjectVersion', async (options) => {
    return context.services.s3.send(new DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Objects: versions.map((VersionId) => ({ Key: key, VersionId })), Quiet: true },
    }), options);
  }, DELETE_RETRY);
  const first = errors.at(0);
  // Without progress, the same page would be listed again and again.
  if (first !== undefined) {
    throw new Error(`s3:DeleteObjectVersion failed for ${errors.length} of ${versions.length} versions, the first with ${first.Code ?? 'no code'}: ${first.Message ?? 'no message'}`);
  }
}
