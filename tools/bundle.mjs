// Builds the bundles of tools/bundles.mjs, and compiles the apps: the one of cdk.json, and those to deploy manually.
// `--watch` builds again after each change of a source, until Ctrl-C.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';
import { BUNDLES } from './bundles.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = readManifest('');
const watches = process.argv.includes('--watch');

const COMMON = /** @type {const} */ ({
  absWorkingDir: root,
  platform: 'node',
  format: 'cjs',
  legalComments: 'none',
  logLevel: watches ? 'info' : 'warning',
  metafile: true,
});

/** The apps to deploy manually. The published package has none of them. */
const integ = readdirSync(join(root, 'test'))
  .filter((file) => /^integ\.(?!test\.).*\.ts$/.test(file))
  .map((file) => join('test', file));

const inputs = await Promise.all([
  ...BUNDLES.map(({ entryPoint, outfile, target, external, minify }) => build({
    ...COMMON,
    bundle: true,
    entryPoints: [entryPoint],
    outfile,
    target,
    external: [...external],
    minify,
    define: { 'process.env.MTA_STS_VERSION': JSON.stringify(version) },
  })),
  build({ ...COMMON, entryPoints: ['bin/app.ts', ...integ], outdir: '.', outbase: '.', target: 'node20.16' }),
]);
writeFileSync(join(root, 'THIRD-PARTY-LICENSES.txt'), licenses(inputs.flat()));

/**
 * Builds once, and again after each change if `--watch` is given.
 *
 * @param {import('esbuild').BuildOptions & { metafile: true }} options
 * @returns {Promise<string[]>} the paths of all inputs of the first build
 */
async function build(options) {
  const bundler = await context(options);
  const { metafile } = await bundler.rebuild();
  await (watches ? bundler.watch() : bundler.dispose());
  return Object.keys(metafile.inputs);
}

/**
 * Returns the licences of the packages in the bundles, and of data in them that has another licence than its package.
 *
 * @param {readonly string[]} inputs - paths of the bundled files
 */
function licenses(inputs) {
  const packages = new Set(inputs.flatMap((input) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []));
  return [...packages].sort().flatMap((folder) => {
    const { name, version, license } = readManifest(folder);
    const files = readdirSync(join(root, folder)).filter((entry) => /^(?:licen[cs]e|notice|copyright)/i.test(entry)).sort();
    const texts = files.map((file) => `\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`);
    return [`${name} ${version} (${license})\n${texts.join('')}`, ...embedded(name, version)];
  }).join(`\n${'-'.repeat(72)}\n\n`);
}

/**
 * Returns the licences of data in a package that has another owner.
 *
 * @param {string} name
 * @param {string} version
 */
function embedded(name, version) {
  if (name !== 'tldts') return [];
  return [`Public Suffix List (MPL-2.0), the data in ${name} ${version}

This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. The bundles hold the list in another form, made by
${name}. Its source form is at https://publicsuffix.org/list/public_suffix_list.dat and at https://github.com/publicsuffix/list; the
maintainers of the list are named there.

${readFileSync(join(root, 'tools', 'licenses', 'MPL-2.0.txt'), 'utf8').trim()}
`];
}

/**
 * @param {string} folder - of a package, relative to the root
 * @returns {{ name: string, version: string, license: string }}
 */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
}
