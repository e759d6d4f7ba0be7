// Reads a file or standard input, whatever it is, within bounds.
import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { safeText } from '../../lib/util/safe-text';
import { fileFault } from './file-fault';
import type { Io } from '../io';

/** Far more than a policy file may have (RFC 8461 §3.3: 64 KiB), so that the linter can still say how much there is of it. */
const MOST = 1024 * 1024;

/** The bytes, or one line that says why there are none. */
export type Input = { readonly bytes: Uint8Array } | { readonly fault: string };

/**
 * Reads the file at a path, or standard input for `-`.
 *
 * @param path - as typed
 * @param stdin - read only for `-`
 * @param most - how much of it, in bytes. Default: one mebibyte
 */
export async function readInput(path: string, stdin: AsyncIterable<Uint8Array | string>, most = MOST): Promise<Input> {
  try {
    const source: AsyncIterable<Uint8Array | string> = path === '-' ? stdin : createReadStream(path, { end: most - 1 });
    return { bytes: await collect(source, most) };
  } catch (error) {
    const name = path === '-' ? 'standard input' : `\`${safeText(path, 200)}\``;
    return { fault: `cannot read ${name}: ${fileFault(error)}` };
  }
}

/** The same; what cannot be read is wrong usage. */
export async function requiredInput(path: string, io: Io, command: Command, most?: number): Promise<Uint8Array> {
  const input = await readInput(path, io.stdin, most);
  return 'fault' in input ? command.error(`error: ${input.fault}`) : input.bytes;
}

async function collect(source: AsyncIterable<Uint8Array | string>, most: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    chunks.push(bytes);
    length += bytes.length;
    if (length >= most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}
