// What is left of a stage (test/e2e/README.md) that is interrupted, or whose launcher is killed: nothing runs on, nothing is mounted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const LAUNCHER = join(dirname(fileURLToPath(import.meta.url)), 'e2e.mjs');

for (const [signal, isTidied] of [['SIGINT', true], ['SIGKILL', false]]) {
  // By its name in their environment, their arguments or their working directory all that the stage starts is found.
  const folder = mkdtempSync(join(tmpdir(), 'mta-sts-interrupted-'));
  // Mail servers do their work as users that must come in, or the stage takes another one.
  chmodSync(folder, 0o755);
  const launcher = spawn(process.execPath, [LAUNCHER, 'bootstrap', 'deploy', 'testing'], { env: { ...process.env, TMPDIR: folder, CI: '1' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(launcher, 'exit');
  // Read to its end: whoever writes to a closed pipe ends for that reason.
  const stands = new Promise((resolve) => {
    launcher.stdout.on('data', (chunk) => String(chunk).includes('Bootstrap') && resolve());
  });
  await Promise.race([stands, ended.then(() => Promise.reject(new Error('the stage ended by itself')))]);
  const programs = running(folder).filter((pid) => pid !== launcher.pid);
  // Node.js itself, the emulator, and the CDK command that is on its way or its shell.
  if (programs.length < 3) throw new Error(`the stage has ${programs.length} processes, which is no stage`);
  if (readdirSync(folder).length === 0) throw new Error(`the stage has its files elsewhere than in ${folder}`);
  launcher.kill(signal);
  await ended;
  await until(`${signal} ends all ${programs.length} processes`, () => running(folder).length === 0, () => running(folder).map(argumentsOf).join('\n'));
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(folder)) throw new Error(`after ${signal} something is mounted below ${folder}`);
  const files = readdirSync(folder);
  if (isTidied && files.length > 0) throw new Error(`after ${signal} there are files: ${files.join(', ')}`);
  rmSync(folder, { recursive: true });
  console.log(`${signal}: of ${programs.length} processes none is left, nothing is mounted${isTidied ? ', no file is left' : ''}`);
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

/** No longer than the stage would play if it went on. */
async function until(what, isSo, against) {
  for (const end = Date.now() + 5_000; !isSo();) {
    if (Date.now() > end) throw new Error(`it is not so that ${what}:\n${against()}`);
    await sleep(50);
  }
}
