// `npm run demo`: shows a domain from synthesis to a sender's view of it, on this machine alone. Needs no AWS account and no network.
// `npm run demo -- --real`: shows the same with real deployments and real mail servers, in the test environment of test/e2e.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProblem, installationProblem } from './freshness.mjs';
import { command, heading, tell } from './story.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The MX hosts of the domain. */
const HOSTS = ['mx1.example.test', 'mx2.example.test'];

const CONTEXT = [
  'domain=example.test',
  `mx=${HOSTS.join(',')}`,
  'mode=enforce',
  'tlsReporting=mailto:tls-reports@example.test',
  'hostedZoneId=Z0123456789ABCDEFGHIJ',
];

/** A host that the policy does not cover. */
const UNCOVERED = 'mail.other.test';

class DemoError extends Error {}

const given = process.argv.slice(2).join(' ');
if (given === '--real') {
  process.argv.splice(2, 1, 'demo');
  await import('./e2e.mjs');
} else if (given === '') {
  preview();
} else {
  console.error(`npm run demo takes --real or nothing, got ${given}`);
  process.exitCode = 1;
}

function preview() {
  // An interrupt also reaches the running child. After the child has ended, this script cleans up and ends too.
  process.on('SIGINT', () => undefined);
  const work = mkdtempSync(join(tmpdir(), 'mta-sts-demo-'));
  try {
    prepare();
    demo(work);
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    console.error(`\nThe demo failed: ${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Installs and builds only if something is missing or stale. */
function prepare() {
  const absent = installationProblem(ROOT);
  if (absent) {
    heading(`Install the packages (${absent})`);
    npm('ci', '--no-audit', '--no-fund', '--loglevel=error');
  }
  const stale = buildProblem(ROOT);
  if (stale) {
    heading(`Build (${stale})`);
    npm('run', '--silent', 'build');
    const still = buildProblem(ROOT);
    if (still) throw new DemoError(`the build ended, and ${still}`);
  }
}

/** @param {string} work - folder for temporary files */
function demo(work) {
  const app = join(work, 'cdk.out');
  heading('1. One construct becomes a CloudFormation template');
  tell('bin/app.ts holds one MtaSts construct, here for example.test with two MX hosts in enforce mode:');
  command('npx', ['cdk', 'synth', ...CONTEXT.flatMap((context) => ['-c', context])]);
  cdk(join(work, 'home'), 'synth', '--quiet', '--no-notices', '--no-version-reporting', '--no-lookups', ...CONTEXT.flatMap((context) => ['-c', context]), '-o', app);
  tell('done: certificate, bucket, distribution, records, and the checks between them');

  heading('2. What a sender would see, before anything is deployed');
  tell('the template is served on loopback (edge function, policy file, DNS records) and verified as a sender does:');
  const real = HOSTS.flatMap((host) => ['--mx', `${host}=127.0.0.1`]);
  const preview = ['preview', '--app', app, '--verify'];
  command('node', ['bin/mta-sts.js', 'preview', '--app', 'cdk.out', '--verify', ...real]);
  expectStatus(0, mtaSts('inherit', ...preview, ...real), 'the preview of a sound app');

  heading('3. A deliberate failure: mail moves to a host that the policy does not cover');
  tell(`in enforce mode, senders would refuse to deliver to ${UNCOVERED}. The same check stops a deployment:`);
  const failing = [...preview, '--mx', `${UNCOVERED}=127.0.0.1`];
  command('node', ['bin/mta-sts.js', 'preview', '--app', 'cdk.out', '--verify', '--mx', `${UNCOVERED}=127.0.0.1`]);
  const shown = mtaSts('inherit', ...failing);
  expectStatus(1, shown, `the preview with the MX host ${UNCOVERED}`);
  expectOnlyUncovered(mtaSts('pipe', ...failing, '--format', 'json'));
  tell('');
  tell('exit status 1, as expected: the error was found here, before any mail was lost');

  heading('What next');
  tell('see the whole template       npx cdk synth -c domain=example.com -c mx=google-workspace -c mode=testing');
  tell('put it live, testing first   npx cdk deploy -c domain=example.com -c mx=google-workspace -c mode=testing');
  tell('check any domain             node bin/mta-sts.js verify example.com');
  tell('use the construct            see README.md');
  tell('the same for real            npm run demo -- --real   (Linux, as root: cdk deploy to an emulator of AWS, mail by Postfix and chasquid)');
}

/**
 * Asserts that the only error is the uncovered MX host. A program that crashes ends with status 1 too, so the status is not enough.
 *
 * @param {{ stdout: string }} preview - with JSON as its output
 */
function expectOnlyUncovered({ stdout }) {
  const errors = readFindings(stdout).filter(({ severity }) => severity === 'error');
  const unexpected = errors.find(({ code, message }) => code !== 'mx-not-covered' || !message.includes(UNCOVERED));
  if (errors.length === 0 || unexpected) {
    throw new DemoError(`expected the finding mx-not-covered for ${UNCOVERED} and no other error, got ${unexpected?.code ?? 'none'}`);
  }
}

/**
 * @param {string} json - the output of `preview`
 * @returns {import('../lib/protocol/findings/finding.js').Finding[]}
 */
function readFindings(json) {
  try {
    /** @type {{ domains: import('../lib/verifier/result.js').VerificationResult[] }} */
    const { domains } = JSON.parse(json);
    return domains.flatMap(({ findings }) => findings);
  } catch {
    throw new DemoError('the failing preview printed no verification result');
  }
}

/**
 * @param {number} expected
 * @param {{ status: number | null, signal: string | null }} ended
 * @param {string} what - the program, in a message
 */
function expectStatus(expected, { status, signal }, what) {
  if (status !== expected) throw new DemoError(`${what} ended with ${signal ?? `status ${status}`}, expected ${expected}`);
}

/**
 * @param {'inherit' | 'pipe'} stdout
 * @param {readonly string[]} args
 */
function mtaSts(stdout, ...args) {
  return spawnSync(process.execPath, [join(ROOT, 'bin', 'mta-sts.js'), ...args], { stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' });
}

/**
 * Runs the real command with a home of its own, so that an AWS account of this machine is not used.
 *
 * @param {string} home - a folder that is created
 * @param {readonly string[]} args
 */
function cdk(home, ...args) {
  mkdirSync(home);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/i.test(name)));
  Object.assign(env, {
    HOME: home,
    USERPROFILE: home,
    CI: 'true',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
    JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20',
  });
  const result = spawnSync(process.execPath, [join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk'), ...args], { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  expectStatus(0, result, 'cdk synth');
}

/**
 * Runs the npm that runs this script, if there is one.
 *
 * @param {readonly string[]} args
 */
function npm(...args) {
  const { npm_execpath: path } = process.env;
  /** @type {import('node:child_process').SpawnSyncOptions} */
  const options = { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] };
  const result = path === undefined ? spawnSync('npm', args, options) : spawnSync(process.execPath, [path, ...args], options);
  expectStatus(0, result, `npm ${args.join(' ')}`);
}
