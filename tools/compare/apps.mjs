// Process: synthesizes apps with the library of one tree. `node apps.mjs <jobs.json>`
//
// A job is `{ name, outdir, env, file }` for an app that is JavaScript, or `{ name, outdir, env, source }` for TypeScript that imports
// `cdk-mta-sts`. The error of an app is written to `<outdir>/error.txt`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { transformSync } from 'esbuild';

/**
 * @typedef {{ name: string, outdir: string, env: Record<string, string>, file?: string, source?: string }} Job
 * @typedef {{ root: string, library: string, jobs: readonly Job[] }} Work
 */

/** @type {Work} */
const { root, library, jobs } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const load = createRequire(join(root, 'package.json'));

const ACCOUNT = '123456789012';
const given = { ...process.env };
// Each app synthesizes itself at the end of the process.
process.setMaxListeners(0);
for (const { name, outdir, env, file, source } of jobs) {
  process.env = { ...given, CDK_DEFAULT_ACCOUNT: ACCOUNT, CDK_VALIDATION: 'false', CDK_CONTEXT_JSON: '{}', ...env, CDK_OUTDIR: outdir };
  mkdirSync(outdir, { recursive: true });
  try {
    if (file !== undefined) {
      // The same app runs several times.
      delete load.cache[file];
      load(file);
    } else {
      runSource(source ?? '', name);
    }
  } catch (error) {
    writeFileSync(join(outdir, 'error.txt'), String(error).replaceAll(dirname(library), ''));
  }
}

/**
 * Runs TypeScript. An exported function `run` is a recipe, and gets the constructs that recipes use.
 *
 * @param {string} source
 * @param {string} filename
 */
function runSource(source, filename) {
  const { code } = transformSync(source, { loader: 'ts', format: 'cjs', target: 'es2022' });
  /** @type {{ exports: { run?: Function } }} */
  const module = { exports: {} };
  runInThisContext(`(function (module, exports, require) {${code}\n})`, { filename })(module, module.exports, (/** @type {string} */ wanted) =>
    load(wanted === 'cdk-mta-sts' ? library : wanted));
  const { run } = module.exports;
  if (run === undefined) return;
  const { App, Stack, aws_certificatemanager: acm, aws_route53: route53, aws_s3: s3 } = load('aws-cdk-lib');
  const stack = new Stack(new App(), 'Test', { env: { account: ACCOUNT, region: 'us-east-1' } });
  const bucket = new s3.Bucket(stack, 'Logs', { objectOwnership: s3.ObjectOwnership.OBJECT_WRITER });
  const certificate = acm.Certificate.fromCertificateArn(stack, 'Given', `arn:aws:acm:us-east-1:${ACCOUNT}:certificate/1`);
  const zone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone-example.com', { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName: 'example.com' });
  Reflect.apply(run, stack, [zone, bucket, certificate]);
}
