// Finds the fenced code blocks of a document.
import { readFileSync } from 'node:fs';

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** Where in the document it begins, from 1. */
  readonly line: number;
  /** The heading that it stands below. */
  readonly heading: string;
}

export function codeBlocks(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = readFileSync(file, 'utf8').split('\n');
  let heading = '';
  for (let i = 0; i < lines.length; i++) {
    heading = /^#+ (.+)$/.exec(lines[i])?.[1] ?? heading;
    const language = /^```(\w+)$/.exec(lines[i])?.[1];
    if (language === undefined) {
      continue;
    }
    const end = lines.indexOf('```', i + 1);
    blocks.push({ language, code: lines.slice(i + 1, end).join('\n'), line: i + 2, heading });
    i = end;
  }
  return blocks;
}
