// Finds missing and outdated packages and build outputs. Imports no package, since none may be installed yet.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLES } from './bundles.mjs';

/** Files that decide how everything is built. */
const BUILD = ['package.json', 'package-lock.json', 'tsconfig.json', 'tools/bundle.mjs', 'tools/bundles.mjs'];

/**
 * Returns why `npm ci` is needed, or undefined. Packages for other platforms are not expected.
 *
 * @param {string} root - the folder of package.json
 */
export function installationProblem(root) {
  if (!existsSync(join(root, 'node_modules'))) return 'node_modules is missing';
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  const installed = lockedPackages(join(root, 'node_modules', '.package-lock.json'));
  const problem = Object.entries(wanted).find(([folder, { version, optional, link }]) => folder !== '' && !optional && !link
    && (installed[folder]?.version !== version || !existsSync(join(root, folder, 'package.json'))));
  return problem && `${problem[0]} ${problem[1].version} is not installed`;
}

/**
 * Returns why `npm run build` is needed, or undefined.
 *
 * @param {string} root - the folder of package.json
 */
export function buildProblem(root) {
  const all = ['lib', 'cli', 'bin', 'test'].flatMap((folder) => sources(root, folder));
  const compiled = all.filter((file) => /^lib\/(?:(?:private|contract|util|protocol)\/.*|[^/]+)$/.test(file));
  const integ = all.filter((file) => /^test\/integ\.(?!test\.)[^/]*$/.test(file));
  return compiled.map((source) => missing(root, compiledFile(source))).find(Boolean)
    // The compiler may leave the old output of an unchanged file. It always writes the assembly.
    ?? outdated(root, '.jsii', [...compiled, ...BUILD])
    ?? BUNDLES.map(({ outfile, sources: parts }) => (
      outdated(root, outfile, [...all.filter((file) => parts.some((part) => file.startsWith(part))), ...BUILD]))).find(Boolean)
    ?? outdated(root, 'bin/app.js', ['bin/app.ts', ...BUILD])
    // The apps to deploy manually. The test environment deploys them too.
    ?? integ.map((source) => outdated(root, compiledFile(source), [source, ...BUILD])).find(Boolean);
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, optional?: boolean, link?: boolean }>} by folder
 */
function lockedPackages(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')).packages : {};
}

/**
 * Returns the TypeScript sources of a folder, relative to the root.
 *
 * @param {string} root
 * @param {string} folder
 */
function sources(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
}

/** @param {string} source */
function compiledFile(source) {
  return source.replace(/\.ts$/, '.js');
}

/**
 * @param {string} root
 * @param {string} output
 */
function missing(root, output) {
  return existsSync(join(root, output)) ? undefined : `${output} is missing`;
}

/**
 * Returns why an output must be built again, or undefined.
 *
 * @param {string} root
 * @param {string} output
 * @param {readonly string[]} files - that the output is made from; a file that does not exist is left out
 */
function outdated(root, output, files) {
  const time = (/** @type {string} */ file) => statSync(join(root, file)).mtimeMs;
  const problem = missing(root, output);
  if (problem !== undefined) return problem;
  const newer = files.find((file) => existsSync(join(root, file)) && time(file) > time(output));
  return newer && `${output} is older than ${newer}`;
}
