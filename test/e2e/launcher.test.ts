// Asserts what `npm run e2e` prints on a machine that cannot run the test environment. The programs of the machine are fake, and nothing is
// installed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const ROOT = join(__dirname, '..', '..');

/** Fakes of all programs that the launcher looks for. The fake Python creates a virtual environment whose pip fails. */
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
  /** File whose creation triggers a SIGTERM to the launcher. */
  readonly interruptOn?: string;
}

/**
 * Runs the launcher on a machine with fake programs, in a copy of the repository's folder, so that the real folder stays unchanged.
 *
 * @param changed - programs that differ from PROGRAMS, undefined for a missing program
 */
async function launch(
  changed: Readonly<Record<string, string | undefined>>, { uid = 0, platform = 'linux', script = 'e2e.mjs', args = ['quick'], interruptOn }: Launch = {},
): Promise<{ readonly status: number | null; readonly text: string }> {
  const [bin, root, temporary] = [join(folder, 'bin'), join(folder, 'root'), join(folder, 'tmp')];
  for (const path of [bin, join(root, 'node_modules'), temporary]) mkdirSync(path, { recursive: true });
  for (const [name, content] of Object.entries({ ...PROGRAMS, ...changed })) {
    if (content !== undefined) writeFileSync(join(bin, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${content}\n`, { mode: 0o755 });
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
  if (interruptOn !== undefined) {
    while (!existsSync(interruptOn) && child.exitCode === null) await sleep(20);
    child.kill('SIGTERM');
  }
  const [status] = await exit;
  expect(readdirSync(temporary)).toEqual([]);
  return { status, text: (await Promise.all(texts)).join('') };
}

/** Waits until a killed process no longer exists. It exists until its parent has read its status. */
async function untilGone(pid: number): Promise<void> {
  for (const end = Date.now() + 10_000; ;) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      expect(error).toHaveProperty('code', 'ESRCH');
      return;
    }
    if (Date.now() > end) throw new Error(`the process ${pid} still runs`);
    await sleep(20);
  }
}

test('npm run e2e on macOS says that it needs Linux', async () => {
  expect(await launch({}, { platform: 'darwin' })).toEqual({
    status: 1,
    text: '\nnpm run e2e: it needs the namespaces of Linux, this is darwin; run it on a Linux machine or in a privileged container\n',
  });
});

test('npm run e2e as another user asks for root', async () => {
  const { status, text: output } = await launch({}, { uid: 1000 });
  expect(status).toBe(1);
  expect(output).toMatch(/^\nnpm run e2e: it needs root .* this is user 1000; run it as root, for example with sudo\n$/);
});

test('npm run e2e without apt-get names each missing package once', async () => {
  const { status, text: output } = await launch({ unshare: undefined, setpriv: undefined, ip: undefined, chasquid: undefined });
  expect(status).toBe(1);
  expect(output).toContain('it needs the Debian packages util-linux, iproute2, chasquid, and there is no apt-get to install them with');
  expect(output).toContain('apt-get install util-linux iproute2 chasquid\n');
});

test.each([
  ['no Python', undefined],
  ['Python 3.9', 'echo 3.9'],
  ['Python 3.11 without venv', 'echo 3.11; exit 1'],
])('npm run e2e on a machine with %s asks for python3-venv', async (_, python3) => {
  expect((await launch({ python3 })).text).toContain('it needs the Debian packages python3-venv, and');
});

test('npm run e2e shows the error of a failed apt-get', async () => {
  const { status, text: output } = await launch({ 'postfix': undefined, 'env': 'exec /usr/bin/env "PATH=$(dirname "$0"):$PATH" "$@"', 'apt-get': 'echo "E: no network" >&2; exit 100' });
  expect(status).toBe(1);
  expect(output).toContain('Install the Debian packages postfix\nE: no network\n');
  expect(output).toContain('npm run e2e: apt-get update ended with status 100');
});

test('npm run e2e without the right to namespaces asks for a privileged container', async () => {
  const { status, text: output } = await launch({ unshare: 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1' });
  expect(status).toBe(1);
  expect(output).toMatch(/refuses namespaces .*privileged.*: unshare: unshare failed: Operation not permitted\n$/);
});

test('npm run e2e says that namespaces without IPv6 are not enough', async () => {
  const { status, text: output } = await launch({ unshare: 'case "$*" in *ipv6*) echo "sh: Read-only file system" >&2; exit 2;; esac' });
  expect(status).toBe(1);
  expect(output).toMatch(/needs IPv6 in namespaces of its own, .*: sh: Read-only file system\n$/);
});

test('npm run e2e shows the error of a failed pip, and leaves no incomplete virtual environment', async () => {
  const { status, text: output } = await launch({});
  expect(status).toBe(1);
  expect(output).toContain('no matching distribution\n');
  expect(output).toContain('npm run e2e: pip install (from the index that pip is set to) ended with status 1');
  const cache = join(folder, 'root', 'node_modules', '.cache', 'mta-sts-e2e');
  expect(existsSync(cache) ? readdirSync(cache) : []).toEqual([]);
});

test('npm run e2e kills a program that ignores an interrupt, with its child processes, and leaves no files', async () => {
  const pid = join(folder, 'pid');
  const stubborn = `case "$*" in
    *"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin"; printf '#!/bin/sh\ntrap "" TERM\n/bin/sleep 300 & echo $! > ${pid}\nwait\nwait\n' > "$folder/bin/python"
      chmod 755 "$folder/bin/python";;
    *) echo 3.11;;
  esac`;
  const { status, text: output } = await launch({ python3: stubborn }, { interruptOn: pid });
  expect(output).toContain('npm run e2e: interrupted by SIGTERM');
  expect(status).toBe(128 + constants.signals.SIGTERM);
  await untilGone(Number(readFileSync(pid, 'utf8')));
  expect(readdirSync(join(folder, 'root', 'node_modules', '.cache', 'mta-sts-e2e'))).toEqual([]);
}, 60_000);

test('npm run demo -- --real says why it cannot run, and how to see the preview', async () => {
  const { status, text: output } = await launch({}, { uid: 1000, script: 'demo.mjs', args: ['--real'] });
  expect(status).toBe(1);
  expect(output).toMatch(/^\nnpm run demo -- --real: it needs root .*\n\nWithout the test environment: `npm run demo` shows a preview, on any machine\.\n$/);
});

test('npm run demo refuses an unknown argument', async () => {
  expect(await launch({}, { script: 'demo.mjs', args: ['--reel'] })).toEqual({ status: 1, text: 'npm run demo takes --real or nothing, got --reel\n' });
});
