// A part of `npm run docs`: writes the table of docs/troubleshooting/deployment-failures.md from the catalogue of deployment failures.
// `--check` writes nothing and fails when the page is stale. Another page can follow.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const args = process.argv.slice(2);
const check = args.includes('--check');
const path = args.find((arg) => !arg.startsWith('--')) ?? join(root, 'docs/troubleshooting/deployment-failures.md');

const PLACE = /(<!-- deployment-failures -->\n)[^]*?(?=<!-- \/deployment-failures -->)/;

const { DEPLOYMENT_FAILURES } = await catalogue();
const page = readFileSync(path, 'utf8');
if (!PLACE.test(page)) throw new Error(`${path} has no place for the codes: <!-- deployment-failures --> and <!-- /deployment-failures -->`);
const fresh = page.replace(PLACE, (_, marker) => `${marker}\n${table()}\n`);
if (!check) {
  writeFileSync(path, fresh);
} else if (fresh !== page) {
  console.error('stale: deployment-failures.md; run `npm run docs`');
  process.exitCode = 1;
}

/** Loads the catalogue as JavaScript. */
async function catalogue() {
  const { outputFiles } = await build({
    absWorkingDir: root, entryPoints: ['lib/contract/deployment-failures.ts'], bundle: true, write: false, platform: 'node', format: 'esm',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** Returns the table: a row for each code, in the order of a deployment. */
function table() {
  const rows = Object.entries(DEPLOYMENT_FAILURES).map(([code, { meaning, impact, fix, page: link }]) => {
    // An anchor for each code, since rows have none.
    const more = link === undefined ? '' : ` ${linked(link)}`;
    return `| <a id="${code}"></a>\`${code}\` | ${cell(`${meaning} ${impact}`)} | ${cell(sentence(fix))}${more} |`;
  });
  return `| code | cause | fix |\n|---|---|---|\n${rows.join('\n')}\n`;
}

/** Returns a link to a page below `docs/`, by its title. */
function linked(target) {
  const [, title] = /^# (.*)$/m.exec(readFileSync(join(root, 'docs', target.split('#')[0]), 'utf8'));
  return `[${title}](${relative('troubleshooting', target)})`;
}

/** Returns a phrase such as `delete it; then deploy` as sentences. */
function sentence(phrase) {
  return phrase.split('; ').map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}.`).join(' ');
}

/** Escapes whatever means something in a cell, outside of code. */
function cell(text) {
  return text.replaceAll('|', '\\|').replace(/(`[^`]*`)|([<>*_])/g, (_, code, mark) => code ?? `\\${mark}`);
}
