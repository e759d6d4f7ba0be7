// Bundles what must carry its own dependencies, the Lambda function and the command, and compiles the apps: that behind
// cdk.json, and those to deploy by hand.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** `npm run dev`: bundles again after each change of a source, until Ctrl-C. */
const watches = process.argv.includes('--watch');

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
};
const bundled = { ...common, define: { 'process.env.MTA_STS_VERSION': JSON.stringify(version) } };

/** The apps to deploy by hand; the package that is published has none. */
const integ = readdirSync(join(root, 'test'))
  .filter((file) => /^integ\.(?!test\.).*\.ts$/.test(file))
  .map((file) => join('test', file));

const results = await Promise.all([
  build({
    ...bundled,
    entryPoints: ['lib/functions/deployment/index.ts'],
    outfile: 'lib/functions/deployment/bundle/index.js',
    target: 'node24',
    // The Lambda runtime has the AWS SDK.
    external: ['@aws-sdk/*'],
  }),
  build({
    ...bundled,
    entryPoints: ['bin/mta-sts.ts'],
    outfile: 'bin/mta-sts.js',
    target: 'node20.16',
    minify: true,
  }),
  build({ ...common, bundle: false, entryPoints: ['bin/app.ts', ...integ], outdir: '.', outbase: '.', target: 'node20.16' }),
]);
writeFileSync(join(root, 'THIRD-PARTY-LICENSES.txt'), licenses(results.flatMap(({ metafile }) => Object.keys(metafile.inputs))));

/** Bundles, and goes on with each change where that was asked for. */
async function build(options) {
  const bundler = await context({ ...options, logLevel: watches ? 'info' : options.logLevel });
  const result = await bundler.rebuild();
  await (watches ? bundler.watch() : bundler.dispose());
  return result;
}

/** The licences of the packages that the bundles carry, and of the data in them that is not under the package's own licence. */
function licenses(inputs) {
  const packages = new Set(inputs.map((input) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]).filter(Boolean));
  return [...packages].sort().flatMap((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const files = readdirSync(join(root, folder)).filter((entry) => /^(?:licen[cs]e|notice|copyright)/i.test(entry)).sort();
    const texts = files.map((file) => `\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`);
    return [`${name} ${version} (${license})\n${texts.join('')}`, ...embedded(name, version)];
  }).join(`\n${'-'.repeat(72)}\n\n`);
}

/** Data of somebody else in a package. */
function embedded(name, version) {
  if (name !== 'tldts') return [];
  return [`Public Suffix List (MPL-2.0), the data in ${name} ${version}

This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. The bundles hold the list in another form, made by
${name}. Its source form is at https://publicsuffix.org/list/public_suffix_list.dat and at https://github.com/publicsuffix/list; the
maintainers of the list are named there.

${readFileSync(join(root, 'tools', 'licenses', 'MPL-2.0.txt'), 'utf8').trim()}
`];
}
