// A bucket with versioning: deleting an object hides it, and S3 removes no bucket that holds versions.
import { DeleteObjectCommand, DeleteObjectsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { createHandler } from '../../lib/functions/deployment/handler';
import { createLog } from '../../lib/functions/runtime/log';
import { deletePolicy } from '../../lib/operations/publish/policy-object';
import { Activity } from '../../lib/operations/context/activity';
import { BUCKET, KEY, HISTORY_KEY, OBJECT_URL, awsError, deleteEvent, lambdaContext, publicationProperties, testServices } from '../support/deployment';
import type { TestServices } from '../support/deployment';

const TYPE = 'Custom::MtaStsPublication';

interface Version {
  readonly Key: string;
  readonly VersionId: string;
  readonly isMarker?: boolean;
}

interface VersionedBucket extends TestServices {
  /** In the order of S3: by key, the newest first. */
  versions: Version[];
}

/** S3 with versioning switched on, or on once and suspended: then a marker has the version `null`. */
function versioned(versions: readonly Version[], markerId = 'marker'): VersionedBucket {
  const made: VersionedBucket = { ...testServices(), versions: [...versions] };
  made.aws.s3.on(DeleteObjectCommand).callsFake(({ Key }: { Key: string }) => {
    made.versions = [
      { Key, VersionId: markerId, isMarker: true },
      ...made.versions.filter((one) => !(one.Key === Key && one.VersionId === markerId)),
    ].sort((a, b) => a.Key < b.Key ? -1 : a.Key > b.Key ? 1 : 0);
    return { DeleteMarker: true, VersionId: markerId };
  });
  made.aws.s3.on(ListObjectVersionsCommand).callsFake(({ Prefix, MaxKeys }: { Prefix: string; MaxKeys: number }) => {
    const page = made.versions.filter(({ Key }) => Key.startsWith(Prefix)).slice(0, MaxKeys);
    const listed = (wanted: boolean): unknown => page.filter(({ isMarker = false }) => isMarker === wanted);
    return { Versions: listed(false), DeleteMarkers: listed(true) };
  });
  made.aws.s3.on(DeleteObjectsCommand).callsFake(({ Delete: { Objects } }: { Delete: { Objects: Version[] } }) => {
    made.versions = made.versions.filter((one) => !Objects.some(({ Key, VersionId }) => one.Key === Key && one.VersionId === VersionId));
    return {};
  });
  return made;
}

function history(key: string, count: number): readonly Version[] {
  return Array.from({ length: count }, (_, i) => ({ Key: key, VersionId: `${key} ${i}`, isMarker: i % 7 === 6 }));
}

async function deleted(made: TestServices): Promise<void> {
  const { services, clock } = made;
  await deletePolicy({
    services, log: createLog(services, {}), activity: new Activity(), deadline: clock.now() + 60_000, signal: new AbortController().signal,
  }, { bucket: BUCKET, key: KEY });
}

function warnings({ log }: TestServices): readonly string[] {
  return log.filter(({ level }) => level === 'WARN').map(({ message }) => message);
}

describe('the deletion of a policy', () => {
  test.each(['marker', 'null'])('the deletion of a policy leaves no version and no delete marker of file and publication history (marker %s)', async (markerId) => {
    const made = versioned([...history(HISTORY_KEY, 3), ...history(KEY, 2), { Key: KEY, VersionId: 'null' }], markerId);
    await deleted(made);
    expect(made.versions).toEqual([]);
    expect(warnings(made)).toEqual([]);
  });

  test('a repeated Delete event leaves no version and no delete marker', async () => {
    const made = versioned([...history(HISTORY_KEY, 3), ...history(KEY, 2)]);
    for (let time = 0; time < 2; time += 1) {
      await expect(createHandler(made.services)(deleteEvent(TYPE, OBJECT_URL, publicationProperties()), lambdaContext()))
        .resolves.toEqual({ PhysicalResourceId: OBJECT_URL });
      expect(made.versions).toEqual([]);
    }
  });

  test('versions are listed in pages of a thousand', async () => {
    const made = versioned([...history(HISTORY_KEY, 2500), ...history(KEY, 1000)]);
    await deleted(made);
    expect(made.versions).toEqual([]);
    expect(made.log).toContainEqual(expect.objectContaining({ message: 'deleted the versions of the publication history', versions: 2501 }));
  });

  test('the deletion of a policy keeps objects whose key only begins with the same text', async () => {
    const others = [...history(`${HISTORY_KEY}.copy`, 1), ...history(`${KEY}~`, 2)];
    const made = versioned([...history(HISTORY_KEY, 3), ...history(KEY, 2), ...others]);
    await deleted(made);
    expect(made.versions.map(({ Key }) => Key).sort()).toEqual(others.map(({ Key }) => Key).sort());
  });

  test('the deletion of a policy lists no versions in a bucket without versioning', async () => {
    const made = testServices();
    await deleted(made);
    expect(made.aws.s3.commandCalls(ListObjectVersionsCommand)).toEqual([]);
    expect(made.aws.s3.commandCalls(DeleteObjectsCommand)).toEqual([]);
  });
});

describe('versions that cannot be deleted are said in the log, and fail nothing', () => {
  test('a missing right to list versions is logged, and fails nothing', async () => {
    const made = versioned(history(KEY, 1));
    made.aws.s3.on(ListObjectVersionsCommand).rejects(awsError('AccessDenied', 'Access Denied'));
    await deleted(made);
    expect(warnings(made)).toContain('could not delete the versions of the policy file. S3 does not remove a bucket that holds versions. Delete them manually');
    expect(JSON.stringify(made.log)).toContain('The role of the function must be allowed s3:ListBucketVersions');
  });

  test('a missing right to delete versions is logged, and fails nothing', async () => {
    const made = versioned(history(KEY, 1));
    made.aws.s3.on(DeleteObjectsCommand).rejects(awsError('AccessDenied', 'Access Denied'));
    await deleted(made);
    expect(JSON.stringify(made.log)).toContain('The role of the function must be allowed s3:DeleteObjectVersion');
  });

  test.each([
    [{ Code: 'AccessDenied', Message: 'Access Denied because object protected by object lock.' }, /for 1 of 2 versions, the first with AccessDenied: .* object lock/],
    [{}, /for 1 of 2 versions, the first with no code: no message/],
  ])('a version that S3 does not delete (%j) is logged, and fails nothing', async (error, says) => {
    const made = versioned(history(KEY, 1));
    made.aws.s3.on(DeleteObjectsCommand).resolves({ Errors: [{ Key: KEY, ...error }] });
    await deleted(made);
    expect(JSON.stringify(made.log)).toMatch(says);
    // Not the same page again and again.
    expect(made.aws.s3.commandCalls(DeleteObjectsCommand)).toHaveLength(2);
  });

  test('an endless list of versions is logged, and fails nothing', async () => {
    const made = versioned([]);
    made.aws.s3.on(ListObjectVersionsCommand).callsFake(({ Prefix }: { Prefix: string }) => ({ Versions: history(Prefix, 1000) }));
    await deleted(made);
    expect(JSON.stringify(made.log)).toContain('more than 100000 versions; delete the rest manually');
  });
});
