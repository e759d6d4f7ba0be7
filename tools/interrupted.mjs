// Asserts that an interrupted or killed test environment (docs/contribute/e2e.md) leaves no process and no mount. A step of .ci/run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const LAUNCHER = join(dirname(fileURLToPath(import.meta.url)), 'e2e.mjs');

/** Output at a time when the functions and both senders have processes of their own. */
const MIDDLE = 'Mail under testing';

const MAX_START_SECONDS = 120;
const MAX_END_SECONDS = 5;

await Promise.all([interrupt('SIGINT', true), interrupt('SIGKILL', false)]);

/**
 * Starts a test environment, ends its launcher in the middle, and asserts that nothing is left.
 *
 * @param {NodeJS.Signals} signal - for the launcher
 * @param {boolean} isCleaned - whether its files must be gone too
 */
async function interrupt(signal, isCleaned) {
  // Every process of the test environment has the name of this folder in its environment, its arguments or its working directory.
  const folder = mkdtempSync(join(tmpdir(), 'mta-sts-interrupted-'));
  // Mail servers run as users that must be able to enter. The test environment would choose another folder otherwise.
  chmodSync(folder, 0o755);
  const launcher = spawn(process.execPath, [LAUNCHER, 'bootstrap', 'deploy', 'testing'], {
    env: { ...process.env, TMPDIR: folder, CI: '1' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(launcher, 'exit');
  try {
    let text = '';
    // Read everything: a program that writes to a closed pipe ends.
    launcher.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await until(MAX_START_SECONDS, `the test environment did not print "${MIDDLE}"`, () => text.includes(MIDDLE), () => text);
    const programs = running(folder).filter((pid) => pid !== launcher.pid);
    const names = programs.map(argumentsOf).join('\n');
    for (const name of ['main.cjs', 'main.py', 'mta-sts-daemon', 'master', 'chasquid', 'ministack-lambda']) {
      if (!names.includes(name)) throw new Error(`the test environment has no process ${name}:\n${names}`);
    }
    launcher.kill(signal);
    await ended;
    await until(MAX_END_SECONDS, `${signal} did not end all ${programs.length} processes`, () => running(folder).length === 0,
      () => running(folder).map(argumentsOf).join('\n'));
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(folder)) throw new Error(`a mount below ${folder} is left after ${signal}`);
    const files = readdirSync(folder);
    if (isCleaned && files.length > 0) throw new Error(`files are left after ${signal}: ${files.join(', ')}`);
    console.log(`${signal}: all ${programs.length} processes ended, no mount is left${isCleaned ? ', no file is left' : ''}`);
  } finally {
    launcher.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/**
 * Returns the ids of the processes that know a folder.
 *
 * @param {string} folder
 */
function running(folder) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => pid !== process.pid && [
    () => readFileSync(`/proc/${pid}/environ`, 'utf8'), () => argumentsOf(pid), () => readlinkSync(`/proc/${pid}/cwd`),
  ].some((read) => attempt(read).includes(folder)));
}

/** @param {number | undefined} pid */
function argumentsOf(pid) {
  return attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
}

/**
 * Reads about a process, or returns an empty text: it may have ended in the meantime.
 *
 * @param {() => string} read
 */
function attempt(read) {
  try {
    return read();
  } catch {
    return '';
  }
}

/**
 * Waits until a condition holds.
 *
 * @param {number} seconds - the time limit
 * @param {string} problem - the message when the time is over
 * @param {() => boolean} isTrue
 * @param {() => string} evidence
 */
async function until(seconds, problem, isTrue, evidence) {
  for (const end = Date.now() + seconds * 1000; !isTrue();) {
    if (Date.now() > end) throw new Error(`${problem} within ${seconds} s:\n${evidence()}`);
    await sleep(50);
  }
}
