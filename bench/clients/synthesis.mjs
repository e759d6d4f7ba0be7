// Synthesizes one stack, and writes how long that took and how large the stack is.
// ours <folder> <domains>: `MtaStsDomains`. plain <folder> <assembly>: the resources of that assembly's stack, a `CfnResource` for each.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const STACK = 'Mail';

// By `require`: an import of a CommonJS module reads each of its exports, and CDK loads each service's module when it is first read.
const require = createRequire(import.meta.url);
const { App, CfnOutput, CfnResource, Stack, aws_route53: route53, aws_s3_assets: assets } = require('aws-cdk-lib');
const { MtaStsDomains, MtaStsPolicy, MxHosts, TlsReporting } = require('../../lib/index.js');

const json = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

function ours(stack, count) {
  const domains = Array.from({ length: Number(count) }, (_, at) => ({
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

function plain(stack, { Resources, Outputs }, folders) {
  // The code of the functions goes into the assembly here as well.
  folders.forEach((path, at) => new assets.Asset(stack, `Code${at}`, { path }));
  for (const [id, { Type: type, Properties: properties, ...attributes }] of Object.entries(Resources)) {
    const resource = new CfnResource(stack, id, { type, properties });
    resource.overrideLogicalId(id);
    for (const [name, value] of Object.entries(attributes)) resource.addOverride(name, value);
  }
  for (const [id, { Description: description, Value: value }] of Object.entries(Outputs)) {
    new CfnOutput(stack, `Output${id}`, { description, value }).overrideLogicalId(id);
  }
}

const [kind, outdir, of] = process.argv.slice(2);
const given = kind === 'plain' && {
  template: json(of, `${STACK}.template.json`),
  folders: Object.values(json(of, `${STACK}.assets.json`).files)
    .filter(({ source }) => source.packaging === 'zip')
    .map(({ source }) => join(of, source.path)),
};

const start = performance.now();
const app = new App({ outdir });
const stack = new Stack(app, STACK, { env: { account: '123456789012', region: 'us-east-1' } });
if (given) plain(stack, given.template, given.folders);
else ours(stack, of);
app.synth();
const seconds = (performance.now() - start) / 1000;

const file = join(outdir, `${STACK}.template.json`);
const { Resources } = json(file);
if (given && JSON.stringify(Resources) !== JSON.stringify(given.template.Resources)) throw new Error('the plain stack has other resources');
process.stdout.write(JSON.stringify({ seconds, resources: Object.keys(Resources).length, bytes: readFileSync(file).length }));
