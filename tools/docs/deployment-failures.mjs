// A part of `npm run docs`: writes the table of docs/troubleshooting/deployment-failures.md from the catalogue of deployment failures.
// `--check` writes nothing and fails when the page is stale. Another page can follow.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from '../load.mjs';
import { markdownCell } from './markdown-cell.mjs';

/**
 * @import { DeploymentFailureKind } from '../../lib/contract/deployment-failures.js'
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const args = process.argv.slice(2);
const check = args.includes('--check');
const path = args.find((arg) => !arg.startsWith('--')) ?? join(root, 'docs/troubleshooting/deployment-failures.md');

const PLACE = /(?<=<!-- deployment-failures -->\n)[^]*?(?=<!-- \/deployment-failures -->)/;

/** @type {{ DEPLOYMENT_FAILURES: Readonly<Record<string, DeploymentFailureKind>> }} */
const { DEPLOYMENT_FAILURES } = await load(['lib/contract/deployment-failures']);
const page = readFileSync(path, 'utf8');
if (!PLACE.test(page)) throw new Error(`${path} has no place for the codes: <!-- deployment-failures --> and <!-- /deployment-failures -->`);
const fresh = page.replace(PLACE, () => `\n${table()}\n`);
if (!check) {
  writeFileSync(path, fresh);
} else if (fresh !== page) {
  console.error('stale: deployment-failures.md; run `npm run docs`');
  process.exitCode = 1;
}

/** Returns the table: a row for each code, in the order of a deployment. */
function table() {
  const rows = Object.entries(DEPLOYMENT_FAILURES).map(([code, { meaning, impact, fix, page: link }]) => {
    // An anchor for each code, since rows have none.
    const more = link === undefined ? '' : ` ${linked(link)}`;
    return `| <a id="${code}"></a>\`${code}\` | ${markdownCell(`${meaning} ${impact}`)} | ${markdownCell(sentence(fix))}${more} |`;
  });
  return `| code | cause | fix |\n|---|---|---|\n${rows.join('\n')}\n`;
}

/**
 * Returns a link to a page below `docs/`, by its title.
 *
 * @param {string} target - path below `docs/`, with or without an anchor
 */
function linked(target) {
  const [file = ''] = target.split('#');
  const title = /^# (.*)$/m.exec(readFileSync(join(root, 'docs', file), 'utf8'))?.[1];
  if (title === undefined) throw new Error(`docs/${file} has no title`);
  return `[${title}](${relative('troubleshooting', target)})`;
}

/**
 * Returns a phrase such as `delete it; then deploy` as sentences.
 *
 * @param {string} phrase
 */
function sentence(phrase) {
  return phrase.split('; ').map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}.`).join(' ');
}
