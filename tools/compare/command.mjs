// Compares the command: runs the bundles of both trees with the same arguments against the same domains and files.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { domainOf } from './corpus.mjs';
import { readHelp, readJson, withoutTexts } from './normalize.mjs';
import { PATHS } from './settings.mjs';
import { find } from './trees.mjs';

/**
 * @typedef {import('./normalize.mjs').Text} Text
 * @typedef {readonly [name: string, scenario: import('./corpus.mjs').Scenario]} Scenario
 * @typedef {{ status: unknown, stdout: string, stderr: string }} Ran
 * @typedef {{ ports: Readonly<Record<string, number>>, resolver: string, authority: string }} Network
 * @typedef {'json' | 'text' | 'help' | 'exact' | 'heading'} Read - the way to compare the output
 * @typedef {{ name: string, args: readonly string[], read: Read }} Case
 * @typedef {(name: string, before: string, after: string) => boolean} Compare
 * @typedef {(where: string, before: string, after: string) => void} CompareText
 */

/** Formats for people and for programs of other projects. */
const FORMATS = ['text', 'junit', 'github', 'html'];

/** Scenarios for which `suggest` prints different records. */
const SUGGESTED = [
  'good', 'record-missing', 'mx-none', 'mx-null', 'mx-implicit', 'mx-no-address', 'mode-none', 'tls-rpt-two', 'record-two', 'domain-missing',
];

