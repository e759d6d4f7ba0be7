// `npm run e2e`: real deployments against an emulator of AWS, in namespaces of their own. Needs Linux and root. See docs/contribute/e2e.md.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFault, installationFault } from './freshness.mjs';
import { lambdaNode } from './lambda-node.mjs';
import { NAMESPACES, StageError, checkNamespaces, checkUser, findPython, installPackages, openFolder, pythonFault } from './machine.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const E2E = join(ROOT, 'test', 'e2e');
const CACHE = join(ROOT, 'node_modules', '.cache', 'mta-sts-e2e');
const SCENES = process.argv.slice(2);
const COMMAND = { demo: 'npm run demo -- --real', soak: 'npm run soak' }[SCENES[0]] ?? 'npm run e2e';

/** The status of a stage that was asked for what selects nothing, and has said so. */
const WRONG_SELECTION = 'status 64';

/** After this a program that was asked to end is killed, with all that it has started. */
const GRACE_MILLISECONDS = 10_000;

/** Twelve hours, for a soak: the stage has a limit of its own, by what it plays. */
const MOST_MINUTES = 720;

let child;
let interruption;
// Whoever runs now is ended, then this script tidies up and ends as the signal wants it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interruption ??= signal;
    child?.end(signal);
  });
}

let work;
/** Then the logs are kept, but not in CI: there nobody comes for them, and errors have the end of them. */
let hasFailed = false;
try {
  checkUser();
  await installPackages(run);
  checkNamespaces();
  if (SCENES.join() === 'check') console.log('This machine can have the stage.');
  else await stage();
} catch (error) {
  if (!(error instanceof StageError)) throw error;
  hasFailed = interruption === undefined && error.end !== WRONG_SELECTION;
  if (error.end !== WRONG_SELECTION) console.error(`\n${COMMAND}: ${error.message}`);
  if (SCENES[0] === 'demo' && work === undefined && interruption === undefined) console.error('\nWithout the stage: `npm run demo` shows a preview, on any machine.');
  process.exitCode = 1;
} finally {
  if (work !== undefined) {
    if (process.env.KEEP_ENVIRONMENT || (hasFailed && !process.env.CI)) console.log(`The logs are in ${work}`);
    // What ran there is dying, and may still write.
    else rmSync(work, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
if (interruption !== undefined) process.exit(128 + constants.signals[interruption]);

async function stage() {
  const absent = installationFault(ROOT);
  if (absent) {
    console.log(`Install the packages (${absent})`);
    await run('npm ci', 15, 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true });
  }
  const stale = buildFault(ROOT);
  if (stale) {
    console.log(`Build (${stale})`);
    await run('the build', 10, 'npm', ['run', '--silent', 'build'], { quiet: true });
  }
  const python = await virtualEnvironment();
  const node = await nodeOfLambda();
  work = mkdtempSync(join(openFolder(), 'mta-sts-e2e-'));
  const main = join(work, 'main.cjs');
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: ROOT, entryPoints: { 'main': join(E2E, 'main.ts'), 'observer-thread': join(E2E, 'environment', 'observer', 'observer-thread.ts') }, outdir: work, outExtension: { '.js': '.cjs' },
    bundle: true, platform: 'node', format: 'cjs', target: 'node20.16', logLevel: 'warning',
  });
  // The process namespace ends with its first process, that with `unshare`, and `unshare` with this script, however it ends.
  await run('the stage', MOST_MINUTES, 'setpriv', ['--pdeathsig', 'KILL', 'unshare', ...NAMESPACES, process.execPath, '--no-warnings', main, ROOT, python, node, work, ...SCENES], { killedBy: 'SIGKILL' });
}

/** The emulator's packages, pinned by hashes, kept under node_modules until the list changes or `npm ci` takes all of that away. */
async function virtualEnvironment() {
  const found = findPython();
  if (found === undefined) throw new StageError(pythonFault());
  const requirements = join(E2E, 'environment', 'aws', 'requirements.txt');
  const key = createHash('sha256').update(found.version).update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const folder = join(CACHE, key);
  const python = join(folder, 'bin', 'python');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return python;
  rmSync(folder, { recursive: true, force: true });
  console.log('Install the emulator of AWS (ministack) into a virtual environment');
  try {
    await run(`${found.program} -m venv`, 5, found.program, ['-I', '-m', 'venv', folder], { quiet: true });
    await run('pip install (from the index that pip is set to)', 15, python, [
      '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '--only-binary', ':all:', '-r', requirements,
    ], { quiet: true });
    writeFileSync(complete, '');
  } finally {
    if (!existsSync(complete)) rmSync(folder, { recursive: true, force: true });
  }
  return python;
}

/** The Node.js that Lambda runs, kept like the emulator's packages. */
async function nodeOfLambda() {
  const node = lambdaNode(ROOT);
  if (existsSync(node)) return node;
  console.log('Fetch the Node.js that Lambda runs');
  await run('the fetch of Node.js (from the registry that npm is set to)', 10, process.execPath, [join(ROOT, 'tools', 'lambda-node.mjs')], { quiet: true });
  return node;
}

/**
 * Runs a program to its end.
 *
 * @param killedBy - the signal that ends it where this script is interrupted; by default that which interrupted it
 * @param quiet - what it writes is shown only where it fails
 * @throws StageError where it ends badly, or not in time
 */
async function run(what, minutes, program, args, { killedBy, quiet = false } = {}) {
  if (interruption !== undefined) throw new StageError(`interrupted by ${interruption}`);
  const stream = quiet ? 'pipe' : 'inherit';
  // A group of its own, so that all of it can be killed.
  const running = spawn(program, args, { cwd: ROOT, stdio: ['ignore', stream, stream], detached: true });
  const written = [];
  for (const output of [running.stdout, running.stderr]) output?.on('data', (chunk) => written.push(chunk));
  let late = false;
  let last;
  const end = (signal) => {
    running.kill(killedBy ?? signal);
    last ??= setTimeout(() => {
      killGroup(running.pid);
    }, GRACE_MILLISECONDS);
  };
  const limit = setTimeout(() => {
    late = true;
    end('SIGTERM');
  }, minutes * 60_000);
  child = { end };
  try {
    const fault = await new Promise((resolve) => {
      running.once('error', (error) => {
        resolve(error.message);
      }).once('close', (status, signal) => {
        resolve(status === 0 ? undefined : signal ?? `status ${status}`);
      });
    });
    if (interruption !== undefined) throw new StageError(`interrupted by ${interruption}`);
    if (late || fault !== undefined) process.stderr.write(Buffer.concat(written));
    if (late) throw new StageError(`${what} did not end within ${minutes} minutes, and was ended`);
    if (fault !== undefined) throw Object.assign(new StageError(`${what} ended with ${fault}`), { end: fault });
  } finally {
    clearTimeout(limit);
    clearTimeout(last);
    child = undefined;
  }
}

/** @param {number | undefined} group - none where it was never started */
function killGroup(group) {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
