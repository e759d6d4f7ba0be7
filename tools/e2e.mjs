// `npm run e2e`: real deployments against an emulator of AWS, in namespaces of their own. Needs Linux and root. See test/e2e/README.md.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFault, installationFault } from './freshness.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STAGE = join(ROOT, 'test', 'e2e', 'stage');
const CACHE = join(ROOT, 'node_modules', '.cache', 'mta-sts-e2e');

class StageError extends Error {}

// An interrupt reaches the stage as well; once that has ended, this script tidies up and ends too.
process.on('SIGINT', () => undefined);
const work = mkdtempSync(join(tmpdir(), 'mta-sts-e2e-'));
try {
  checkMachine();
  const absent = installationFault(ROOT);
  if (absent) run(`npm ci (${absent})`, 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  const { build } = await import('esbuild');
  const stale = buildFault(ROOT);
  if (stale) run('the build', 'npm', ['run', '--silent', 'build']);
  const python = virtualEnvironment();
  const main = join(work, 'main.cjs');
  await build({
    absWorkingDir: ROOT, entryPoints: [join(STAGE, 'main.ts'), join(STAGE, 'watch-thread.ts')], outdir: work, outExtension: { '.js': '.cjs' },
    bundle: true, platform: 'node', format: 'cjs', target: 'node20.16', logLevel: 'warning',
  });
  // The process namespace ends with its first process, that with `unshare`, and `unshare` with this script, however it ends.
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  run('the stage', 'setpriv', ['--pdeathsig', 'KILL', 'unshare', ...namespaces, process.execPath, '--no-warnings', main, ROOT, python, work, ...process.argv.slice(2)]);
} catch (error) {
  if (!(error instanceof StageError)) throw error;
  console.error(`\nnpm run e2e: ${error.message}`);
  process.exitCode = 1;
} finally {
  if (process.env.KEEP_STAGE) console.log(`kept ${work}`);
  else rmSync(work, { recursive: true, force: true });
}

function checkMachine() {
  if (process.platform !== 'linux') throw new StageError(`it needs the namespaces of Linux, this is ${process.platform}`);
  if (process.getuid() !== 0) throw new StageError('it needs root for namespaces of its own and the ports 25, 53 and 443 in them; run it as root');
  for (const [tool, name] of [['unshare', 'util-linux'], ['ip', 'iproute2'], ['mount', 'mount'], ['python3', 'python3-venv']]) {
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) throw new StageError(`${tool} is missing; on Debian: apt-get install ${name}`);
  }
  debianPackages();
  const entered = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'true'], { encoding: 'utf8' });
  if (entered.status !== 0) throw new StageError(`no namespaces of its own here (in a container it must be a privileged one): ${entered.stderr.trim()}`);
}

/** The senders, where they are missing: installed, but neither configured nor started on this machine. */
function debianPackages() {
  const missing = Object.entries({ 'postfix': 'postfix', 'mta-sts-daemon': 'postfix-mta-sts-resolver', 'chasquid': 'chasquid' })
    .filter(([program]) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
    .map(([, name]) => name);
  if (missing.length === 0) return;
  if (spawnSync('sh', ['-c', 'command -v apt-get']).status !== 0) {
    throw new StageError(`it needs the Debian packages ${missing.join(', ')}, and there is no apt-get to install them with`);
  }
  console.log(`Install the Debian packages ${missing.join(', ')}`);
  const policy = '/usr/sbin/policy-rc.d';
  const own = !existsSync(policy);
  // Debian starts what it installs unless this says no.
  if (own) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    run('apt-get update', 'apt-get', ['update', '-qq']);
    // Else Postfix would be made a mail server of this machine.
    run('debconf-set-selections', 'sh', ['-c', 'echo postfix postfix/main_mailer_type select No configuration | debconf-set-selections']);
    run('apt-get install', 'env', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing]);
    // Nor shall they start with it the next time.
    spawnSync('systemctl', ['disable', '--quiet', ...missing.filter((name) => name !== 'postfix')]);
  } finally {
    if (own) rmSync(policy);
  }
}

/** The emulator's packages, pinned by hashes, kept under node_modules until the list changes. */
function virtualEnvironment() {
  const requirements = join(STAGE, 'requirements.txt');
  const version = spawnSync('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8' }).stdout.trim();
  const [major, minor] = version.split('.').map(Number);
  if (major !== 3 || minor < 11 || minor > 14) throw new StageError(`Python 3.11 to 3.14 is needed, got ${version || 'none'}`);
  const key = createHash('sha256').update(version).update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const folder = join(CACHE, key);
  const python = join(folder, 'bin', 'python');
  if (!existsSync(join(folder, 'complete'))) {
    rmSync(folder, { recursive: true, force: true });
    console.log('Install the emulator of AWS (ministack) into a virtual environment');
    run('python3 -m venv (on Debian: apt-get install python3-venv)', 'python3', ['-m', 'venv', folder]);
    run('pip install', python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '--only-binary', ':all:', '-r', requirements]);
    run('touch', 'touch', [join(folder, 'complete')]);
  }
  return python;
}

function run(what, program, args) {
  const { status, signal, error } = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new StageError(`${what} ended with ${error?.message ?? signal ?? `status ${status}`}`);
}
