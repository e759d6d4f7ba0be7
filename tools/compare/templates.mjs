// Compares templates: synthesizes the same apps with both trees, and reads everything that decides about a deployment.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PATHS } from './settings.mjs';
import { find } from './trees.mjs';

const run = promisify(execFile);

const ZONE = { hostedZoneId: 'Z0123456789ABCDEFGHIJ' };
const MAIL = { domain: 'example.com', mx: 'google-workspace', mode: 'testing' };

/** Contexts of the app in cdk.json, by name. */
const CONTEXTS = {
  'enforce': { ...MAIL, ...ZONE, mode: 'enforce' },
  'testing': { ...MAIL, ...ZONE },
  'none': { ...MAIL, ...ZONE, mode: 'none' },
  ...Object.fromEntries(['microsoft-365', 'fastmail', 'proton-mail', 'icloud', 'zoho', 'cloudflare-email-routing', 'ses-inbound:eu-west-1']
    .map((mx) => [mx.replace(':', '-'), { ...MAIL, ...ZONE, mx }])),
  'own-hosts': { ...MAIL, ...ZONE, mx: 'mx1.example.com,*.backup.example.net' },
  'tls-reporting': { ...MAIL, ...ZONE, tlsReporting: 'mailto:tls-reports@example.com,https://reports.example.net/v1' },
  'max-age': { ...MAIL, ...ZONE, maxAgeDays: '30' },
  'zone-looked-up': MAIL,
  'subdomain': { ...MAIL, ...ZONE, domain: 'mail.example.com', zone: 'example.com' },
  'wrong-mode': { ...MAIL, ...ZONE, mode: 'strict' },
  'wrong-domain': { ...MAIL, ...ZONE, domain: 'a@example.com' },
};

/** Environments of the `integ.*` apps: without variables, and with the variables that their comments describe. */
const VARIANTS = { '': {}, '-none': { MTA_STS_MODE: 'none' }, '-nine': { MTA_STS_LISTED: '9' } };

/** The imports and the frame of a snippet that is a recipe, the same as in test/support/snippets.ts. */
const recipe = (/** @type {string} */ snippet) => `import {
  Aspects, Duration, RemovalPolicies, RemovalPolicy, Stack, Tags, Validations, aws_certificatemanager as acm, aws_cloudfront as cloudfront,
  aws_iam as iam, aws_kms as kms, aws_logs as logs, aws_route53 as route53, aws_s3 as s3,
} from 'aws-cdk-lib';
import { DelegatedMtaSts, MtaSts, MtaStsDomains, MtaStsPolicy, MxHosts, PolicyHost, TlsReporting, Verification } from 'cdk-mta-sts';
export function run(this: Stack, hostedZone: route53.IHostedZone, accessLogBucket: s3.IBucket, certificate: acm.ICertificate): void {
${snippet}
}`;

/** @typedef {{ readonly name: string, readonly env: object, readonly integ?: string, readonly source?: string }} AppSource */

/**
 * Returns the apps that both trees synthesize. Examples and snippets are from the earlier commit, since later documents may have others.
 *
 * @param {string} before - the tree of the earlier commit
 * @returns {AppSource[]}
 */
export function appsOf(before) {
  const integ = files(find(before, PATHS.integ)).filter((file) => /^integ\..*\.js$/.test(basename(file))).map((file) => basename(file));
  const examples = find(before, PATHS.examples);
  return [
    ...integ.flatMap((file) => Object.entries(VARIANTS).map(([variant, env]) => ({ name: `${file}${variant}`, env, integ: file }))),
    ...readdirSync(examples).filter((file) => file.endsWith('.ts')).map((file) => ({ name: file, env: {}, source: readFileSync(join(examples, file), 'utf8') })),
    ...snippets(before).map(({ name, code }) => ({ name, env: {}, source: /^import /m.test(code) ? code : recipe(code) })),
  ];
}

