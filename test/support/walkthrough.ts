// Follows a walkthrough of docs/contribute/: applies the files and changes that a page shows to a copy of the repository.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeBlocks } from './markdown';
import type { CodeBlock } from './markdown';

const ROOT = join(__dirname, '..', '..');
const FOLDER = 'docs/contribute';

/** The pages that are walkthroughs, as paths in the repository. */
export const WALKTHROUGHS: readonly string[] = readdirSync(join(ROOT, FOLDER))
  .filter((file) => /^add-a-.*\.md$/.test(file)).sort().map((file) => `${FOLDER}/${file}`);

/** A file that a page creates or changes. */
interface Edit {
  /** Path in the repository. */
  readonly path: string;
  /** Lines of the block without the path. */
  readonly lines: readonly string[];
  readonly block: CodeBlock;
}

/** Returns the paths of the files that a page creates. */
export function createdFiles(page: string): readonly string[] {
  return codeBlocks(page).flatMap(newFile).map(({ path }) => path);
}

/**
 * Applies the code blocks of a page to a copy of the repository, from top to bottom.
 *
 * @param page - path of the page in the repository
 * @param copy - folder of the copy
 */
export function followWalkthrough(page: string, copy: string): void {
  applyBlocks(codeBlocks(page), copy);
}

/**
 * Applies code blocks.
 *
 * - A `ts` block whose first line is `// <path>.ts` is a new file. The first line is not part of the file.
 * - A `diff` block whose first line is `--- <path>` changes a file. Its other lines begin with a space (context), `+` or `-`. A line `@@`
 *   separates two places of the file.
 *
 * @param blocks - any blocks; all others are left out
 * @param copy - folder of the copy
 * @throws Error for a new file that exists, and for a change whose lines are not in the file exactly once
 */
export function applyBlocks(blocks: readonly CodeBlock[], copy: string): void {
  for (const block of blocks) {
    newFile(block).forEach((edit) => {
      createFile(edit, copy);
    });
    changedFile(block).forEach((edit) => {
      changeFile(edit, copy);
    });
  }
}

function newFile(block: CodeBlock): readonly Edit[] {
  return block.language === 'ts' ? editOf(block, /^\/\/ (\S+\/\S+\.ts)$/) : [];
}

function changedFile(block: CodeBlock): readonly Edit[] {
  return block.language === 'diff' ? editOf(block, /^--- (\S+)$/) : [];
}

function editOf(block: CodeBlock, form: RegExp): readonly Edit[] {
  const [first = '', ...lines] = block.code.split('\n');
  const path = form.exec(first)?.at(1);
  return path === undefined ? [] : [{ path, lines, block }];
}

function createFile({ path, lines, block }: Edit, copy: string): void {
  const file = join(copy, path);
  if (existsSync(file)) throw new Error(`${block.page}:${block.line}: ${path} exists`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${lines.join('\n')}\n`);
}

function changeFile({ path, lines, block }: Edit, copy: string): void {
  const where = `${block.page}:${block.line}`;
  const unmarked = lines.findIndex((line) => !/^(?:[ +-]|@@$)/.test(line));
  if (unmarked >= 0) throw new Error(`${where}: line ${unmarked + 2} of the change begins with neither a space nor + nor -`);
  const file = join(copy, path);
  const text = readFileSync(file, 'utf8').split('\n');
  for (const hunk of hunks(lines)) {
    const before = hunk.filter((line) => !line.startsWith('+')).map((line) => line.slice(1));
    const after = hunk.filter((line) => !line.startsWith('-')).map((line) => line.slice(1));
    const places = [...text.keys()].filter((start) => before.every((line, index) => text.at(start + index) === line));
    const [place] = places;
    if (place === undefined || places.length > 1) {
      throw new Error(`${where}: the lines to change are ${places.length} times in ${path}, expected once: ${before.join(' / ')}`);
    }
    text.splice(place, before.length, ...after);
  }
  writeFileSync(file, text.join('\n'));
}

/** Splits the lines of a change at each `@@`. */
function hunks(lines: readonly string[]): readonly (readonly string[])[] {
  const end = lines.indexOf('@@');
  return end < 0 ? [lines] : [lines.slice(0, end), ...hunks(lines.slice(end + 1))];
}
