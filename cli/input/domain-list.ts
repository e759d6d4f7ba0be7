// The domains of a file, one on each line, read as they are needed: a list may be longer than memory.
import { open } from 'node:fs/promises';
import { safeText } from '../../lib/util/safe-text';
import { parseDomain } from './arguments';
import { fileFault } from './file-fault';

/** A list that cannot be read. */
export class DomainListError extends Error {}

/** One line of a list: its domain, or why it is none. */
export type ListedDomain = { readonly domain: string } | { readonly line: number; readonly fault: string };

/**
 * Opens a list. Empty lines and what follows a `#` do not count.
 *
 * @param path - as typed; `-` is standard input
 * @returns its lines, to be read once
 * @throws DomainListError when there is no such file
 */
export async function openDomainList(path: string, stdin: AsyncIterable<Uint8Array | string>): Promise<AsyncIterable<ListedDomain>> {
  if (path === '-') return domains(stdin);
  try {
    const file = await open(path);
    if ((await file.stat()).isDirectory()) {
      await file.close();
      throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    }
    return domains(file.createReadStream());
  } catch (error) {
    throw new DomainListError(`cannot read \`${safeText(path, 200)}\`: ${fileFault(error)}`);
  }
}

async function* domains(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<ListedDomain> {
  let line = 0;
  for await (const text of lines(chunks)) {
    line += 1;
    const typed = text.split('#')[0].trim();
    if (typed === '') continue;
    try {
      yield { domain: parseDomain(typed) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      yield { line, fault: error.message };
    }
  }
}

/** No domain is longer, whatever comment follows it: of a longer line the end is not read. */
const LONGEST_LINE = 64 * 1024;

/** Line by line as they are asked for: Node's own reader would read on ahead. */
async function* lines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const pieces = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = (pieces.pop() ?? '').slice(0, LONGEST_LINE);
    yield* pieces;
  }
  if (rest !== '') yield rest;
}
