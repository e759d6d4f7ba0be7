// A part of `npm run docs`: writes docs/reference/findings.md from the catalogue of findings.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from './load.mjs';

/**
 * @import { Area, CodeEntry } from '../cli/catalog.js'
 */

/** @type {typeof import('../cli/catalog.js')} */
const { AREAS, sectionsOf } = await load(['cli/catalog']);

writeFileSync(fileURLToPath(new URL('../docs/reference/findings.md', import.meta.url)), findings());

/** Returns the whole page. */
function findings() {
  const contents = AREAS.map(({ title, codes }) => [
    `- [${title}](#${anchor(title)}): ${codes.map(({ code }) => `[\`${code}\`](#${code})`).join(', ')}`,
  ].join('\n'));
  return `<!-- Written by \`npm run docs\` from the catalogue of findings; edit that, not this. -->

# Findings

Every code that \`mta-sts verify\`, \`mta-sts lint\` and the verification of a
deployment can report. \`npx cdk-mta-sts explain <code>\` prints one of them. Codes
are stable. Where RFC 8460 §4.3 has a result type for a failure, that is the code.

| severity | what it means |
|---|---|
| \`error\` | senders ignore the policy, or refuse mail |
| \`unknown\` | this machine could not decide it |
| \`warning\` | valid, but some sender reads it differently, or it will cause a failure later |
| \`info\` | worth knowing |

The severity is the default of the code. A single finding can have a lower or a
higher one: for example, one failed address among several is a warning.

${contents.join('\n')}

${AREAS.map(area).join('\n')}`;
}

/** @param {Area} area */
function area({ title, codes }) {
  return `## ${title}\n\n${codes.map(section).join('\n')}`;
}

/** @param {CodeEntry} entry */
function section({ code, severity, meaning, impact, fix, reference, quirks }) {
  return [
    // Some renderers give a heading no anchor.
    `### <a id="${code}"></a>\`${code}\``,
    '',
    `*${severity}* · ${linked(reference)}`,
    '',
    meaning,
    '',
    `- impact: ${impact}`,
    `- fix: ${fix}`,
    ...quirks.map(({ senders, effect }) => `- senders: ${senders.join(', ')}: ${effect}`),
    '',
  ].join('\n');
}

/**
 * Turns each section of a reference such as `RFC 8461 §3.1 and §8.1` into a link.
 *
 * @param {string} reference
 */
function linked(reference) {
  const urls = sectionsOf(reference).map(({ url }) => url);
  return reference.replace(/(?:RFC \d+ )?§[0-9.]*[0-9]/g, (name) => `[${name}](${urls.shift()})`);
}

/**
 * Returns the anchor that GitHub gives to a heading.
 *
 * @param {string} title
 */
function anchor(title) {
  return title.toLowerCase().replace(/[^a-z0-9 -]/g, '').replaceAll(' ', '-');
}
