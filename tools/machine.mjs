// Prepares a machine for the test environment: installs missing Debian packages by apt-get, or names them, and finds a Python.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** A reason why the test environment cannot run, with its fix. */
export class EnvironmentError extends Error {
  /**
   * @param {string} message
   * @param {string} [end] - how a program ended: `status 1` or the name of a signal
   */
  constructor(message, end) {
    super(message);
    this.end = end;
  }
}

/**
 * Runs a program to its end.
 *
 * @callback Run
 * @param {string} what - the program, in a message
 * @param {number} minutes - after them it is ended
 * @param {string} program
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<void>}
 * @throws EnvironmentError if it ends with another status than 0, or too late
 *
 * @typedef {object} RunOptions
 * @property {NodeJS.Signals} [killedBy] - the signal that ends it when this script is interrupted; default: the signal of the interruption
 * @property {boolean} [quiet] - its output is shown only if it fails
 */

/** The programs that the test environment starts, and the Debian packages that have them. */
const PROGRAMS = {
  'unshare': 'util-linux',
  'setpriv': 'util-linux',
  'mount': 'mount',
  'ip': 'iproute2',
  'postfix': 'postfix',
  'mta-sts-daemon': 'postfix-mta-sts-resolver',
  'chasquid': 'chasquid',
};

/** Minor versions of Python 3 that the packages of the emulator are pinned for. */
const PYTHON = { oldest: 11, newest: 14 };

const POLICY = '/usr/sbin/policy-rc.d';
const OURS = '# Written by `npm run e2e` of cdk-mta-sts for its apt-get: installed services must not start. Safe to delete.';

/** Options of `unshare` for the private namespaces. */
export const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** @throws EnvironmentError on a machine that cannot run the test environment */
export function checkUser() {
  if (process.platform !== 'linux') throw new EnvironmentError(`it needs the namespaces of Linux, this is ${process.platform}; run it on a Linux machine or in a privileged container`);
  const user = process.getuid?.();
  if (user !== 0) throw new EnvironmentError(`it needs root for private namespaces and the ports 25, 53 and 443 in them, this is user ${user}; run it as root, for example with sudo`);
  const folders = process.env.PATH?.split(delimiter) ?? [];
  // The mail servers are in the folders of root, which `su` without a dash leaves out of the PATH.
  if (folders.includes('/usr/bin')) process.env.PATH = [...new Set([...folders, '/usr/sbin', '/sbin'])].join(delimiter);
}

/** @throws EnvironmentError if private namespaces are refused, or have no IPv6 */
export function checkNamespaces() {
  const { status, stderr, error } = spawnSync('unshare', [...NAMESPACES, 'true'], { encoding: 'utf8', timeout: 30_000 });
  if (status !== 0) {
    throw new EnvironmentError(`this machine refuses namespaces to root; run a container as a privileged one (docker run --privileged): ${
      stderr?.trim() || error?.message || `unshare ended with status ${status}`}`);
  }
  // The same as in test/e2e/environment/network.ts.
  const addIPv6 = 'echo 0 > /proc/sys/net/ipv6/conf/lo/disable_ipv6 && ip link set lo up && ip -6 address add 2600:9000::1/128 dev lo nodad';
  const ipv6 = spawnSync('unshare', [...NAMESPACES, 'sh', '-c', addIPv6], { encoding: 'utf8', timeout: 30_000 });
  if (ipv6.status !== 0) {
    throw new EnvironmentError(`it needs IPv6 in namespaces of its own, and this machine has none (ipv6.disable=1 for the kernel, or a container with a read-only /proc/sys): ${
      ipv6.stderr?.trim() || ipv6.error?.message || `unshare ended with status ${ipv6.status}`}`);
  }
}

/**
 * Installs the missing packages, but neither configures nor starts their services on this machine.
 *
 * @param {Run} run
 * @throws EnvironmentError if a package stays missing
 */
