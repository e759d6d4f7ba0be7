// Reads the pages of the documentation: code blocks, headings, anchors and links.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

/** A fenced block of a page. */
export interface CodeBlock {
  readonly page: string;
  /** Empty if the fence names no language. */
  readonly language: string;
  readonly code: string;
  /** Line of the page on which the code begins, from 1. */
  readonly line: number;
  /** Headings above the block, from the title of the page to the nearest one. */
  readonly headings: readonly string[];
}

/** A heading of a page, as text without marks. */
export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly line: number;
}

/** A link or a picture of a page. */
export interface Link {
  readonly page: string;
  readonly target: string;
  readonly line: number;
}

/** Returns `README.md` and every page below `docs/`, as paths in the repository. */
export function documentationPages(): string[] {
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'));
  return ['README.md', ...pages.map((file) => `docs/${file}`).sort()];
}

/** Returns every page of the repository, including pages outside of the documentation. */
export function repositoryPages(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return UNCOMMITTED.has(entry.name) ? [] : repositoryPages(path);
    return path.endsWith('.md') ? [path] : [];
  });
}

/** Folders without pages of this project. */
const UNCOMMITTED: ReadonlySet<string> = new Set(['.git', 'node_modules', 'coverage', 'cdk.out', 'dist']);

/** Returns the lines of a page of the repository. */
export function pageLines(page: string): string[] {
  return readFileSync(join(ROOT, page), 'utf8').replace(/\n$/, '').split('\n');
}

/** Returns the fenced blocks of a page, including blocks that are indented in a list. */
export function codeBlocks(page: string): CodeBlock[] {
  return parse(page).blocks;
}

/** Returns the headings of a page. */
export function headings(page: string): Heading[] {
  return parse(page).prose.flatMap(({ text, line }) => {
    const heading = headingOf(text);
    return heading === undefined ? [] : [{ ...heading, line }];
  });
}

/** Returns the names that a link can have after `#`: GitHub's slugs of the headings, and anchors written in HTML. */
export function anchors(page: string): string[] {
  const seen = new Map<string, number>();
  const slugs = headings(page).map(({ text }) => {
    const slug = githubSlug(text);
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  const tags = parse(page).prose.flatMap(({ text }) => [...text.matchAll(/<\w+ [^>]*>/g)].map(([tag]) => tag));
  const written = tags.flatMap((tag) => [...tag.matchAll(/ (?:id|name)="([^"]+)"/g)].map((match) => match.at(1) ?? ''));
  return [...slugs, ...written];
}

/** Returns the links and pictures of a page, written in Markdown or in HTML. Links in code do not count. */
export function links(page: string): Link[] {
  return parse(page).prose.flatMap(({ text, line }) => {
    const prose = text.replace(/(`+).*?\1/g, (code) => code.replace(/[^`]/g, ' '));
    const found = [
      ...prose.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g),
      ...prose.matchAll(/^\s*\[[^\]]+\]: <?(\S+?)>?(?: .*)?$/g),
      ...prose.matchAll(/<(?:a|img|source) [^>]*?\b(?:href|src|srcset)="([^"]+)"/g),
    ];
    return found.map((match) => ({ page, target: match.at(1) ?? '', line }));
  });
}

/** Returns the anchor that GitHub gives to a heading: lower case, punctuation dropped, blanks turned into hyphens. */
export function githubSlug(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-');
}

function headingOf(text: string): Omit<Heading, 'line'> | undefined {
  const found = /^(#{1,6}) (.+)$/.exec(text);
  return found === null ? undefined : { level: found.at(1)?.length ?? 0, text: plainText(found.at(2) ?? '') };
}

/** Returns the text of a heading without the marks of code, emphasis, links and HTML. */
function plainText(heading: string): string {
  return heading
    .replace(/ #+$/, '')
    .replace(/<[^>]*>/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '');
}

interface Page {
  readonly prose: readonly { readonly text: string; readonly line: number }[];
  readonly blocks: CodeBlock[];
}

const PARSED = new Map<string, Page>();

function parse(page: string): Page {
  const known = PARSED.get(page);
  if (known !== undefined) return known;
  const prose: { text: string; line: number }[] = [];
  const blocks: CodeBlock[] = [];
  let open: { indent: string; fence: string; language: string; line: number; code: string[] } | undefined;
  let above: { readonly level: number; readonly text: string }[] = [];
  for (const [index, text] of pageLines(page).entries()) {
    const line = index + 1;
    if (open === undefined) {
      const fence = /^([ >]*)(`{3,}|~{3,})(\w*)[^`]*$/.exec(text);
      if (fence !== null) {
        open = { indent: fence.at(1) ?? '', fence: fence.at(2) ?? '', language: fence.at(3) ?? '', line: line + 1, code: [] };
        continue;
      }
      prose.push({ text, line });
      const heading = headingOf(text);
      if (heading !== undefined) above = [...above.filter(({ level }) => level < heading.level), heading];
    } else if (text.replace(/^[ >]*/, '').trimEnd() === open.fence) {
      blocks.push({ page, language: open.language, code: open.code.join('\n'), line: open.line, headings: above.map((one) => one.text) });
      open = undefined;
    } else {
      open.code.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text.trimStart());
    }
  }
  if (open !== undefined) throw new Error(`${page}: the code block of line ${open.line - 1} has no end`);
  PARSED.set(page, { prose, blocks });
  return { prose, blocks };
}
