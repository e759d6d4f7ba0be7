// `npm run demo`: a domain from synthesis to a sender's view of it, on this machine alone. No AWS account, no network.
// `npm run demo -- --real`: the same by real deployments and real mail servers, on the stage of test/e2e.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFault, installationFault } from './freshness.mjs';
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
const STRANGER = 'mail.other.test';

class DemoError extends Error {}

let work;
const wish = process.argv.slice(2).join(' ');
if (wish === '--real') {
  process.argv.splice(2, 1, 'demo');
  await import('./e2e.mjs');
} else if (wish === '') {
  preview();
} else {
  console.error(`npm run demo takes --real or nothing, got ${wish}`);
  process.exitCode = 1;
}

function preview() {
  // An interrupt reaches the running child as well; once that has ended, this script tidies up and ends too.
  process.on('SIGINT', () => undefined);
  work = mkdtempSync(join(tmpdir(), 'mta-sts-demo-'));
  try {
    prepare();
    demo(join(work, 'cdk.out'));
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    console.error(`\nThe demo failed: ${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Installs and builds what is missing, and nothing else. */
function prepare() {
  const absent = installationFault(ROOT);
  if (absent) {
    heading(`Install the packages (${absent})`);
    npm('ci', '--no-audit', '--no-fund', '--loglevel=error');
  }
  const stale = buildFault(ROOT);
  if (stale) {
    heading(`Build (${stale})`);
    npm('run', '--silent', 'build');
    const still = buildFault(ROOT);
    if (still) throw new DemoError(`after the build ${still}`);
  }
}

function demo(app) {
  heading('1. One construct becomes a CloudFormation template');
  tell('bin/app.ts holds one MtaSts construct, here for example.test with two MX hosts in enforce mode:');
  command('npx', ['cdk', 'synth', ...CONTEXT.flatMap((context) => ['-c', context])]);
  cdk('synth', '--quiet', '--no-notices', '--no-version-reporting', '--no-lookups', ...CONTEXT.flatMap((context) => ['-c', context]), '-o', app);
  tell('done: certificate, bucket, distribution, records, and the checks between them');

  heading('2. What a sender would see of it, before anything is deployed');
  tell('the template is served on loopback (its edge function, its file, its DNS records), and verified as a sender does:');
  const real = HOSTS.flatMap((host) => ['--mx', `${host}=127.0.0.1`]);
  const preview = ['preview', '--app', app, '--verify'];
  command('node', ['bin/mta-sts.js', 'preview', '--app', 'cdk.out', '--verify', ...real]);
  expectStatus(0, mtaSts('inherit', ...preview, ...real), 'the preview of a sound app');

  heading('3. A deliberate failure: mail moves to a host that the policy does not cover');
  tell(`in enforce mode senders would refuse to deliver to ${STRANGER}; the same check stops a deployment:`);
  const failing = [...preview, '--mx', `${STRANGER}=127.0.0.1`];
  command('node', ['bin/mta-sts.js', 'preview', '--app', 'cdk.out', '--verify', '--mx', `${STRANGER}=127.0.0.1`]);
  const shown = mtaSts('inherit', ...failing);
  expectStatus(1, shown, `the preview with the MX host ${STRANGER}`);
  expectOnlyUncovered(mtaSts('pipe', ...failing, '--format', 'json'));
  tell('');
  tell('exit status 1, as it should be: found here, not by the people who write to you');

  heading('What next');
  tell('see the whole template       npx cdk synth -c domain=example.com -c mx=google-workspace -c mode=testing');
  tell('put it live, testing first   npx cdk deploy -c domain=example.com -c mx=google-workspace -c mode=testing');
  tell('check any domain             node bin/mta-sts.js verify example.com');
  tell('use the construct            see README.md');
  tell('the same for real            npm run demo -- --real   (Linux, as root: cdk deploy to an emulator of AWS, mail by Postfix and chasquid)');
}

/** A program that breaks can end with status 1 as well: only the report itself shows that the right thing failed. */
function expectOnlyUncovered({ stdout }) {
  let errors;
  try {
    errors = JSON.parse(stdout).domains.flatMap(({ findings }) => findings).filter(({ severity }) => severity === 'error');
  } catch {
    throw new DemoError('the failing preview printed no report');
  }
  const unexpected = errors.find(({ code, message }) => code !== 'mx-not-covered' || !message.includes(STRANGER));
  if (errors.length === 0 || unexpected) {
    throw new DemoError(`expected the finding mx-not-covered for ${STRANGER} and no other error, got ${unexpected?.code ?? 'none'}`);
  }
}

function expectStatus(expected, { status, signal }, what) {
  if (status !== expected) throw new DemoError(`${what} ended with ${signal ?? `status ${status}`}, expected ${expected}`);
}

function mtaSts(stdout, ...args) {
  return spawnSync(process.execPath, [join(ROOT, 'bin', 'mta-sts.js'), ...args], { stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' });
}

/** The real command in a home of its own: whatever account this machine is logged in to, it takes no part. */
function cdk(...args) {
  const home = join(work, 'home');
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

/** The npm that runs this script, if one does. */
function npm(...args) {
  const { npm_execpath: path } = process.env;
  const options = { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] };
  const result = path === undefined ? spawnSync('npm', args, options) : spawnSync(process.execPath, [path, ...args], options);
  expectStatus(0, result, `npm ${args.join(' ')}`);
}
