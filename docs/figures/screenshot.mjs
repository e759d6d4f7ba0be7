// A step of .ci/run: opens the report as a page in Chromium, wide and narrow, light and dark, and asserts what nobody would see in text.
// `--write` writes the pictures of docs/command/verify.md to docs/figures.
import { deepStrictEqual, ok } from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { facts } from './page-facts.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const figures = join(root, 'docs', 'figures');
const [flag] = process.argv.slice(2);

/** What the text of the page and its marks must have against what lies below (WCAG 2.2, 1.4.3). */
const CONTRAST = 4.5;

/** Largest size of a committed picture, so that a clone stays quick. */
const MOST_BYTES = 300 * 1024;

const VIEWS = [
  { name: 'desktop-light', width: 1280, colorScheme: 'light' },
  { name: 'desktop-dark', width: 1280, colorScheme: 'dark' },
  { name: 'phone-light', width: 390, colorScheme: 'light' },
  { name: 'phone-dark', width: 390, colorScheme: 'dark' },
];

const work = mkdtempSync(join(tmpdir(), 'mta-sts-screenshot-'));
let browser;
try {
  const pages = await showcases();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync',
    ],
  });
  for (const [name, showcase] of Object.entries(pages)) {
    const file = join(work, `${name}.html`);
    writeFileSync(file, showcase.page);
    const backgrounds = {};
    for (const view of VIEWS) backgrounds[view.name] = await look(name, showcase, pathToFileURL(file).href, view);
    ok(backgrounds['desktop-light'] !== backgrounds['desktop-dark'], `${name}: the page is as dark by night as by day`);
    console.log(`${name}: ${VIEWS.length} views are as they should be`);
  }
  if (flag === '--write') await write(pathToFileURL(join(work, 'failing.html')).href);
} finally {
  await browser?.close();
  rmSync(work, { recursive: true, force: true });
}

/** Real verifications of domains on loopback, by the code of this working copy. */
async function showcases() {
  const outfile = join(work, 'showcase.cjs');
  await build({
    entryPoints: [join(root, 'test', 'support', 'showcase.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    logLevel: 'error',
    define: { 'process.env.MTA_STS_VERSION': JSON.stringify(createRequire(import.meta.url)('../package.json').version) },
  });
  const made = await createRequire(import.meta.url)(outfile).showcases();
  deepStrictEqual(made.good.results.map(({ verdict }) => verdict), ['pass']);
  deepStrictEqual(made.failing.results.map(({ verdict }) => verdict), ['fail']);
  return made;
}

/** Opens it and asserts; the colour that it lies on. */
async function look(name, { results }, url, { name: view, width, colorScheme }) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => problems.push(`${message.type()} on the console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`fault in the page: ${error.message}`));
  page.on('request', (request) => {
    if (request.url() !== url) problems.push(`request to ${request.url()}`);
  });
  await page.goto(url, { waitUntil: 'load' });
  const seen = await page.evaluate(facts);
  await page.screenshot({ path: join(work, `${name}-${view}.png`), fullPage: true });
  await context.close();

  const where = `${name}, ${view}`;
  deepStrictEqual(problems, [], where);
  ok(seen.width <= width, `${where}: the page is ${seen.width} px wide, wider than the screen`);
  deepStrictEqual(seen.outside, [], `${where}: text leaves its box or the screen`);
  deepStrictEqual(seen.headings, 1, `${where}: there must be one heading of the first level`);
  const shown = results.filter(({ verdict }) => results.length === 1 || verdict !== 'pass');
  deepStrictEqual(seen.pictures.length, shown.length, `${where}: each domain must have one picture that can be seen`);
  for (const [at, { mx, recordObservations }] of shown.entries()) {
    const words = seen.pictures[at];
    for (const text of ['good', ...mx.map(({ host }) => host), ...recordObservations.map((path) => path.at.replace(/^the | \(.*/g, ''))]) {
      ok(words.includes(text), `${where}: the picture does not show ${text}`);
    }
  }
  const messages = shown.flatMap(({ findings }) => findings).map(({ message }) => message.replaceAll('`', ''));
  deepStrictEqual(seen.findings, messages, `${where}: the findings that can be seen`);
  ok(seen.contrasts.length > 20, `${where}: only ${seen.contrasts.length} texts were measured`);
  const faint = seen.contrasts.filter(({ ratio }) => ratio < CONTRAST);
  deepStrictEqual(faint, [], `${where}: too little contrast`);
  return seen.background;
}

/** The top of the failing report, where the verdict, the picture and the first findings are. */
async function write(url) {
  mkdirSync(figures, { recursive: true });
  for (const { file, width, height, colorScheme, scale } of [
    { file: 'report.png', width: 1280, height: 1420, colorScheme: 'light', scale: 1 },
    { file: 'report-phone-dark.png', width: 390, height: 1560, colorScheme: 'dark', scale: 1.5 },
  ]) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: scale });
    const page = await context.newPage();
    await page.goto(url, { waitUntil: 'load' });
    const path = join(figures, file);
    await page.screenshot({ path });
    await context.close();
    const { size } = statSync(path);
    ok(size < MOST_BYTES, `${file} has ${size} bytes, more than ${MOST_BYTES}`);
    console.log(`docs/figures/${file}: ${size} bytes`);
  }
}