/** @param {string} root */
function snippets(root) {
  const documents = PATHS.documents.map((path) => join(root, path)).filter((path) => existsSync(path))
    .flatMap((path) => statSync(path).isDirectory() ? files(path).filter((file) => file.endsWith('.md')) : [path]);
  return documents.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)]
    .map(([, code = ''], at) => ({ name: `${relative(root, file).replaceAll('/', '-')}-${at + 1}`, code })));
}

/**
 * Synthesizes all apps with the library of one tree.
 *
 * @param {string} root
 * @param {readonly AppSource[]} apps
 * @param {string} work - a folder for the cloud assemblies
 * @returns {Promise<Map<string, string>>} by app and file: normalized templates, warnings and errors
 */
export async function synthesize(root, apps, work) {
  mkdirSync(work, { recursive: true });
  const integ = new Map(files(find(root, PATHS.integ)).map((file) => [basename(file), file]));
  const jobs = apps.map(({ name, env, integ: file, source }) => ({
    name, env, source, outdir: join(work, name), file: file === undefined ? undefined : integ.get(file) ?? `${root}/no/${file}`,
  }));
  const list = join(work, 'jobs.json');
  writeFileSync(list, JSON.stringify({ root, library: find(root, PATHS.library), jobs }));
  await run(process.execPath, [fileURLToPath(new URL('apps.mjs', import.meta.url)), list]);
  /** @type {{ app: string, context: object }} */
  const { app, context } = JSON.parse(readFileSync(find(root, PATHS.cdk), 'utf8'));
  for (const [name, more] of Object.entries(CONTEXTS)) {
    const outdir = join(work, `app-${name}`);
    mkdirSync(outdir);
    const env = { ...process.env, CDK_OUTDIR: outdir, CDK_DEFAULT_ACCOUNT: '123456789012', CDK_VALIDATION: 'false', CDK_CONTEXT_JSON: JSON.stringify({ ...context, ...more }) };
    await run('sh', ['-c', app], { cwd: root, env }).catch((/** @type {{ code: number }} */ { code }) => {
      writeFileSync(join(outdir, 'status.txt'), `exit status ${code}\n`);
    });
  }
  return new Map(readdirSync(work).filter((name) => name !== 'jobs.json').flatMap((name) => readAssembly(join(work, name)).map(([file, text]) => [`${name}/${file}`, text])));
}

/**
 * @param {string} folder - a cloud assembly
 * @returns {[file: string, text: string][]}
 */
function readAssembly(folder) {
  const all = files(folder).filter((file) => !/\/asset\.[0-9a-f]{64}\//.test(file));
  const ids = all.filter((file) => file.endsWith('.assets.json')).flatMap((file) => {
    /** @type {{ files?: Record<string, { displayName?: string }> }} */
    const { files: assets = {} } = JSON.parse(readFileSync(file, 'utf8'));
    return Object.entries(assets).map(([id, { displayName = 'asset' }]) => /** @type {const} */ ([id, displayName]));
  });
  return all.sort().flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const name = relative(folder, file);
    if (name.endsWith('.metadata.json')) return [[`${name} (warnings)`, warnings(JSON.parse(text))]];
    if (!/\.template\.json$|^(?:error|status)\.txt$/.test(name)) return [];
    const named = ids.reduce((all, [id, display]) => all.replaceAll(id, `<asset ${display}>`), text);
    // CDK Pipelines names the publication of an asset by its account, Region and another hash.
    return [[name, named.replaceAll(/(?<=:\d{12}-[a-z\d-]+-)[0-9a-f]{8}\b/g, '<hash>')]];
  });
}

/**
 * Returns the ids of the warnings of each construct. Their texts may differ.
 *
 * @param {Record<string, { type: string, data: unknown }[]>} metadata
 */
function warnings(metadata) {
  const lines = Object.entries(metadata).flatMap(([path, entries]) => entries.filter(({ type }) => /^aws:cdk:(?:warning|error|info)$/.test(type))
    .map(({ type, data }) => `${path} ${type} ${/\[ack: .*\]$/.exec(String(data))?.[0] ?? 'without id'}`));
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function files(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
