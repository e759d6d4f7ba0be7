// Reads the domains of a file, one a line, on demand: a list may be larger than memory.
import { open } from 'node:fs/promises';
import { safeText } from '../../lib/util/safe-text';
import { parseDomain } from './arguments';
import { fileProblem } from './file';

/** The list cannot be read. */
export class DomainListError extends Error {}

/** One line of a list: its domain, or the reason why it has none. */
export type ListedDomain = { readonly domain: string } | { readonly line: number; readonly problem: string };

/**
 * Opens a list. Ignores empty lines, and the text after a `#`.
 *
 * @param path - as typed; `-` is standard input
 * @returns the lines, to be read once
 * @throws DomainListError if the file cannot be opened
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
    throw new DomainListError(`cannot read \`${safeText(path, 200)}\`: ${fileProblem(error)}`);
  }
}

async function* domains(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<ListedDomain> {
  let line = 0;
  for await (const text of lines(chunks)) {
    line += 1;
    const typed = text.replace(/#.*$/s, '').trim();
    if (typed === '') continue;
    try {
      yield { domain: parseDomain(typed) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      yield { line, problem: error.message };
    }
  }
}

/** Maximum length of a line. The rest of a longer line is dropped: no domain is that long. */
const MAX_LINE_LENGTH = 64 * 1024;

/** Yields the lines on demand: Node's `readline` would read ahead. */
async function* lines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const pieces = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = (pieces.pop() ?? '').slice(0, MAX_LINE_LENGTH);
    yield* pieces;
  }
  if (rest !== '') yield rest;
}
