// Where documents go: a stream at its own pace, or a file that appears only when it is whole.
import { constants } from 'node:fs';
import { access, copyFile, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { safeText } from '../../lib/util/safe-text';
import { faultCode, fileFault } from '../input/file-fault';
import type { Output } from '../io';

/** Takes one document. */
export interface Sink {
  /** Resolves when more can be taken. */
  write(text: string): Promise<void>;
  /** The document is whole. */
  close(): Promise<void>;
  /** There will be no document. Never rejects. */
  discard(): Promise<void>;
}

/** The file that was asked for cannot be written: a person can mend that. */
export class OutputError extends Error {}

/** A stream, as fast as its reader takes it. */
export function streamSink(output: Output): Sink {
  return {
    write: async (text) => {
      if (output.write(text) === false) await drained(output);
    },
    close: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}

/** A reader that went away drains nothing any more; process.ts tells what comes of that. */
const AGAIN = ['drain', 'close', 'error'] as const;

function drained(output: Output): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of AGAIN) output.off?.(event, done);
      resolve();
    };
    // What can tell nothing is not waited for.
    if (output.once === undefined) done();
    else for (const event of AGAIN) output.once(event, done);
  });
}

/**
 * A file that is replaced as a whole: written beside itself, and renamed in the end. What is no plain file (`/dev/stderr`, a
 * named pipe) is written to as it comes.
 *
 * @throws OutputError when it cannot be written
 */
export async function fileSink(path: string): Promise<Sink> {
  try {
    const target = await targetOf(path);
    if (target.special) return new FileSink(path, await open(path, 'w'));
    const beside = join(dirname(target.file), `.${basename(target.file).slice(0, 100)}.${process.pid}-${Date.now().toString(36)}`);
    const handle = await openBeside(beside, target);
    return handle === undefined ? new FileSink(path, await open(path, 'w')) : new FileSink(path, handle, { beside, file: target.file });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Undefined where a file that is there may be written to, and its folder may not: then it is written to as it comes. */
async function openBeside(beside: string, { mode, exists }: Target): Promise<FileHandle | undefined> {
  try {
    const handle = await open(beside, 'wx', mode);
    // What was chosen for the file that is replaced is not for the mask of this process to change.
    if (exists) await handle.chmod(mode);
    return handle;
  } catch (error) {
    if (exists && ['EACCES', 'EPERM', 'EROFS'].includes(faultCode(error))) return undefined;
    throw error;
  }
}

/**
 * A file that others write to as well.
 *
 * @throws OutputError when it cannot be written
 */
export async function appendSink(path: string): Promise<Sink> {
  try {
    return new FileSink(path, await open(path, 'a'));
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

interface Target {
  readonly file: string;
  readonly mode: number;
  readonly special: boolean;
  readonly exists: boolean;
}

/** Where a link leads, so that it stays a link; who may read the file stays as it was. */
async function targetOf(path: string): Promise<Target> {
  try {
    const file = await realpath(path);
    const found = await stat(file);
    if (found.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    await access(file, constants.W_OK);
    return { file, mode: found.mode & 0o777, special: !found.isFile(), exists: true };
  } catch (error) {
    // A link that leads nowhere yet stays a link: what it leads to is made.
    if (faultCode(error) === 'ENOENT') return { file: path, mode: 0o666, special: await isLink(path), exists: false };
    throw error;
  }
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true;
}

class FileSink implements Sink {
  public constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly renamed?: { readonly beside: string; readonly file: string },
  ) {}

  public async write(text: string): Promise<void> {
    await this.orTold(async () => this.handle.appendFile(text));
  }

  public async close(): Promise<void> {
    await this.orTold(async () => {
      await this.handle.close();
      if (this.renamed !== undefined) await replace(this.renamed.beside, this.renamed.file);
    });
  }

  public async discard(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    if (this.renamed !== undefined) await rm(this.renamed.beside, { force: true }).catch(() => undefined);
  }

  private async orTold(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
  }
}

function cannotWrite(path: string, error: unknown): OutputError {
  // A file that is not there is made; it is the folder that is missed.
  const reason = faultCode(error) === 'ENOENT' ? 'there is no such folder' : fileFault(error);
  return new OutputError(`cannot write \`${safeText(path, 200)}\`: ${reason}`);
}

/** A file that is mounted by itself, as into a container, cannot be replaced, only written to. */
async function replace(beside: string, file: string): Promise<void> {
  try {
    await rename(beside, file);
  } catch (error) {
    if (faultCode(error) !== 'EBUSY' && faultCode(error) !== 'EXDEV') throw error;
    await copyFile(beside, file);
    await rm(beside, { force: true });
  }
}
