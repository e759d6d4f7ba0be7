// The documentation has every page and every heading that messages name.
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEPLOYMENT_FAILURES } from '../../lib/contract/deployment-failures';
import type { DeploymentFailureKind } from '../../lib/contract/deployment-failures';
import { DOCUMENTATION_PAGES, docsUrl } from '../../lib/contract/docs-url';
import { anchors } from '../support/markdown';

const ROOT = join(__dirname, '..', '..');

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { repository: { url: string } };

/** Pages that the catalogue of deployment failures names, each once. */
const FAILURE_PAGES = [...new Set(Object.values<DeploymentFailureKind>(DEPLOYMENT_FAILURES).flatMap(({ page }) => page ?? []))];

/** Asserts that a page below `docs/` exists, and that it has the heading of the anchor. */
function expectPage(address: string): void {
  const [path = '', anchor] = address.split('#');
  const page = `docs/${path}`;
  expect(existsSync(join(ROOT, page))).toBe(true);
  if (anchor !== undefined) expect(anchors(page)).toContain(anchor);
}

/** Returns the source files of a folder. */
function sources(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => readFileSync(join(ROOT, folder, file), 'utf8'));
}

describe('pages that messages name', () => {
  test.each(DOCUMENTATION_PAGES)('the documentation has the page that a message names: %s', (page) => {
    expectPage(page);
  });

  test.each(DOCUMENTATION_PAGES)('the address of %s is in the repository of package.json', (page) => {
    expect(docsUrl(page)).toBe(`${manifest.repository.url.replace(/\.git$/, '')}/blob/main/docs/${page}`);
  });

  test('the list of pages has exactly the pages that the sources name', () => {
    const named = [...sources('lib'), ...sources('cli')].flatMap((source) => [...source.matchAll(/docsUrl\('([^']*)'\)/g)].map(([, page]) => page));
    expect([...new Set(named)].sort()).toEqual([...DOCUMENTATION_PAGES].sort());
  });
});

describe('pages that the catalogue of deployment failures names', () => {
  test.each(FAILURE_PAGES)('the documentation has the page that a deployment failure names: %s', (page) => {
    expectPage(page);
  });
});
