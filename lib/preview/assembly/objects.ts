// The S3 objects that the publications would write, with the headers that S3 would serve.
import type { Publication } from './assembly';

/** An object in a bucket. */
export interface StoredObject {
  readonly body: Buffer;
  readonly headers: ReadonlyMap<string, string>;
}

/** The objects of all publications. */
export class ObjectStore {
  private readonly objects: ReadonlyMap<string, StoredObject>;

  public constructor(publications: readonly Publication[]) {
    this.objects = new Map(publications.map(({ bucketName, objectKey, policyText }) => [`${bucketName}/${objectKey}`, {
      body: Buffer.from(policyText, 'utf8'),
      headers: new Map([['content-type', 'text/plain; charset=utf-8'], ['cache-control', 'no-store']]),
    }]));
  }

  /**
   * Returns an object, or undefined if the bucket does not have it.
   *
   * @param path - as in the request to S3: percent-encoded, with the slash at its start
   */
  public get(bucketName: string, path: string): StoredObject | undefined {
    try {
      return this.objects.get(`${bucketName}/${decodeURIComponent(path.slice(1))}`);
    } catch {
      // No object has a key with an invalid percent-escape.
      return undefined;
    }
  }
}
