// What the stage needs of the machine: Debian packages and a Python. What is missing is installed where apt-get can, or named.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** What stands in the way, and how to mend it. */
export class StageError extends Error {}

/** The programs that the stage starts, and the Debian packages that have them. */
const PROGRAMS = {
  'unshare': 'util-linux',
  'setpriv': 'util-linux',
  'mount': 'mount',
  'ip': 'iproute2',
  'postfix': 'postfix',
  'mta-sts-daemon': 'postfix-mta-sts-resolver',
  'chasquid': 'chasquid',
};

/** The packages of the emulator are pinned for these. */
const PYTHON = { oldest: 11, newest: 14 };

const POLICY = '/usr/sbin/policy-rc.d';
const OURS = '# Of `npm run e2e` of cdk-mta-sts while it installs: what is installed shall not start. Safe to delete.';

/** Of the private namespaces. */
export const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** @throws StageError on a machine that can never have the stage as it is */
export function checkUser() {
  if (process.platform !== 'linux') throw new StageError(`it needs the namespaces of Linux, this is ${process.platform}; run it in a Linux machine or a privileged container`);
  if (process.getuid() !== 0) throw new StageError(`it needs root for namespaces of its own and the ports 25, 53 and 443 in them, this is user ${process.getuid()}; run it as root, for example with sudo`);
  const folders = process.env.PATH?.split(delimiter) ?? [];
  // `su` without a dash leaves them out, and mail servers are there.
  if (folders.includes('/usr/bin')) process.env.PATH = [...new Set([...folders, '/usr/sbin', '/sbin'])].join(delimiter);
}

/** @throws StageError where private namespaces are refused, or have no IPv6 */
export function checkNamespaces() {
  const { status, stderr, error } = spawnSync('unshare', [...NAMESPACES, 'true'], { encoding: 'utf8', timeout: 30_000 });
  if (status !== 0) {
    throw new StageError(`this machine refuses namespaces of its own to root (a container must be a privileged one, docker run --privileged): ${
      stderr?.trim() || error?.message || `unshare ended with status ${status}`}`);
  }
  // As the stage does it, see test/e2e/environment/network.ts.
  const addIPv6 = 'echo 0 > /proc/sys/net/ipv6/conf/lo/disable_ipv6 && ip link set lo up && ip -6 address add 2600:9000::1/128 dev lo nodad';
  const ipv6 = spawnSync('unshare', [...NAMESPACES, 'sh', '-c', addIPv6], { encoding: 'utf8', timeout: 30_000 });
  if (ipv6.status !== 0) {
    throw new StageError(`it needs IPv6 in namespaces of its own, and this machine gives none (ipv6.disable=1 for the kernel, or a container with a read-only /proc/sys): ${
      ipv6.stderr?.trim() || ipv6.error?.message || `unshare ended with status ${ipv6.status}`}`);
  }
}

/**
 * Installs what is missing, but neither configures nor starts it on this machine.
 *
 * @param {Function} run - what, minutes, program, arguments, options; throws StageError where it fails
 */
export async function installPackages(run) {
  if (isLeftBehind()) rmSync(POLICY, { force: true });
  const missing = missingPackages();
  if (missing.length === 0) return;
  const by = `on Debian: apt-get install ${missing.join(' ')}`;
  if (!has('apt-get')) throw new StageError(`it needs the Debian packages ${missing.join(', ')}, and there is no apt-get to install them with; ${by}`);
  console.log(`Install the Debian packages ${missing.join(', ')}`);
  const apt = ['DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_SUSPEND=1', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300'];
  await run('apt-get update', 10, 'env', [...apt, 'update'], { quiet: true });
  const foreign = existsSync(POLICY);
  const policy = foreign ? join(tmpdir(), `mta-sts-policy-rc.d-${process.pid}`) : POLICY;
  try {
    // Debian starts what it installs unless this says no. Where the machine has one, ours lies over it, for apt-get alone.
    writeFileSync(policy, `#!/bin/sh\n${OURS} Process ${process.pid}\nexit 101\n`);
    spawnSync('chmod', ['755', policy]);
    // Else Postfix would be made a mail server of this machine.
    if (missing.includes('postfix')) {
      await run('debconf-set-selections', 1, 'sh', ['-c', 'echo postfix postfix/main_mailer_type select No configuration | debconf-set-selections'], { quiet: true });
    }
    const over = foreign ? ['unshare', '--mount', 'sh', '-c', `mount --bind '${policy}' ${POLICY} && exec env "$@"`, 'sh'] : ['env'];
    await run(`apt-get install (the same by hand: apt-get install ${missing.join(' ')})`, 15, over[0], [
      ...over.slice(1), ...apt, 'install', '-y', '--no-install-recommends', ...missing,
    ], { quiet: true });
    // Nor shall they start with it the next time.
    const units = { 'chasquid': 'chasquid.service', 'postfix-mta-sts-resolver': 'postfix-mta-sts-resolver.service' };
    spawnSync('systemctl', ['disable', '--quiet', ...missing.flatMap((name) => units[name] ?? [])], { timeout: 30_000 });
  } finally {
    rmSync(policy, { force: true });
  }
  const still = missingPackages();
  if (still.length > 0) throw new StageError(`after apt-get install this is still missing: ${still.join(', ')}${still.includes('python3-venv') ? `; ${pythonFault()}` : ''}`);
}

/** Of a launcher that was killed while it installed: until it is gone nothing that is installed on this machine starts there. */
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
 * The first on the PATH that the emulator's packages are pinned for and that can make a virtual environment.
 *
 * @returns {{ program: string, version: string } | undefined}
 */
export function findPython() {
  return pythons().find(({ usable }) => usable);
}

/** Why there is none, in words. */
export function pythonFault() {
  const found = pythons().map(({ program, version, fault }) => `${program} ${version === '' ? '' : `(${version}) `}${fault}`);
  return `Python 3.${PYTHON.oldest} to 3.${PYTHON.newest} with venv is needed: ${found.join('; ') || 'there is none'}`;
}

function pythons() {
  const names = ['python3'];
  for (let minor = PYTHON.oldest; minor <= PYTHON.newest; minor += 1) names.push(`python3.${minor}`);
  return programs(names).map((program) => {
    // Isolated: whatever the environment says of another Python.
    const { stdout, status } = spawnSync(program, ['-I', '-c', 'import sys; print("%d.%d" % sys.version_info[:2]); import venv, ensurepip'], { encoding: 'utf8', timeout: 30_000 });
    const version = stdout?.trim() ?? '';
    const [major, minor] = version.split('.').map(Number);
    const fits = major === 3 && minor >= PYTHON.oldest && minor <= PYTHON.newest;
    const fault = version === '' ? 'does not start' : !fits ? 'is another version' : status !== 0 ? 'has no venv' : undefined;
    return { program, version, fault, usable: fault === undefined };
  });
}

function has(program) {
  return programs([program]).length > 0;
}

/** Where the PATH has them. */
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

/** Where the files of the stage can be: mail servers do their work as users that must reach them. */
export function openFolder() {
  const candidates = [tmpdir(), '/tmp', '/var/tmp'];
  const open = candidates.find((folder) => existsSync(folder) && ancestors(folder).every((one) => (statSync(one).mode & 0o001) !== 0));
  if (open === undefined) throw new StageError(`no folder for files that all users can enter, tried ${candidates.join(', ')}; set TMPDIR to one`);
  return open;
}

function ancestors(folder) {
  return dirname(folder) === folder ? [folder] : [folder, ...ancestors(dirname(folder))];
}
