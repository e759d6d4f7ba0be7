// `npm run e2e`: runs real deployments against an emulator of AWS, in private namespaces. Needs Linux and root. See docs/contribute/e2e.md.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProblem, installationProblem } from './freshness.mjs';
import { lambdaNode } from './lambda-node.mjs';
import { EnvironmentError, NAMESPACES, checkNamespaces, checkUser, findPython, installPackages, openFolder, pythonProblem } from './machine.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const E2E = join(ROOT, 'test', 'e2e');
const CACHE = join(ROOT, 'node_modules', '.cache', 'mta-sts-e2e');
const SCENARIOS = process.argv.slice(2);
const COMMAND = new Map([['demo', 'npm run demo -- --real'], ['soak', 'npm run soak']]).get(SCENARIOS[0] ?? '') ?? 'npm run e2e';

/** The end of a test environment whose arguments select nothing. It has printed the reason. */
const WRONG_SELECTION = 'status 64';

/** Time between asking a program to end and killing it with all that it has started. */
const GRACE_MS = 10_000;

/** Twelve hours, for a soak. The test environment has a shorter limit of its own, which depends on its scenarios. */
const MAX_MINUTES = 720;

/**
 * State of this run.
 *
 * @type {{ child?: { end: (signal: NodeJS.Signals) => void }, interruption?: NodeJS.Signals, work?: string }}
 */
const state = {};
// A signal ends the running program. Then this script cleans up and ends with the status of the signal.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    state.interruption ??= signal;
    state.child?.end(signal);
  });
}

/** Whether to keep the logs. In CI they are removed in any case, because the error shows their last lines. */
let hasFailed = false;
try {
  checkUser();
  await installPackages(run);
  checkNamespaces();
  if (SCENARIOS.join() === 'check') console.log('This machine can run the test environment.');
  else await runEnvironment();
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  hasFailed = state.interruption === undefined && error.end !== WRONG_SELECTION;
  if (error.end !== WRONG_SELECTION) console.error(`\n${COMMAND}: ${error.message}`);
  if (SCENARIOS[0] === 'demo' && state.work === undefined && state.interruption === undefined) {
    console.error('\nWithout the test environment: `npm run demo` shows a preview, on any machine.');
  }
  process.exitCode = 1;
} finally {
  if (state.work !== undefined) {
    if (process.env.KEEP_ENVIRONMENT || (hasFailed && !process.env.CI)) console.log(`The logs are in ${state.work}`);
    // Ending processes may still write to the folder.
    else rmSync(state.work, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
if (state.interruption !== undefined) process.exit(128 + constants.signals[state.interruption]);

/** Installs and builds if needed, and runs the test environment to its end. */
async function runEnvironment() {
  const absent = installationProblem(ROOT);
  if (absent) {
    console.log(`Install the packages (${absent})`);
    await run('npm ci', 15, 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true });
  }
  const stale = buildProblem(ROOT);
  if (stale) {
    console.log(`Build (${stale})`);
    await run('the build', 10, 'npm', ['run', '--silent', 'build'], { quiet: true });
  }
  const python = await virtualEnvironment();
  const node = await nodeOfLambda();
  const work = mkdtempSync(join(openFolder(), 'mta-sts-e2e-'));
  state.work = work;
  const main = join(work, 'main.cjs');
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: ROOT,
    entryPoints: { 'main': join(E2E, 'main.ts'), 'observer-thread': join(E2E, 'environment', 'observer', 'observer-thread.ts') },
    outdir: work,
    outExtension: { '.js': '.cjs' },
    bundle: true, platform: 'node', format: 'cjs', target: 'node20.16', logLevel: 'warning',
  });
  // The process namespace ends with its first process, a child of `unshare`. `unshare` ends with this script, even if it is killed.
  await run('the test environment', MAX_MINUTES, 'setpriv', ['--pdeathsig', 'KILL', 'unshare', ...NAMESPACES, process.execPath, '--no-warnings', main, ROOT, python, node, work, ...SCENARIOS], { killedBy: 'SIGKILL' });
}

/** Returns the Python of a virtual environment with the emulator's packages. It is kept until their list changes or `npm ci` removes it. */
async function virtualEnvironment() {
  const found = findPython();
  if (found === undefined) throw new EnvironmentError(pythonProblem());
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

/** Returns the Node.js that Lambda runs. It is kept until `npm ci` removes it. */
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
 * @type {import('./machine.mjs').Run}
 */
async function run(what, minutes, program, args, { killedBy, quiet = false } = {}) {
  if (state.interruption !== undefined) throw new EnvironmentError(`interrupted by ${state.interruption}`);
  const stream = quiet ? 'pipe' : 'inherit';
  // A process group of its own, so that the whole group can be killed.
  const running = spawn(program, args, { cwd: ROOT, stdio: ['ignore', stream, stream], detached: true });
  /** @type {Buffer[]} */
  const written = [];
  for (const output of [running.stdout, running.stderr]) output?.on('data', (chunk) => written.push(chunk));
  let late = false;
  /** @type {NodeJS.Timeout | undefined} */
  let last;
  const end = (/** @type {NodeJS.Signals} */ signal) => {
    running.kill(killedBy ?? signal);
    last ??= setTimeout(() => {
      killGroup(running.pid);
    }, GRACE_MS);
  };
  const limit = setTimeout(() => {
    late = true;
    end('SIGTERM');
  }, minutes * 60_000);
  state.child = { end };
  try {
    /** @type {string | undefined} */
    const problem = await new Promise((resolve) => {
      running.once('error', (error) => {
        resolve(error.message);
      }).once('close', (status, signal) => {
        resolve(status === 0 ? undefined : signal ?? `status ${status}`);
      });
    });
    if (state.interruption !== undefined) throw new EnvironmentError(`interrupted by ${state.interruption}`);
    if (late || problem !== undefined) process.stderr.write(Buffer.concat(written));
    if (late) throw new EnvironmentError(`${what} did not end within ${minutes} minutes, and was ended`);
    if (problem !== undefined) throw new EnvironmentError(`${what} ended with ${problem}`, problem);
  } finally {
    clearTimeout(limit);
    clearTimeout(last);
    state.child = undefined;
  }
}

/** @param {number | undefined} group - undefined if the program never started */
function killGroup(group) {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
