// What is left of a stage (docs/contribute/e2e.md) that is interrupted, or whose launcher is killed: nothing runs on, nothing is mounted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const LAUNCHER = join(dirname(fileURLToPath(import.meta.url)), 'e2e.mjs');

/** By then the functions and both senders have processes of their own. */
const MIDST = 'Mail under testing';
const MOST_SECONDS = { toTheMidst: 120, toTheEnd: 5 };

await Promise.all([interrupt('SIGINT', true), interrupt('SIGKILL', false)]);

/**
 * @param signal - for the launcher
 * @param isTidied - whether its files must be gone too
 */
async function interrupt(signal, isTidied) {
  // By its name in their environment, their arguments or their working directory all that the stage starts is found.
  const folder = mkdtempSync(join(tmpdir(), 'mta-sts-interrupted-'));
  // Mail servers do their work as users that must come in, or the stage takes another one.
  chmodSync(folder, 0o755);
  const launcher = spawn(process.execPath, [LAUNCHER, 'bootstrap', 'deploy', 'testing'], {
    env: { ...process.env, TMPDIR: folder, CI: '1' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(launcher, 'exit');
  try {
    let text = '';
    // Read to its end: whoever writes to a closed pipe ends for that reason.
    launcher.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await until(MOST_SECONDS.toTheMidst, `the stage comes to "${MIDST}"`, () => text.includes(MIDST), () => text);
    const programs = running(folder).filter((pid) => pid !== launcher.pid);
    const names = programs.map(argumentsOf).join('\n');
    for (const name of ['main.cjs', 'main.py', 'mta-sts-daemon', 'master', 'chasquid', 'ministack-lambda']) {
      if (!names.includes(name)) throw new Error(`no process of the stage is ${name}:\n${names}`);
    }
    launcher.kill(signal);
    await ended;
    await until(MOST_SECONDS.toTheEnd, `${signal} ends all ${programs.length} processes`, () => running(folder).length === 0,
      () => running(folder).map(argumentsOf).join('\n'));
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(folder)) throw new Error(`after ${signal} something is mounted below ${folder}`);
    const files = readdirSync(folder);
    if (isTidied && files.length > 0) throw new Error(`after ${signal} there are files: ${files.join(', ')}`);
    console.log(`${signal}: of ${programs.length} processes none is left, nothing is mounted${isTidied ? ', no file is left' : ''}`);
  } finally {
    launcher.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** The processes that know this folder. */
function running(folder) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => pid !== process.pid && [
    () => readFileSync(`/proc/${pid}/environ`, 'utf8'), () => argumentsOf(pid), () => readlinkSync(`/proc/${pid}/cwd`),
  ].some((read) => attempt(read).includes(folder)));
}

function argumentsOf(pid) {
  return attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
}

/** A process can end while it is looked at. */
function attempt(read) {
  try {
    return read();
  } catch {
    return '';
  }
}

async function until(seconds, what, isSo, against) {
  for (const end = Date.now() + seconds * 1000; !isSo();) {
    if (Date.now() > end) throw new Error(`it is not so within ${seconds} s that ${what}:\n${against()}`);
    await sleep(50);
  }
}
