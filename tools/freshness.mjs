// Tells what of the installed packages and of the build is missing or older than its sources. Needs no package itself.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Why `npm ci` is needed, or undefined. Packages for other platforms are rightly not there.
 *
 * @param {string} root - the folder of package.json
 */
export function installationFault(root) {
  if (!existsSync(join(root, 'node_modules'))) return 'node_modules is missing';
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  const fault = Object.entries(wanted).find(([folder, { version, optional, link }]) => folder !== '' && !optional && !link
    && (installed[folder]?.version !== version || !existsSync(join(root, folder, 'package.json'))));
  return fault && `${fault[0]} ${fault[1].version} is not installed`;
}

/**
 * Why `npm run build` is needed, or undefined.
 *
 * @param {string} root - the folder of package.json
 */
export function buildFault(root) {
  const lib = sources(root, 'lib');
  const cli = [...sources(root, 'cli'), 'bin/mta-sts.ts'];
  const tools = ['package.json', 'package-lock.json', 'tsconfig.json', 'tools/bundle.mjs'];
  const compiled = lib.filter((file) => /^lib\/(?:(?:private|contract|util|protocol)\/.*|[^/]+)$/.test(file));
  return compiled.map((source) => missing(root, source.replace(/\.ts$/, '.js'))).find(Boolean)
    // Of an unchanged file the compiler may leave the old output; the assembly it always writes.
    ?? outdated(root, '.jsii', [...compiled, ...tools])
    ?? outdated(root, 'lib/functions/deployment/bundle/index.js', [...lib.filter((file) => /^lib\/(?:functions|operations|verifier|protocol|contract|util)\//.test(file)), ...tools])
    ?? outdated(root, 'bin/mta-sts.js', [...lib, ...cli, ...tools])
    ?? outdated(root, 'bin/app.js', ['bin/app.ts', ...tools])
    // The apps to deploy by hand, which the stage deploys.
    ?? sources(root, 'test').filter((file) => /^test\/integ\.(?!test\.)[^/]*$/.test(file))
      .map((source) => outdated(root, source.replace(/\.ts$/, '.js'), [source, ...tools])).find(Boolean);
}

function packagesOf(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')).packages : {};
}

function sources(root, folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
}

function missing(root, output) {
  return existsSync(join(root, output)) ? undefined : `${output} is missing`;
}

function outdated(root, output, files) {
  const time = (file) => statSync(join(root, file)).mtimeMs;
  const newer = () => files.find((file) => existsSync(join(root, file)) && time(file) > time(output));
  const changed = missing(root, output) ?? newer();
  return changed && (changed.endsWith('is missing') ? changed : `${output} is older than ${changed}`);
}
