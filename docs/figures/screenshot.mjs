// Opens HTML results in Chromium, wide and narrow, light and dark, and asserts the properties that only a browser shows. A step of .ci/run.
// `--write` writes the pictures of docs/command/verify.md.
import { deepStrictEqual, ok } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { load } from '../../tools/load.mjs';
import { facts } from './page-facts.mjs';

/**
 * @import { Browser } from 'playwright-core'
 * @import { VerificationResult } from '../../lib/verifier/result.js'
 *
 * @typedef {{ page: string, results: readonly VerificationResult[] }} Showcase - a page and the results that it must show
 * @typedef {Readonly<Record<'good' | 'failing' | 'both', Showcase>>} Showcases
 *
 * @typedef {object} View
 * @property {string} name
 * @property {number} width - in CSS pixels
 * @property {'light' | 'dark'} colorScheme
 */

const FIGURES = fileURLToPath(new URL('.', import.meta.url));
const [flag] = process.argv.slice(2);

/** Minimum contrast ratio of texts and marks (WCAG 2.2, 1.4.3). */
const MIN_CONTRAST = 4.5;

/** Maximum size of a committed picture, so that a clone stays quick. */
const MAX_PICTURE_BYTES = 300 * 1024;

/** @type {readonly View[]} */
const VIEWS = [
  { name: 'desktop-light', width: 1280, colorScheme: 'light' },
  { name: 'desktop-dark', width: 1280, colorScheme: 'dark' },
  { name: 'phone-light', width: 390, colorScheme: 'light' },
  { name: 'phone-dark', width: 390, colorScheme: 'dark' },
];

const work = mkdtempSync(join(tmpdir(), 'mta-sts-screenshot-'));
try {
  const pages = await showcases();
  const browser = await launch();
  try {
    for (const [name, showcase] of Object.entries(pages)) await checkViews(browser, name, showcase);
    if (flag === '--write') await write(browser, pathToFileURL(join(work, 'failing.html')).href);
  } finally {
    await browser.close();
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * Returns pages of real verifications of domains on loopback, by the code of this working copy.
 *
 * @returns {Promise<Showcases>}
 */
async function showcases() {
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  /** @type {{ showcases(): Promise<Showcases> }} */
  const module = await load(['test/support/showcase'], { 'process.env.MTA_STS_VERSION': JSON.stringify(version) });
  const made = await module.showcases();
  deepStrictEqual(made.good.results.map(({ verdict }) => verdict), ['pass']);
  deepStrictEqual(made.failing.results.map(({ verdict }) => verdict), ['fail']);
  return made;
}

/**
 * Asserts the properties of a page in every view.
 *
 * @param {Browser} browser
 * @param {string} name
 * @param {Showcase} showcase
 */
async function checkViews(browser, name, showcase) {
  const file = join(work, `${name}.html`);
  writeFileSync(file, showcase.page);
  /** @type {Map<string, string>} */
  const backgrounds = new Map();
  for (const view of VIEWS) backgrounds.set(view.name, await check(browser, name, showcase, pathToFileURL(file).href, view));
  ok(backgrounds.get('desktop-light') !== backgrounds.get('desktop-dark'), `${name}: the page has the same background in light and dark mode`);
  console.log(`${name}: ${VIEWS.length} views are correct`);
}

/**
 * Opens a page and asserts its properties.
 *
 * @param {Browser} browser
 * @param {string} name
 * @param {Showcase} showcase
 * @param {string} url
 * @param {View} view
 * @returns {Promise<string>} the background colour
 */
async function check(browser, name, { results }, url, { name: view, width, colorScheme }) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  /** @type {string[]} */
  const problems = [];
  page.on('console', (message) => problems.push(`${message.type()} on the console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`error in the page: ${error.message}`));
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
  deepStrictEqual(seen.pictures.length, shown.length, `${where}: each domain must have one visible picture`);
  for (const [at, { mx, recordObservations }] of shown.entries()) {
    const words = seen.pictures[at] ?? '';
    for (const text of ['good', ...mx.map(({ host }) => host), ...recordObservations.map(({ at: server }) => server.replace(/^the | \(.*/g, ''))]) {
      ok(words.includes(text), `${where}: the picture does not show ${text}`);
    }
  }
  const messages = shown.flatMap(({ findings }) => findings).map(({ message }) => message.replaceAll('`', ''));
  deepStrictEqual(seen.findings, messages, `${where}: the visible findings`);
  ok(seen.contrasts.length > 20, `${where}: only ${seen.contrasts.length} texts were measured`);
  const faint = seen.contrasts.filter(({ ratio }) => ratio < MIN_CONTRAST);
  deepStrictEqual(faint, [], `${where}: too little contrast`);
  return seen.background;
}

/**
 * Writes pictures of the top of the failing page: the verdict, the picture and the first findings.
 *
 * @param {Browser} browser
 * @param {string} url
 */
async function write(browser, url) {
  for (const { file, width, height, colorScheme, scale } of /** @type {const} */ ([
    { file: 'report.png', width: 1280, height: 1420, colorScheme: 'light', scale: 1 },
    { file: 'report-phone-dark.png', width: 390, height: 1560, colorScheme: 'dark', scale: 1.5 },
  ])) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: scale });
    const page = await context.newPage();
    await page.goto(url, { waitUntil: 'load' });
    const path = join(FIGURES, file);
    await page.screenshot({ path });
    await context.close();
    const { size } = statSync(path);
    ok(size < MAX_PICTURE_BYTES, `${file} has ${size} bytes, more than ${MAX_PICTURE_BYTES}`);
    console.log(`docs/figures/${file}: ${size} bytes`);
  }
}
