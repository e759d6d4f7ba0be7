// Reads a file or standard input within a byte limit, and says in words why a file cannot be read or written.
import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { errorMessage } from '../../lib/util/errors';
import { safeText } from '../../lib/util/safe-text';
import type { Io } from '../io';

/** Far more than a policy file may have (RFC 8461 §3.3: 64 KiB), so that the linter can still report the size. */
const MAX_INPUT_BYTES = 1024 * 1024;

/** The bytes, or one line that says why there are none. */
type Input = { readonly bytes: Uint8Array } | { readonly problem: string };

/**
 * Reads the file at a path, or standard input for `-`.
 *
 * @param path - as typed
 * @param stdin - read only for `-`
 * @param maxBytes - where to stop reading. Default: one mebibyte
 */
export async function readInput(path: string, stdin: AsyncIterable<Uint8Array | string>, maxBytes = MAX_INPUT_BYTES): Promise<Input> {
  try {
    const source: AsyncIterable<Uint8Array | string> = path === '-' ? stdin : createReadStream(path, { end: maxBytes - 1 });
    return { bytes: await collect(source, maxBytes) };
  } catch (error) {
    const name = path === '-' ? 'standard input' : `\`${safeText(path, 200)}\``;
    return { problem: `cannot read ${name}: ${fileProblem(error)}` };
  }
}

/** Reads the file at a path, or standard input for `-`. Ends the command as wrong usage if that fails. */
export async function readRequiredInput(path: string, io: Io, command: Command, maxBytes?: number): Promise<Uint8Array> {
  const input = await readInput(path, io.stdin, maxBytes);
  return 'problem' in input ? command.error(`error: ${input.problem}`) : input.bytes;
}

async function collect(source: AsyncIterable<Uint8Array | string>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    chunks.push(bytes);
    length += bytes.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

/** Returns a phrase for an error of Node's file functions. */
export function fileProblem(error: unknown): string {
  return FILE_PROBLEMS.get(errorCode(error)) ?? safeText(errorMessage(error));
}

/** Returns the code of an error, such as `ENOENT`, or an empty text. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

const FILE_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a folder; a file is expected'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space is left'],
  ['ENOTDIR', 'a part of its path is not a folder'],
]);
