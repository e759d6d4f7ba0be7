// Shows that a change keeps the behaviour: compares an earlier commit with this working tree.
//
//   node tools/compare/index.mjs <commit> [options]
//
//   <commit>          for example 4909090; it is unpacked and built in the folder for temporary files
//   --after <folder>  compare with this tree instead of this working tree
//   --built           do not build the working tree, because it is built already
//   --keep            keep the built commit for another run, and all outputs for inspection
//   --only <part>     templates or command
//   --domains <text>  verify only the test domains whose name contains it
//   --texts           print the texts for people that differ, old and new
//
// It compares the templates and warning ids of all apps (cdk.json, test/integ.*, examples, snippets of the documents), and the outputs and
// exit statuses of the command (verify, suggest, lint, match, explain, records, preview, help) for domains on loopback. It ignores hashes
// of assets, times, and the words of texts for people. settings.mjs lists the intended changes.
//
// Exit status: 0 no difference, 1 a difference, 2 wrong usage.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build as bundle } from 'esbuild';
import { CommandComparison } from './command.mjs';
import { SCENARIOS, startCorpus } from './corpus.mjs';
import { SOURCES } from './settings.mjs';
import { appsOf, synthesize } from './templates.mjs';
import { build, checkOut, find } from './trees.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAX_DIFF_LINES = 40;
const MAX_DIFFS = 40;

/** Collects the differences. */
class Report {
  same = 0;
  /** @type {{ name: string, diff: string }[]} */
  differences = [];
  texts = 0;
  /** By old and new words. @type {Map<string, string>} */
  changedTexts = new Map();

  /** @param {string} work - a folder for files */
  constructor(work) {
    this.work = work;
  }

  /** @type {import('./command.mjs').Compare} */
  compare = (name, before, after) => {
    if (before === after) {
      this.same += 1;
      return true;
    }
    const folder = mkdtempSync(join(this.work, 'difference-'));
    writeFileSync(join(folder, 'before'), `${before}\n`);
    writeFileSync(join(folder, 'after'), `${after}\n`);
    const { stdout } = spawnSync('git', ['diff', '--no-index', '--no-color', '-U1', 'before', 'after'], { cwd: folder, encoding: 'utf8' });
    this.differences.push({ name, diff: stdout.split('\n').slice(4).join('\n') });
    return false;
  };

  /** @type {import('./command.mjs').CompareText} */
  compareText = (where, before, after) => {
    this.texts += 1;
    if (before !== after) this.changedTexts.set(`- ${before}\n+ ${after}`, where);
  };

  /** @param {boolean} withTexts */
  print(withTexts) {
    // One change appears in many outputs.
    /** @type {Map<string, { diff: string, names: string[] }>} */
    const groups = new Map();
    for (const { name, diff } of this.differences) {
      const lines = diff.split('\n').filter((line) => /^[-+]/.test(line)).join('\n');
      const group = groups.get(lines) ?? { diff, names: [] };
      group.names.push(name);
      groups.set(lines, group);
    }
    for (const { diff, names } of [...groups.values()].slice(0, MAX_DIFFS)) {
      const lines = diff.trimEnd().split('\n');
      const others = names.length > 1 ? ` (and the same in ${names.length - 1} more: ${names.slice(1, 4).join(', ')}${names.length > 4 ? ', …' : ''})` : '';
      const more = lines.length - MAX_DIFF_LINES;
      console.log(`\n${names[0]}${others}\n${lines.slice(0, MAX_DIFF_LINES).join('\n')}${more > 0 ? `\n… ${more} more lines` : ''}`);
    }
    if (groups.size > MAX_DIFFS) console.log(`\n… and ${groups.size - MAX_DIFFS} more kinds of differences`);
    if (withTexts) for (const [words, where] of this.changedTexts) console.log(`\ntext of ${where}\n${words}`);
    console.log(`\n${this.same} outputs are equal, ${this.differences.length} differ; of ${this.texts} texts for people ${this.changedTexts.size} differ in their words`);
  }
}

/** Bundles the servers of the tests, which are TypeScript. @param {string} work */
async function loadSources(work) {
  const outfile = join(work, 'sources.cjs');
  const contents = Object.values(SOURCES).map((candidates) => `export * from ${JSON.stringify(find(ROOT, candidates))};`).join('\n');
  await bundle({ stdin: { contents, resolveDir: ROOT, loader: 'ts' }, bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'error' });
  return createRequire(import.meta.url)(outfile);
}

/** @param {string} part @param {() => Promise<void>} action */
async function step(part, action) {
  const begin = performance.now();
  await action();
  console.log(`${part}: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
}

/**
 * @param {string} commit
 * @param {{ after: string, built: boolean, keep: boolean, texts: boolean, only?: string, domains: string }} options
 * @returns {Promise<number>} the exit status
 */
async function main(commit, { after, built, keep, texts, only, domains }) {
  const folder = join(tmpdir(), `cdk-mta-sts-compare-${commit.replaceAll(/\W/g, '-')}`);
  const work = join(folder, 'outputs');
  const report = new Report(work);
  /** @type {Awaited<ReturnType<typeof startCorpus>> | undefined} */
  let corpus;
  try {
    let before = '';
    await step(`${commit}, unpacked and built`, async () => {
      before = checkOut(ROOT, commit, folder);
    });
    if (!built) await step('working tree, built', async () => build(after));
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const assemblies = { before: join(work, 'apps-before'), after: join(work, 'apps-after') };
    await step('templates', async () => {
      const apps = appsOf(before);
      const [old, now] = await Promise.all([synthesize(before, apps, assemblies.before), synthesize(after, apps, assemblies.after)]);
      if (only === 'command') return;
      for (const name of new Set([...old.keys(), ...now.keys()])) report.compare(name, old.get(name) ?? '', now.get(name) ?? '');
    });
    if (only !== 'templates') {
      corpus = await startCorpus(await loadSources(work));
      const scenarios = Object.entries(SCENARIOS).filter(([name]) => name.includes(domains));
      const command = new CommandComparison({ before, after }, join(work, 'command'), corpus, report, scenarios);
      await step('help', () => command.help());
      await step('lint, match', () => command.lint());
      await step('explain', async () => {
        const added = await command.explain();
        if (added.length > 0) console.log(`codes that are new: ${added.join(', ')}`);
      });
      await step('records, preview', () => command.records(assemblies));
      await step('verify, suggest', () => command.verify());
    }
    report.print(texts);
    return report.differences.length === 0 ? 0 : 1;
  } finally {
    await corpus?.close();
    if (keep) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

const USAGE = 'usage: node tools/compare/index.mjs <commit> [--after <folder>] [--built] [--keep] [--only templates|command] [--domains <text>] [--texts]';

/** Returns the arguments, or undefined for wrong usage. */
function readArguments() {
  try {
    const { values, positionals: [commit = '', ...others] } = parseArgs({
      allowPositionals: true,
      options: {
        after: { type: 'string', default: ROOT },
        built: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        texts: { type: 'boolean', default: false },
        only: { type: 'string' },
        domains: { type: 'string', default: '' },
        help: { type: 'boolean', default: false },
      },
    });
    const isValid = others.length === 0 && (values.help || commit !== '') && ['templates', 'command', undefined].includes(values.only);
    return isValid ? { ...values, after: resolve(values.after), commit } : undefined;
  } catch {
    return undefined;
  }
}

const given = readArguments();
if (given === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else if (given.help) {
  console.log(USAGE);
} else {
  process.exitCode = await main(given.commit, given);
}
