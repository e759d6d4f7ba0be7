// The shape of the documentation: short pages with one title, all of them listed in docs/README.md.
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { codeBlocks, documentationPages, headings, links, pageLines } from '../support/markdown';

const INDEX = 'docs/README.md';
const DECISIONS = 'docs/contribute/decisions/README.md';

const MAX_README_LINES = 200;
const MAX_PAGE_LINES = 150;

/** A walkthrough contains whole source files. */
const MAX_WALKTHROUGH_LINES = 180;

/** Languages of code blocks: `sh` is run, `ts` is compiled, and the others are only shown. */
const LANGUAGES: ReadonlySet<string> = new Set(['sh', 'ts', 'text', 'json', 'yaml', 'hcl', 'dns', 'js', 'diff', 'xml', 'md']);

const pages = documentationPages();

/** Returns how often an index links to each of the pages. */
function listings(index: string, listed: readonly string[]): Record<string, number> {
  const targets = links(index).map(({ target }) => posix.join(posix.dirname(index), target.replace(/#.*$/, '')));
  return Object.fromEntries(listed.map((page) => [page, targets.filter((target) => target === page).length]));
}

/** Returns the expected listings: each page once. */
function once(listed: readonly string[]): Record<string, number> {
  return Object.fromEntries(listed.map((page) => [page, 1]));
}

test('the README has at most 200 lines', () => {
  expect(pageLines('README.md').length).toBeLessThanOrEqual(MAX_README_LINES);
});

test('the README names the versions that package.json requires', () => {
  const manifest = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as {
    version: string; engines: { node: string }; peerDependencies: { 'aws-cdk-lib': string };
  };
  const readme = pageLines('README.md').join('\n');
  expect(readme).toContain(`Node.js ${manifest.engines.node.replace('>=', '')} or later`);
  expect(readme).toContain(`\`aws-cdk-lib\` ${manifest.peerDependencies['aws-cdk-lib'].slice('^'.length)} or later`);
  expect(readme).toContain(`**Status:** ${manifest.version.replace(/\.\d+$/, '')}, experimental`);
});

test.each(pages.filter((page) => /^docs\/(?:guide|command|troubleshooting|contribute)\//.test(page)))('%s is short enough to read at once', (page) => {
  expect(pageLines(page).length).toBeLessThanOrEqual(page.includes('/add-a-') ? MAX_WALKTHROUGH_LINES : MAX_PAGE_LINES);
});

test.each(pages)('%s has one title', (page) => {
  expect(headings(page).filter(({ level }) => level === 1)).toHaveLength(1);
});

test.each(pages)('no heading of %s skips a level', (page) => {
  const levels = headings(page).map(({ level }) => level);
  expect(levels.filter((level, index) => level > (index === 0 ? 0 : levels.at(index - 1) ?? 0) + 1)).toEqual([]);
});

// The generator of the API page has names of its own.
test.each(pages.filter((page) => page !== 'docs/reference/api.md'))('every code block of %s has a language that the tests know', (page) => {
  expect(codeBlocks(page).filter(({ language }) => !LANGUAGES.has(language)).map(({ line, language }) => `${page}:${line}: ${language}`)).toEqual([]);
});

describe('the index', () => {
  const records = pages.filter((page) => /^docs\/contribute\/decisions\/\d/.test(page));

  test('docs/README.md lists every page once', () => {
    const listed = pages.filter((page) => page.startsWith('docs/') && page !== INDEX && !records.includes(page));
    expect(listings(INDEX, listed)).toEqual(once(listed));
  });

  test('the list of decisions lists every decision once', () => {
    expect(records.length === 0 ? {} : listings(DECISIONS, records)).toEqual(once(records));
  });

  test('the README links to the page for refused mail within the first screen', () => {
    const emergency = links('README.md').find(({ target }) => target === 'docs/troubleshooting/mail-refused.md');
    expect(emergency?.line).toBeLessThanOrEqual(20);
  });

  test('docs/README.md names the page that is planned for renaming, moving and growing', () => {
    expect(pageLines(INDEX).join(' ')).toContain('Renaming, moving and growing');
  });
});
