// Destinations of documents: a stream at the pace of its reader, or a file that appears only when it is complete.
import { constants } from 'node:fs';
import { access, copyFile, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { safeText } from '../../lib/util/safe-text';
import { errorCode, fileProblem } from '../input/file';
import type { Output } from '../io';

/** Receives one document. */
export interface Sink {
  /** Resolves when the sink accepts more. */
  write(text: string): Promise<void>;
  /** Ends a complete document. */
  close(): Promise<void>;
  /** Ends without a document. Never rejects. */
  discard(): Promise<void>;
}

/** The output file cannot be written. The user can fix that. */
export class OutputError extends Error {}

/** Creates a sink that writes to a stream at the pace of its reader. */
export function streamSink(output: Output): Sink {
  return {
    write: async (text) => {
      if (output.write(text) === false) await waitForDrain(output);
    },
    close: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}

/** A closed pipe never drains, so wait for its end too. `process.ts` decides the exit status. */
const RESUME_EVENTS = ['drain', 'close', 'error'] as const;

function waitForDrain(output: Output): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of RESUME_EVENTS) output.off?.(event, done);
      resolve();
    };
    // An output without events cannot signal `drain`: do not wait.
    if (output.once === undefined) done();
    else for (const event of RESUME_EVENTS) output.once(event, done);
  });
}

/**
 * Creates a sink that replaces a file as a whole: it writes a temporary file beside it and renames that at the end. Writes directly to
 * anything that is not a plain file (`/dev/stderr`, a named pipe).
 *
 * @throws OutputError if the file cannot be written
 */
export async function fileSink(path: string): Promise<Sink> {
  try {
    const target = await resolveTarget(path);
    if (target.special) return new FileSink(path, await open(path, 'w'));
    const temporary = join(dirname(target.file), `.${basename(target.file).slice(0, 100)}.${process.pid}-${Date.now().toString(36)}`);
    const handle = await openTemporary(temporary, target);
    return handle === undefined ? new FileSink(path, await open(path, 'w')) : new FileSink(path, handle, { temporary, file: target.file });
  } catch (error) {
    throw createWriteError(path, error);
  }
}

/** Opens the temporary file. Returns undefined if the file is writable but its folder is not: then write directly to the file. */
async function openTemporary(temporary: string, { mode, exists }: Target): Promise<FileHandle | undefined> {
  try {
    const handle = await open(temporary, 'wx', mode);
    // Keep the mode of the replaced file. The umask of this process must not change it.
    if (exists) await handle.chmod(mode);
    return handle;
  } catch (error) {
    if (exists && ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

/**
 * Creates a sink that appends to a file that other programs write to as well.
 *
 * @throws OutputError if the file cannot be written
 */
export async function appendSink(path: string): Promise<Sink> {
  try {
    return new FileSink(path, await open(path, 'a'));
  } catch (error) {
    throw createWriteError(path, error);
  }
}

interface Target {
  readonly file: string;
  readonly mode: number;
  /** Whether it is not a plain file. */
  readonly special: boolean;
  readonly exists: boolean;
}

/** Follows a link, so that it stays a link. Keeps the permissions of the file. */
async function resolveTarget(path: string): Promise<Target> {
  try {
    const file = await realpath(path);
    const found = await stat(file);
    if (found.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    await access(file, constants.W_OK);
    return { file, mode: found.mode & 0o777, special: !found.isFile(), exists: true };
  } catch (error) {
    // A dangling link stays a link: the write creates its target.
    if (errorCode(error) === 'ENOENT') return { file: path, mode: 0o666, special: await isLink(path), exists: false };
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
    private readonly renamed?: { readonly temporary: string; readonly file: string },
  ) {}

  public async write(text: string): Promise<void> {
    await this.withOutputError(async () => this.handle.appendFile(text));
  }

  public async close(): Promise<void> {
    await this.withOutputError(async () => {
      await this.handle.close();
      if (this.renamed !== undefined) await replace(this.renamed.temporary, this.renamed.file);
    });
  }

  public async discard(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    if (this.renamed !== undefined) await rm(this.renamed.temporary, { force: true }).catch(() => undefined);
  }

  private async withOutputError(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw createWriteError(this.path, error);
    }
  }
}

function createWriteError(path: string, error: unknown): OutputError {
  // A missing file is created, so ENOENT means that its folder is missing.
  const reason = errorCode(error) === 'ENOENT' ? 'there is no such folder' : fileProblem(error);
  return new OutputError(`cannot write \`${safeText(path, 200)}\`: ${reason}`);
}

/** Renames the temporary file. A file that is a mount point of its own, as in a container, cannot be replaced: copy to it. */
async function replace(temporary: string, file: string): Promise<void> {
  try {
    await rename(temporary, file);
  } catch (error) {
    if (errorCode(error) !== 'EBUSY' && errorCode(error) !== 'EXDEV') throw error;
    await copyFile(temporary, file);
    await rm(temporary, { force: true });
  }
}
