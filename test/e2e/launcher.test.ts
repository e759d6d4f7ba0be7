// What `npm run e2e` says on a machine that cannot have the stage. The programs of these machines are made up; nothing is installed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const ROOT = join(__dirname, '..', '..');

/** All that the launcher looks for; this Python can make a virtual environment, with a pip that fails. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'unshare': '',
  'setpriv': '',
  'mount': '',
  'ip': '',
  'postfix': '',
  'mta-sts-daemon': '',
  'chasquid': '',
  'python3': `case "$*" in
    *"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin"; printf '#!/bin/sh\\necho "no matching distribution" >&2\\nexit 1\\n' > "$folder/bin/python"
      chmod 755 "$folder/bin/python";;
    *) echo 3.11;;
  esac`,
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mta-sts-launcher-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Launch {
  readonly uid?: number;
  readonly platform?: string;
  readonly script?: string;
  readonly args?: readonly string[];
  /** By SIGTERM, as soon as there is this file. */
  readonly interruptedWith?: string;
}

/**
 * The launcher on a machine with these programs, copied so that nothing is written beside the real one.
 *
 * @param changed - programs that are otherwise than in PROGRAMS; undefined where they are missing
 */
async function launch(
  changed: Readonly<Record<string, string | undefined>>, { uid = 0, platform = 'linux', script = 'e2e.mjs', args = ['quick'], interruptedWith }: Launch = {},
): Promise<{ readonly status: number | null; readonly text: string }> {
  const [bin, root, temporary] = ['bin', 'root', 'tmp'].map((name) => join(folder, name));
  for (const made of [bin, join(root, 'node_modules'), temporary]) mkdirSync(made, { recursive: true });
  for (const [name, text] of Object.entries({ ...PROGRAMS, ...changed })) {
    if (text !== undefined) writeFileSync(join(bin, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${text}\n`, { mode: 0o755 });
  }
  for (const name of readdirSync(ROOT).filter((entry) => !['.git', 'node_modules'].includes(entry))) symlinkSync(join(ROOT, name), join(root, name));
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((entry) => entry !== '.cache')) {
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  }
  const machine = `data:text/javascript,process.getuid=()=>${uid};Object.defineProperty(process,'platform',{value:'${platform}'})`;
  const options = ['--preserve-symlinks', '--preserve-symlinks-main', '--import', machine];
  const child = spawn(process.execPath, [...options, join(root, 'tools', script), ...args], { env: { PATH: bin, TMPDIR: temporary } });
  const texts = [child.stdout, child.stderr].map(async (stream) => text(stream));
  const exit = once(child, 'exit') as Promise<[number | null]>;
  if (interruptedWith !== undefined) {
    while (!existsSync(interruptedWith) && child.exitCode === null) await sleep(20);
    child.kill('SIGTERM');
  }
  const [status] = await exit;
  expect(readdirSync(temporary)).toEqual([]);
  return { status, text: (await Promise.all(texts)).join('') };
}

/** A process that was killed is there until its parent has heard of it. */
async function untilGone(pid: number): Promise<void> {
  for (const end = Date.now() + 10_000; ;) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      expect(error).toHaveProperty('code', 'ESRCH');
      return;
    }
    if (Date.now() > end) throw new Error(`the process ${pid} goes on`);
    await sleep(20);
  }
}

test('on another system it names what it needs', async () => {
  expect(await launch({}, { platform: 'darwin' })).toEqual({
    status: 1,
    text: '\nnpm run e2e: it needs the namespaces of Linux, this is darwin; run it on a Linux machine or in a privileged container\n',
  });
});

test('as another user it asks for root', async () => {
  const { status, text: said } = await launch({}, { uid: 1000 });
  expect(status).toBe(1);
  expect(said).toMatch(/^\nnpm run e2e: it needs root .* this is user 1000; run it as root, for example with sudo\n$/);
});

test('without apt-get it names the packages that are missing, each once', async () => {
  const { status, text: said } = await launch({ unshare: undefined, setpriv: undefined, ip: undefined, chasquid: undefined });
  expect(status).toBe(1);
  expect(said).toContain('it needs the Debian packages util-linux, iproute2, chasquid, and there is no apt-get to install them with');
  expect(said).toContain('apt-get install util-linux iproute2 chasquid\n');
});

test.each([
  ['there is none', undefined],
  ['one that is too old', 'echo 3.9'],
  ['one without venv', 'echo 3.11; exit 1'],
])('it takes python3-venv for missing where of Python 3.11 to 3.14 %s', async (_, python3) => {
  expect((await launch({ python3 })).text).toContain('it needs the Debian packages python3-venv, and');
});

test('where apt-get fails it shows its words, and has changed nothing', async () => {
  const { status, text: said } = await launch({ 'postfix': undefined, 'env': 'exec /usr/bin/env "PATH=$(dirname "$0"):$PATH" "$@"', 'apt-get': 'echo "E: no network" >&2; exit 100' });
  expect(status).toBe(1);
  expect(said).toContain('Install the Debian packages postfix\nE: no network\n');
  expect(said).toContain('npm run e2e: apt-get update ended with status 100');
});

test('where namespaces are refused it says so, and what a container must be', async () => {
  const { status, text: said } = await launch({ unshare: 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1' });
  expect(status).toBe(1);
  expect(said).toMatch(/refuses namespaces .*privileged.*: unshare: unshare failed: Operation not permitted\n$/);
});

test('where namespaces have no IPv6 it says so', async () => {
  const { status, text: said } = await launch({ unshare: 'case "$*" in *ipv6*) echo "sh: Read-only file system" >&2; exit 2;; esac' });
  expect(status).toBe(1);
  expect(said).toMatch(/needs IPv6 in namespaces of its own, .*: sh: Read-only file system\n$/);
});

test('where pip fails it shows its words, and leaves no half of a virtual environment', async () => {
  const { status, text: said } = await launch({});
  expect(status).toBe(1);
  expect(said).toContain('no matching distribution\n');
  expect(said).toContain('npm run e2e: pip install (from the index that pip is set to) ended with status 1');
  const cache = join(folder, 'root', 'node_modules', '.cache', 'mta-sts-e2e');
  expect(existsSync(cache) ? readdirSync(cache) : []).toEqual([]);
});

test('interrupted it kills what goes on all the same, with all that this has started, and leaves nothing', async () => {
  const pid = join(folder, 'pid');
  const stubborn = `case "$*" in
    *"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin"; printf '#!/bin/sh\ntrap "" TERM\n/bin/sleep 300 & echo $! > ${pid}\nwait\nwait\n' > "$folder/bin/python"
      chmod 755 "$folder/bin/python";;
    *) echo 3.11;;
  esac`;
  const { status, text: said } = await launch({ python3: stubborn }, { interruptedWith: pid });
  expect(said).toContain('npm run e2e: interrupted by SIGTERM');
  expect(status).toBe(128 + constants.signals.SIGTERM);
  await untilGone(Number(readFileSync(pid, 'utf8')));
  expect(readdirSync(join(folder, 'root', 'node_modules', '.cache', 'mta-sts-e2e'))).toEqual([]);
}, 60_000);

test('the demo for real says why it cannot be, and how to see the preview', async () => {
  const { status, text: said } = await launch({}, { uid: 1000, script: 'demo.mjs', args: ['--real'] });
  expect(status).toBe(1);
  expect(said).toMatch(/^\nnpm run demo -- --real: it needs root .*\n\nWithout the test environment: `npm run demo` shows a preview, on any machine\.\n$/);
});

test('the demo takes no other argument', async () => {
  expect(await launch({}, { script: 'demo.mjs', args: ['--reel'] })).toEqual({ status: 1, text: 'npm run demo takes --real or nothing, got --reel\n' });
});