export async function installPackages(run) {
  if (isLeftBehind()) rmSync(POLICY, { force: true });
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (!has('apt-get')) throw new EnvironmentError(`it needs the Debian packages ${missing.join(', ')}, and there is no apt-get to install them with; on Debian: apt-get install ${missing.join(' ')}`);
  console.log(`Install the Debian packages ${missing.join(', ')}`);
  const apt = ['DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_SUSPEND=1', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300'];
  await run('apt-get update', 10, 'env', [...apt, 'update'], { quiet: true });
  const foreign = existsSync(POLICY);
  const policy = foreign ? join(tmpdir(), `mta-sts-policy-rc.d-${process.pid}`) : POLICY;
  try {
    // Debian starts installed services unless this program forbids it. A bind mount hides the machine's own program from apt-get alone.
    writeFileSync(policy, `#!/bin/sh\n${OURS} Process ${process.pid}\nexit 101\n`);
    spawnSync('chmod', ['755', policy]);
    // By default, Postfix would become a mail server of this machine.
    if (missing.includes('postfix')) {
      await run('debconf-set-selections', 1, 'sh', ['-c', 'echo postfix postfix/main_mailer_type select No configuration | debconf-set-selections'], { quiet: true });
    }
    const [program = 'env', ...before] = foreign ? ['unshare', '--mount', 'sh', '-c', `mount --bind '${policy}' ${POLICY} && exec env "$@"`, 'sh'] : [];
    await run(`apt-get install (manually: apt-get install ${missing.join(' ')})`, 15, program, [
      ...before, ...apt, 'install', '-y', '--no-install-recommends', ...missing,
    ], { quiet: true });
    // They must not start at the next boot either.
    const units = new Map([['chasquid', 'chasquid.service'], ['postfix-mta-sts-resolver', 'postfix-mta-sts-resolver.service']]);
    spawnSync('systemctl', ['disable', '--quiet', ...missing.flatMap((name) => units.get(name) ?? [])], { timeout: 30_000 });
  } finally {
    rmSync(policy, { force: true });
  }
  const still = missingPackages();
  if (still.length > 0) throw new EnvironmentError(`after apt-get install this is still missing: ${still.join(', ')}${still.includes('python3-venv') ? `; ${pythonProblem()}` : ''}`);
}

/** Whether a killed launcher left its policy-rc.d behind. The file keeps every installed service of this machine from starting. */
function isLeftBehind() {
  const text = existsSync(POLICY) ? readFileSync(POLICY, 'utf8') : '';
  const pid = /Process (\d+)$/m.exec(text)?.[1];
  return text.includes(OURS) && (pid === undefined || !existsSync(`/proc/${pid}`));
}

function missingPackages() {
  return [...new Set([
    ...Object.entries(PROGRAMS).filter(([program]) => !has(program)).map(([, name]) => name),
    ...findPython() === undefined ? ['python3-venv'] : [],
  ])];
}

/**
 * Returns the first Python on the PATH that the emulator's packages are pinned for and that can create a virtual environment.
 *
 * @returns {{ program: string, version: string } | undefined}
 */
export function findPython() {
  return pythons().find(({ usable }) => usable);
}

/** Returns the message for a machine without such a Python. */
export function pythonProblem() {
  const found = pythons().map(({ program, version, problem }) => `${program} ${version === '' ? '' : `(${version}) `}${problem}`);
  return `Python 3.${PYTHON.oldest} to 3.${PYTHON.newest} with venv is needed: ${found.join('; ') || 'none was found'}`;
}

function pythons() {
  const names = ['python3'];
  for (let minor = PYTHON.oldest; minor <= PYTHON.newest; minor += 1) names.push(`python3.${minor}`);
  return programs(names).map((program) => {
    // Isolated, so that the variables of another Python have no effect.
    const { stdout, status } = spawnSync(program, ['-I', '-c', 'import sys; print("%d.%d" % sys.version_info[:2]); import venv, ensurepip'], { encoding: 'utf8', timeout: 30_000 });
    const version = stdout?.trim() ?? '';
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const fits = major === 3 && minor >= PYTHON.oldest && minor <= PYTHON.newest;
    const problem = version === '' ? 'does not start' : !fits ? 'is another version' : status !== 0 ? 'has no venv' : undefined;
    return { program, version, problem, usable: problem === undefined };
  });
}

/** @param {string} program */
function has(program) {
  return programs([program]).length > 0;
}

/**
 * Returns the paths of programs in the folders of the PATH.
 *
 * @param {readonly string[]} names
 */
function programs(names) {
  const folders = process.env.PATH?.split(delimiter).filter(Boolean) ?? [];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).filter((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/** Returns a folder for temporary files that all users can enter: mail servers run as users of their own. */
export function openFolder() {
  const candidates = [tmpdir(), '/tmp', '/var/tmp'];
  const open = candidates.find((folder) => existsSync(folder) && ancestors(folder).every((one) => (statSync(one).mode & 0o001) !== 0));
  if (open === undefined) throw new EnvironmentError(`no folder for files that all users can enter, tried ${candidates.join(', ')}; set TMPDIR to one`);
  return open;
}

/**
 * Returns a folder and all folders above it.
 *
 * @param {string} folder
 * @returns {readonly string[]}
 */
function ancestors(folder) {
  return dirname(folder) === folder ? [folder] : [folder, ...ancestors(dirname(folder))];
}
