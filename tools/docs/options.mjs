// A part of `npm run docs`: writes the arguments and options of each command, from its `--help`, into its page in docs/command.
// `--check` writes nothing and fails when a page is stale. Another folder of pages can follow.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownCell } from './markdown-cell.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const args = process.argv.slice(2);
const check = args.includes('--check');
const folder = args.find((arg) => !arg.startsWith('--')) ?? join(root, 'docs/command');

/** A place for options. Without a command in the marker, the name of the page is the command. */
const PLACE = /(<!-- options(?: ([a-z -]+?))? -->\n)[^]*?(?=<!-- \/options -->)/g;

const stale = readdirSync(folder).filter((file) => file.endsWith('.md')).filter((file) => {
  const path = join(folder, file);
  const page = readFileSync(path, 'utf8');
  const fresh = page.replace(PLACE, (_, marker, command = basename(file, '.md')) => `${marker}\n${options(command.split(' '))}\n`);
  if (!check) writeFileSync(path, fresh);
  return fresh !== page;
});
if (check && stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}; run \`npm run docs\``);
  process.exitCode = 1;
}

/**
 * Returns the usage line and the table of a command, as Markdown.
 *
 * @param {readonly string[]} command
 */
function options(command) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, 'bin/mta-sts.js'), ...command, '--help'], { encoding: 'utf8' });
  const usage = /^Usage: (.*)$/m.exec(stdout)?.[1];
  if (status !== 0 || usage === undefined) throw new Error(`mta-sts ${command.join(' ')} --help ended with status ${status}: ${stderr}`);
  const rows = [...entries(stdout, 'Arguments'), ...entries(stdout, 'Options')]
    .filter(({ term }) => term !== '-h, --help')
    .map(({ term, meaning }) => `| \`${term.replaceAll('|', '\\|')}\` | ${markdownCell(meaning)} |\n`);
  return `\`\`\`text\n${usage}\n\`\`\`\n${rows.length === 0 ? '' : `\n| argument or option | meaning |\n|---|---|\n${rows.join('')}`}`;
}

/**
 * Returns the terms of a section of the help text, each with its description in one line.
 *
 * @param {string} help
 * @param {string} title
 */
function entries(help, title) {
  const [, section = ''] = new RegExp(`^${title}:\n((?:  .*\n)+)`, 'm').exec(help) ?? [];
  return section.replace(/\n {4,}/g, ' ').trimEnd().split('\n').filter(Boolean).map((line) => {
    const [, term, meaning] = /^ {2}(.+?) {2,}(.*)$/.exec(line) ?? [];
    if (term === undefined || meaning === undefined) throw new Error(`a line of the help has no description: ${line}`);
    return { term, meaning };
  });
}
