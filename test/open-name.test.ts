// The short name of the command has no owner in the registry of npm. A line that asks npm for it would run the package of a stranger.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Template } from 'aws-cdk-lib/assertions';
import { MtaSts, MtaStsPolicy } from '../lib';
import { run } from './support/command';
import { oneDomain, testStack } from './support/stack';

const ROOT = join(__dirname, '..');
const SHORT = 'mta-sts';

/** Commands that fetch a package, to run or to install it. */
const FETCH = [
  'npx', 'pnpx', 'bunx', 'bun x', 'bun add', 'npm exec', 'npm x', 'npm i', 'npm install', 'npm add', 'pnpm dlx', 'pnpm add', 'pnpm i', 'pnpm install',
  'yarn dlx', 'yarn add', 'yarn global add', 'deno run',
].map((words) => words.replace(' ', '\\s+(?:-\\S+\\s+)*')).join('|');
const OPEN_NAME = new RegExp(`(?<![\\w-])(?:${FETCH})(?:\\s+-\\S*(?:\\s+(?!-|${SHORT})[^\\s-]\\S*)?)*\\s+(?:npm:)?${SHORT}(?![\\w-]|\\.\\w|/)`, 'g');

/** Option that names the package. The name after it is then a program of that package. */
const PACKAGE = /\s(?:-p|--package)[=\s]+cdk-mta-sts(?:@\S*)?\s/;

function openNames(text: string): readonly string[] {
  const plain = text
    .replaceAll('&nbsp;', ' ')
    // Join texts in pieces, and lines of prose, comments, shells and YAML.
    .replace(/(['"`])\s*\+\s*\1/g, '')
    .replace(/\\?\r?\n[\s*#/>|+]*/g, ' ')
    // Remove the marks of lists of arguments, Markdown and HTML.
    .replace(/<[^<>]{0,40}>|['"`,[\]()*_\\]+/g, ' ');
  return [...plain.matchAll(OPEN_NAME)].map(([found]) => found).filter((found) => !PACKAGE.test(found));
}

describe('the search', () => {
  // The constant keeps the search from finding this file.
  const name = SHORT;

  test.each([
    `npx ${name}`, `npx ${name} verify example.com`, `npx -y ${name}`, `npx --yes ${name}@latest verify`, `npx --no-install ${name}`,
    `npx -- ${name}`, `npx --registry https://r.example ${name}`, `npx -p other ${name}`, `npm exec ${name}`, `npm exec -- ${name} verify`,
    `npm x ${name}`, `npm --silent exec ${name}`, `pnpm dlx ${name}`, `pnpx ${name}`, `yarn dlx ${name}`, `yarn dlx -q ${name}`, `bunx ${name}`,
    `bun x ${name}`, `deno run -A npm:${name}`, `npm install ${name}`, `npm i -g ${name}`, `npm install --global ${name}@1`, `pnpm add ${name}`,
    `yarn global add ${name}`, `run npx\n${name} verify`, `# run npx\n# ${name} verify`, ` * run npx\n * ${name} verify`, `> npx\n> ${name}`,
    `npx \\\n  ${name} verify`, `'npx ' + '${name}'`, `'npx '\n  + '${name} verify'`, `spawn('npx', ['${name}', 'verify'])`,
    `["npm", "exec", "--", "${name}"]`, `<code>npx ${name}</code>`, `**npx** \`${name}\``, `npx&nbsp;${name}`, `0 3 * * * npx ${name} verify`,
    `Use npx ${name}.`, `(npx ${name})`,
  ])('the search finds the short name in %j', (text) => {
    expect(openNames(text)).toHaveLength(1);
  });

  test.each([
    'npx cdk-mta-sts verify', 'npx --yes cdk-mta-sts@latest', `npx -p cdk-mta-sts ${name}`, `npx --package=cdk-mta-sts@1 ${name} verify`,
    'npm install cdk-mta-sts', `the command ${name}`, `npx cdk synth, then ${name} preview`,
    `npx curl https://${name}.example.com`, `npm install ${name}.tgz`, `npm run demo\n${name} verify`,
  ])('the search does not find the short name in %j', (text) => {
    expect(openNames(text)).toEqual([]);
  });
});

/** Returns the files of the folder, committed and built, without installed packages. */
function files(folder = ''): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = join(folder, entry.name);
    if (['.git', 'node_modules', 'coverage'].includes(entry.name)) return [];
    return entry.isDirectory() ? files(name) : [name];
  });
}

/** Returns the text of a file. An assembly of jsii is unpacked, and a binary file has no text. */
function textOf(name: string): string {
  const bytes = readFileSync(join(ROOT, name));
  const plain = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  return plain.includes(0) ? '' : plain.toString('utf8');
}

test('no committed or published file asks npm for the short name', () => {
  const all = files();
  for (const one of ['README.md', 'bin/mta-sts.js', 'lib/functions/deployment/bundle/index.js', '.jsii.gz', 'package.json']) expect(all).toContain(one);
  const found = all.flatMap((name) => openNames(textOf(name)).map((text) => `${name}: ${text}`));
  expect(found).toEqual([]);
});

test('no template asks npm for the short name', () => {
  const stack = testStack();
  oneDomain(stack);
  new MtaSts(stack, 'ExternalDns', { domainName: 'example.net', policy: MtaStsPolicy.none() });
  expect(openNames(JSON.stringify(Template.fromStack(stack).toJSON()))).toEqual([]);
});

describe('the help', () => {
  test.each([
    [], ['verify'], ['lint'], ['lint', 'policy'], ['lint', 'record'], ['lint', 'tls-rpt'], ['match'], ['preview'], ['explain'], ['suggest'], ['records'],
  ])('the help of %j %j uses the name of the package', async (...command) => {
    const { stdout } = await run([...command, '--help']);
    expect(stdout).toMatch(new RegExp(`^Usage: npx cdk-mta-sts ${command.map((word) => `${word} `).join('')}`));
    expect(openNames(stdout)).toEqual([]);
  });
});

describe('the installed package', () => {
  let project: string;

  /** Runs npm without a network: it has only the archive. */
  const npm = (program: 'npm' | 'npx', ...args: readonly string[]): string => {
    const env = { ...process.env, npm_config_offline: 'true' };
    return execFileSync(program, args, { cwd: project, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  };

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'installed-'));
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
      cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
    });
    const archives = (JSON.parse(packed) as { filename: string }[]).map(({ filename }) => join(project, filename));
    npm('npm', 'install', '--legacy-peer-deps', '--no-audit', '--no-fund', ...archives);
  });

  afterAll(() => {
    rmSync(project, { recursive: true });
  });

  test.each(['cdk-mta-sts', SHORT])('npx runs the command of the installed package as %s, with the same help', (name) => {
    expect(npm('npx', '--no', '--', name, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(npm('npx', '--no', '--', name, '--help')).toMatch(/^Usage: npx cdk-mta-sts \[options\] \[command\]\n/);
  });
});
