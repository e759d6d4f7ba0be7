// Fetches the Node.js that Lambda runs, for the tests of functions and operations. `node tools/lambda-node.mjs` prints its path.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const VERSION = '24.21.0';

/** Hashes of the packages behind the package `node` of npm, by platform. Each has the program for one platform. */
const PACKAGES = new Map(Object.entries({
  'linux-x64': 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'linux-arm64': 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
}));

const MAX_STEP_MS = 10 * 60_000;

const run = promisify(execFile);

/**
 * Returns the path of the program, whether it exists or not.
 *
 * @param {string} root - the folder of package.json
 */
export function lambdaNode(root) {
  return join(cache(root), `${VERSION}-${process.platform}-${process.arch}`, 'bin', 'node');
}

/** @param {string} root - the folder of package.json */
function cache(root) {
  return join(root, 'node_modules', '.cache', 'lambda-node');
}

/**
 * Fetches the program once, by npm from the registry that npm is set to, and keeps it below node_modules until `npm ci` removes it.
 *
 * It is not a dependency, because its 120 MB serve only these tests.
 *
 * @param {string} root - the folder of package.json
 * @throws Error if the package cannot be fetched, or differs from the pinned one
 */
async function fetchLambdaNode(root) {
  const platform = `${process.platform}-${process.arch}`;
  const pinned = PACKAGES.get(platform);
  if (pinned === undefined) throw new Error(`Node.js ${VERSION} is pinned for ${[...PACKAGES.keys()].join(' and ')}, and this machine is ${platform}`);
  if (existsSync(lambdaNode(root))) return;
  const folder = cache(root);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'fetching-'));
  try {
    await run('npm', ['pack', `node-${platform}@${VERSION}`, '--ignore-scripts', '--pack-destination', work, '--loglevel=error'], {
      cwd: work, timeout: MAX_STEP_MS,
    });
    const archive = join(work, readdirSync(work).find((name) => name.endsWith('.tgz')) ?? '');
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (integrity !== pinned) {
      throw new Error(`node-${platform} ${VERSION} is ${integrity}, and ${pinned} is pinned in tools/lambda-node.mjs: it is not run`);
    }
    await run('tar', ['-xzf', archive, '-C', work, 'package/bin/node', 'package/LICENSE'], { timeout: MAX_STEP_MS });
    await run(join(work, 'package', 'bin', 'node'), ['--version'], { timeout: MAX_STEP_MS });
    // In one step, since another process may do the same.
    rmSync(join(folder, `${VERSION}-${platform}`), { recursive: true, force: true });
    renameSync(join(work, 'package'), join(folder, `${VERSION}-${platform}`));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  await fetchLambdaNode(root);
  console.log(lambdaNode(root));
}
