// Every link of every page leads to a file, and every anchor to a heading, in the repository and in the published package.
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { anchors, documentationPages, githubSlug, links, repositoryPages } from '../support/markdown';
import type { Link } from '../support/markdown';

const ROOT = join(__dirname, '..', '..');

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { repository: { url: string } };

/** Beginning of each absolute link to a file of the repository, for example `<repository>/blob/main/`. */
const REPOSITORY = manifest.repository.url.replace(/\.git$/, '');

/** The destination of a link inside of the repository. */
interface Destination {
  readonly path: string;
  readonly anchor: string | undefined;
  /** Whether the link is relative, so that it must work in the package too. */
  readonly relative: boolean;
}

/** Returns the destination of a link; undefined for a link to another site. */
function destinationOf({ page, target }: Link): Destination | undefined {
  const hash = target.indexOf('#');
  const address = hash < 0 ? target : target.slice(0, hash);
  const anchor = hash < 0 ? undefined : target.slice(hash + 1);
  const path = address.startsWith(REPOSITORY) ? /^\/(?:blob|raw|tree)\/main\/(.+)$/.exec(address.slice(REPOSITORY.length))?.[1] : undefined;
  if (path !== undefined) return { path, anchor, relative: false };
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  return { path: address === '' ? page : posix.join(posix.dirname(page), decodeURI(address)), anchor, relative: true };
}

/** Returns the problem of a link in the repository; undefined for a good link. */
function problemOf(link: Link): string | undefined {
  const destination = destinationOf(link);
  if (destination === undefined) return undefined;
  const { path, anchor } = destination;
  const where = `${link.page}:${link.line}: ${link.target}`;
  if (path.startsWith('..') || !existsSync(join(ROOT, path))) return `${where}: there is no ${path}`;
  if (anchor === undefined || !path.endsWith('.md')) return undefined;
  return anchors(path).includes(anchor) ? undefined : `${where}: ${path} has no heading for #${anchor}`;
}

describe('GitHub\'s anchors', () => {
  test.each([
    ['From testing to enforce', 'from-testing-to-enforce'],
    ['What is `max_age`?', 'what-is-max_age'],
    ['DNS, SMTP & HTTPS', 'dns-smtp--https'],
    ['1. Publish a policy', '1-publish-a-policy'],
    ['Größe', 'größe'],
  ])('the heading "%s" has the anchor that GitHub gives it', (heading, anchor) => {
    expect(githubSlug(heading.replaceAll('`', ''))).toBe(anchor);
  });
});

test.each(repositoryPages())('every link and every anchor of %s resolves', (page) => {
  expect(links(page).flatMap((link) => problemOf(link) ?? [])).toEqual([]);
});

describe('the published package', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
  });
  const packed = (JSON.parse(output) as { files: { path: string }[] }[]).flatMap(({ files }) => files.map(({ path }) => path));
  const pages = packed.filter((file) => file.endsWith('.md'));

  test('the package holds the README and every page of the documentation', () => {
    expect(pages).toEqual(expect.arrayContaining(documentationPages()));
  });

  test.each(pages)('every relative link of %s leads to a published file', (page) => {
    const missing = links(page).filter((link) => {
      const destination = destinationOf(link);
      if (destination?.relative !== true) return false;
      const { path } = destination;
      const isFolder = existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isDirectory();
      return isFolder ? !packed.some((file) => file.startsWith(`${path.replace(/\/$/, '')}/`)) : !packed.includes(path);
    });
    expect(missing.map(({ line, target }) => `${page}:${line}: ${target}`)).toEqual([]);
  });
});
