// Process: synthesizes one stack, and writes the time and the size of the stack.
// `ours <folder> <domains>` uses `MtaStsDomains`. `plain <folder> <assembly>` has a `CfnResource` for each resource of that assembly.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/**
 * @typedef {{ Type: string, Properties?: Record<string, unknown> } & Record<string, unknown>} Resource
 * @typedef {{ Resources: Record<string, Resource>, Outputs: Record<string, { Description?: string, Value: string }> }} Template
 * @typedef {{ template: Template, folders: readonly string[] }} Given
 *
 * @typedef {object} SynthesisResult - the output of the process
 * @property {number} seconds
 * @property {number} resources
 * @property {number} bytes - size of the template
 */

const STACK = 'Mail';

// By `require`: an import of a CommonJS module reads each of its exports, and CDK loads a service's module when it is read.
const require = createRequire(import.meta.url);
/** @type {typeof import('aws-cdk-lib')} */
const { App, CfnOutput, CfnResource, Stack, aws_route53: route53, aws_s3_assets: assets } = require('aws-cdk-lib');
/** @type {typeof import('../../lib/index.js')} */
const { MtaStsDomains, MtaStsPolicy, MxHosts, TlsReporting } = require('../../lib/index.js');

const [kind, outdir = '', source = ''] = process.argv.slice(2);
const given = kind === 'plain' ? readAssembly(source) : undefined;

const start = performance.now();
const app = new App({ outdir });
const stack = new Stack(app, STACK, { env: { account: '123456789012', region: 'us-east-1' } });
if (given) addPlain(stack, given);
else addOurs(stack, Number(source));
app.synth();
const seconds = (performance.now() - start) / 1000;

const file = join(outdir, `${STACK}.template.json`);
const { Resources } = readTemplate(file);
if (given && JSON.stringify(Resources) !== JSON.stringify(given.template.Resources)) throw new Error('the plain stack has other resources');
process.stdout.write(JSON.stringify({ seconds, resources: Object.keys(Resources).length, bytes: readFileSync(file).length }));

/**
 * @param {InstanceType<typeof Stack>} stack
 * @param {number} count - number of domains
 */
function addOurs(stack, count) {
  const domains = Array.from({ length: count }, (_, at) => ({
    hostedZone: route53.HostedZone.fromHostedZoneAttributes(stack, `Zone${at}`, {
      hostedZoneId: `Z${String(at).padStart(20, '0')}`, zoneName: `domain${at}.example`,
    }),
  }));
  new MtaStsDomains(stack, 'MtaSts', {
    domains,
    policy: MtaStsPolicy.enforce({ mx: MxHosts.googleWorkspace() }),
    tlsReporting: TlsReporting.to('mailto:tls-reports@example.com'),
  });
}

/**
 * @param {InstanceType<typeof Stack>} stack
 * @param {Given} given
 */
function addPlain(stack, { template, folders }) {
  // The code of the functions is an asset here too.
  folders.forEach((path, at) => new assets.Asset(stack, `Code${at}`, { path }));
  for (const [id, { Type: type, Properties: properties, ...attributes }] of Object.entries(template.Resources)) {
    const resource = new CfnResource(stack, id, { type, properties });
    resource.overrideLogicalId(id);
    for (const [name, value] of Object.entries(attributes)) resource.addOverride(name, value);
  }
  for (const [id, { Description: description, Value: value }] of Object.entries(template.Outputs)) {
    new CfnOutput(stack, `Output${id}`, { description, value }).overrideLogicalId(id);
  }
}

/**
 * @param {string} folder - a cloud assembly
 * @returns {Given}
 */
function readAssembly(folder) {
  /** @type {{ files: Record<string, { source: { packaging: string, path: string } }> }} */
  const { files } = JSON.parse(readFileSync(join(folder, `${STACK}.assets.json`), 'utf8'));
  const folders = Object.values(files).filter(({ source: { packaging } }) => packaging === 'zip').map(({ source: { path } }) => join(folder, path));
  return { template: readTemplate(join(folder, `${STACK}.template.json`)), folders };
}

/**
 * @param {string} path
 * @returns {Template}
 */
function readTemplate(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