/** Compares the command of two trees. */
export class CommandComparison {
  /**
   * @param {{ before: string, after: string }} trees
   * @param {string} work - a folder for files
   * @param {Network} network
   * @param {{ compare: Compare, compareText: CompareText }} report
   * @param {readonly Scenario[]} scenarios - to verify
   */
  constructor(trees, work, network, report, scenarios) {
    this.scenarios = scenarios;
    this.trees = trees;
    this.work = work;
    this.network = network;
    this.report = report;
    mkdirSync(work, { recursive: true });
    writeFileSync(this.#file('authority.pem'), network.authority);
  }

  /** `verify` of each scenario as JSON, and of all together in the other formats. */
  async verify() {
    const args = ['--resolver', this.network.resolver, '--allow-private'];
    const texts = await this.#cases(this.scenarios.map(([name, { flags = [] }]) => (
      { name: `verify ${name}`, args: ['verify', domainOf(name), '--format', 'json', '--smtp', ...args, ...flags], read: 'json' })));
    this.#noteFindings(texts.after);
    const quick = this.scenarios.filter(([, { isSlow }]) => isSlow === undefined).map(([name]) => domainOf(name));
    const list = this.#write('domains.txt', `${quick.join('\n')}\n`);
    const all = ['verify', '--file', list, '--smtp', '--concurrency', '4', ...args];
    const more = await this.#cases([
      { name: 'verify all, json', args: [...all, '--format', 'json'], read: 'json' },
      { name: 'verify all, ndjson', args: [...all, '--format', 'ndjson'], read: 'json' },
    ]);
    const known = { before: [...texts.before, ...more.before], after: [...texts.after, ...more.after] };
    await this.#cases(FORMATS.map((format) => ({ name: `verify all, ${format}`, args: [...all, '--format', format], read: 'text' })), known);
    const one = ['verify', domainOf('good'), '--smtp', ...args];
    await this.#cases([
      ...FORMATS.map((format) => /** @type {Case} */ ({ name: `verify one, ${format}`, args: [...one, '--format', format], read: 'text' })),
      { name: 'verify to a file', args: [...one, '--format', 'junit', '--output', '/dev/null'], read: 'text' },
      { name: 'verify private addresses', args: ['verify', domainOf('good'), ...args.slice(0, 2), '--format', 'json'], read: 'json' },
      { name: 'verify another policy', args: [...one, '--expect-policy', list, '--format', 'json'], read: 'json' },
      { name: 'verify outputs', args: ['verify', '--outputs', this.#outputs(), '--format', 'json', ...args], read: 'json' },
      { name: 'verify outputs, text', args: ['verify', '--outputs', this.#outputs(), ...args], read: 'text' },
      { name: 'verify, no resolver', args: ['verify', domainOf('good'), '--resolver', '127.0.0.9'], read: 'text' },
      { name: 'verify, no domain', args: ['verify'], read: 'heading' },
      { name: 'verify, wrong domain', args: ['verify', 'a@example.com'], read: 'heading' },
    ], known);
    for (const name of SUGGESTED) {
      const suggest = ['suggest', domainOf(name), '--resolver', this.network.resolver];
      await this.#cases([
        { name: `suggest ${name}, json`, args: [...suggest, '--format', 'json'], read: 'json' },
        { name: `suggest ${name}`, args: suggest, read: 'exact' },
      ]);
    }
  }

  /**
   * Writes the codes of each scenario, so that a reader can check that a domain has the problem of its name.
   *
   * @param {readonly Text[]} texts
   */
  #noteFindings(texts) {
    /** @type {Map<string, string[]>} */
    const codes = new Map();
    for (const { where } of texts) {
      const [, domain, code] = /^\.domains\.(.+)\.findings\.([^.]+)\.message$/.exec(where) ?? [];
      if (domain !== undefined && code !== undefined) codes.set(domain, [...codes.get(domain) ?? [], code]);
    }
    this.#write('findings.txt', this.scenarios.map(([name]) => `${name}: ${codes.get(domainOf(name))?.join(', ') ?? ''}\n`).join(''));
    console.log(`the test domains show ${new Set([...codes.values()].flat()).size} codes of findings`);
  }

  /** `lint` and `match` over the vectors. */
  async lint() {
    const folder = find(this.trees.before, PATHS.vectors);
    /** @typedef {{ id: string, input?: string | (string | string[])[], inputBase64?: string, pattern: string, host: string }} Vector */
    /** @type {(name: string) => Vector[]} */
    const vectors = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
    const policies = vectors('policy').map(({ id, input, inputBase64 = '' }) => (
      this.#write(`${id}.txt`, typeof input === 'string' ? input : Buffer.from(inputBase64, 'base64'))));
    // An inner list has the character-strings of one record.
    const records = (/** @type {string} */ file) => vectors(file)
      .map(({ id, input = [] }) => ({ id, texts: (typeof input === 'string' ? [input] : input).map((text) => [text].flat().join('')) }))
      .filter(({ texts }) => texts.every((text) => !text.includes('\0')));
    /** @type {Case[]} */
    const cases = [
      { name: 'lint policy', args: ['lint', 'policy', '--format', 'json', ...policies], read: 'json' },
      { name: 'lint nothing', args: ['lint', 'record', '--format', 'json'], read: 'json' },
      ...records('record').map(({ id, texts }) => /** @type {Case} */ ({ name: `lint ${id}`, args: ['lint', 'record', '--format', 'json', '--', ...texts], read: 'json' })),
      ...records('tlsrpt').map(({ id, texts }) => /** @type {Case} */ (
        { name: `lint ${id}`, args: ['lint', 'tls-rpt', '--format', 'json', '--', ...texts], read: 'json' })),
      ...vectors('mxmatch').map(({ id, pattern, host }) => /** @type {Case} */ ({ name: `match ${id}`, args: ['match', '--', pattern, host], read: 'heading' })),
    ];
    const texts = await this.#cases(cases);
    await this.#cases([{ name: 'lint policy, text', args: ['lint', 'policy', ...policies], read: 'text' }], texts);
  }

  /**
   * `explain` of every code that the earlier commit has.
   *
   * @returns the codes that only the later tree has
   */
  async explain() {
    const { stdout } = await this.#run(this.trees.before, ['explain', '--format', 'json']);
    /** @type {{ code: string }[]} */
    const entries = JSON.parse(stdout);
    const codes = entries.map(({ code }) => code);
    const texts = await this.#cases([{ name: 'explain all as JSON', args: ['explain', '--format', 'json', ...codes], read: 'json' }]);
    await this.#cases([
      { name: 'explain a code', args: ['explain', ...codes.slice(0, 1)], read: 'heading' },
      { name: 'explain all', args: ['explain', ...codes], read: 'text' },
      { name: 'explain a bounce', args: ['explain', '550 5.7.5 Remote certificate failed', '--format', 'json'], read: 'json' },
      { name: 'explain nothing known', args: ['explain', 'no-such-code'], read: 'heading' },
    ], texts);
    const { stdout: now } = await this.#run(this.trees.after, ['explain', '--format', 'json']);
    /** @type {{ code: string }[]} */
    const later = JSON.parse(now);
    return later.map(({ code }) => code).filter((code) => !codes.includes(code));
  }

  /**
   * `records` of apps, of a file and of outputs; `preview --verify` of one app.
   *
   * @param {{ before: string, after: string }} assemblies - folders that have the same apps, synthesized by each tree
   */
  async records(assemblies) {
    const file = this.#write('policy.txt', 'version: STSv1\r\nmode: testing\r\nmx: mx1.good.test\r\nmax_age: 604800\r\n');
    const sources = {
      'external DNS': ['--app', '{assemblies}/integ.external-dns.js'],
      'one domain': ['--app', '{assemblies}/integ.one-domain.js'],
      'many domains': ['--app', '{assemblies}/integ.many-domains.js'],
      'a file': ['--domain', 'good.test', '--policy', file, '--target', 'd111111abcdef8.cloudfront.net', '--tls-rpt', 'mailto:a@good.test'],
      'a file without target': ['--domain', 'good.test', '--policy', file],
      'outputs': ['--outputs', this.#outputs()],
    };
    const formats = ['table', 'zone', 'json', 'terraform'];
    const cases = Object.entries(sources).flatMap(([name, source]) => formats.map((format) => /** @type {Case} */ (
      { name: `records of ${name}, ${format}`, args: ['records', ...source, '--format', format], read: format === 'json' ? 'json' : 'exact' }
    )));
    const preview = ['preview', '--app', '{assemblies}/integ.one-domain.js', '--verify', '--format', 'json'];
    await this.#cases([...cases, { name: 'preview --verify', args: preview, read: 'json' }], undefined, assemblies);
  }

  /** Names and defaults of arguments and options, and the exit status of wrong usage. */
  async help() {
    const commands = ['', 'verify', 'suggest', 'records', 'lint', 'lint policy', 'lint record', 'lint tls-rpt', 'match', 'explain', 'preview']
      .map((command) => command.split(' ').filter((word) => word !== ''));
    await this.#cases([
      ...commands.map((command) => /** @type {Case} */ ({ name: `${command.join(' ')} --help`, args: [...command, '--help'], read: 'help' })),
      ...commands.map((command) => /** @type {Case} */ ({ name: `${command.join(' ')} --wrong`, args: [...command, '--wrong'], read: 'heading' })),
      { name: '--version', args: ['--version'], read: 'exact' },
    ]);
  }

  /**
   * Runs the cases with both trees, a few at the same time.
   *
   * @param {readonly Case[]} cases
   * @param {{ before: readonly Text[], after: readonly Text[] }} [known] - texts of the same verifications
   * @param {{ before: string, after: string }} [assemblies] - replace `{assemblies}`
   * @returns the texts in the JSON
   */
  async #cases(cases, known, assemblies) {
    /** @type {{ before: Text[], after: Text[] }} */
    const texts = { before: [], after: [] };
    const left = [...cases];
    const worker = async () => {
      for (let one = left.shift(); one !== undefined; one = left.shift()) await this.#case(one, texts, known, assemblies);
    };
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
    return texts;
  }

  /**
   * @param {Case} one
   * @param {{ before: Text[], after: Text[] }} texts
   * @param {{ before: readonly Text[], after: readonly Text[] }} known
   * @param {{ before: string, after: string }} assemblies
   */
  async #case({ name, args, read }, texts, known = { before: [], after: [] }, assemblies = { before: '', after: '' }) {
    const [before, after] = await Promise.all(/** @type {const} */ (['before', 'after']).map(async (side) => {
      const ran = await this.#run(this.trees[side], args.map((arg) => arg.replace('{assemblies}', assemblies[side])));
      const { shape, texts: met } = readOutput(ran, read, known[side]);
      texts[side].push(...met);
      const withoutPaths = shape.replaceAll(this.trees[side], '<tree>').replaceAll(assemblies[side] || '\0', '<assemblies>');
      return { ran, shape: `exit status ${ran.status}\n${withoutPaths}`, met };
    }));
    if (before === undefined || after === undefined) return;
    const isSame = this.report.compare(name, before.shape, after.shape);
    if (!isSame) return;
    for (const [at, { where, words }] of before.met.entries()) this.report.compareText(`${name}${where}`, words, after.met[at]?.words ?? '');
    if (read === 'heading') this.report.compareText(name, before.ran.stderr, after.ran.stderr);
  }

  /**
   * @param {string} root
   * @param {readonly string[]} args
   * @returns {Promise<Ran>}
   */
  #run(root, args) {
    const { GITHUB_STEP_SUMMARY: _, ...rest } = process.env;
    const env = { ...rest, NODE_EXTRA_CA_CERTS: this.#file('authority.pem'), COMPARE_PORTS: JSON.stringify(this.network.ports), NO_COLOR: '1', LC_ALL: 'C.UTF-8' };
    const preload = pathToFileURL(fileURLToPath(new URL('preload.mjs', import.meta.url))).href;
    return new Promise((done) => {
      const child = execFile(process.execPath, ['--import', preload, find(root, PATHS.command), ...args], { env, cwd: this.work, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
        done({ status: error === null ? 0 : error.code ?? error.signal, stdout, stderr });
      });
      child.stdin?.end();
    });
  }

  /** @param {string} name */
  #file(name) {
    return join(this.work, name);
  }

  /** @param {string} name @param {string | Uint8Array} content */
  #write(name, content) {
    writeFileSync(this.#file(name), content);
    return this.#file(name);
  }

  /** Writes the outputs file of `cdk deploy`. Its form is a contract with earlier deployments, so it is spelled out here. */
  #outputs() {
    const published = (/** @type {string} */ domain) => JSON.stringify({ mtaSts: {
      domain,
      id: '1',
      target: 'd111111abcdef8.cloudfront.net',
      tlsRpt: `v=TLSRPTv1; rua=mailto:a@${domain}`,
      validation: { name: `_0123456789abcdef.mta-sts.${domain}`, value: '_abcdef0123456789.acm-validations.aws' },
      earliestRemoval: '2026-01-01T00:00:00Z',
      warnings: domain === 'good.test' ? 'none' : `mail to old.${domain} until 2026-02-01T00:00:00Z`,
      policy: `version: STSv1\r\nmode: enforce\r\nmx: mx1.${domain}\r\nmax_age: 2592000\r\n`,
    } });
    return this.#write('outputs.json', JSON.stringify({ One: { Published: published('good.test') }, Two: { Published: published('dns-old-record.test'), Other: 'x' } }));
  }
}

/**
 * @param {Ran} ran
 * @param {Read} read
 * @param {readonly Text[]} known
 */
function readOutput({ stdout, stderr }, read, known) {
  switch (read) {
    case 'json': return readJson(stdout);
    case 'text': return { shape: withoutTexts(stdout, known), texts: [] };
    case 'help': return { shape: readHelp(stdout), texts: [] };
    case 'exact': return { shape: withoutTexts(stdout, []), texts: [] };
    // Only text for people follows the first line. An error message is text for people.
    case 'heading': return { shape: `${stdout.split('\n')[0] ?? ''}\n${stderr === '' ? '' : 'with an error message'}`, texts: [] };
  }
}
