// Bundles what must carry its own dependencies, the Lambda function and the command, and compiles the apps: that behind
// cdk.json, and those to deploy by hand.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

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
    entryPoints: ['lib/handler/index.ts'],
    outfile: 'lib/handler/bundle/index.js',
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

/** The licences of the packages that the bundles carry. */
function licenses(inputs) {
  const packages = new Set(inputs.map((input) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]).filter(Boolean));
  return [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`;
    return `${name} ${version} (${license})\n${text}`;
  }).join(`\n${'-'.repeat(72)}\n\n`);
}
