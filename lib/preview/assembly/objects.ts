// The objects that the publications would write, with the headers that S3 would serve them with.
import type { Publication } from './assembly';

/** An object of a bucket. */
export interface StoredObject {
  readonly body: Buffer;
  readonly headers: ReadonlyMap<string, string>;
}

/** What the publications leave in their buckets. */
export class ObjectStore {
  private readonly objects: ReadonlyMap<string, StoredObject>;

  public constructor(publications: readonly Publication[]) {
    this.objects = new Map(publications.map(({ bucketName, objectKey, policyText }) => [`${bucketName}/${objectKey}`, {
      body: Buffer.from(policyText, 'utf8'),
      headers: new Map([['content-type', 'text/plain; charset=utf-8'], ['cache-control', 'no-store']]),
    }]));
  }

  /** @param path - as in the request to S3: percent-encoded, with the slash at its start */
  public get(bucketName: string, path: string): StoredObject | undefined {
    try {
      return this.objects.get(`${bucketName}/${decodeURIComponent(path.slice(1))}`);
    } catch {
      // A broken percent-escape names no object.
      return undefined;
    }
  }
}
