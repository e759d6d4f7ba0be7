// A part of `npm run docs`: writes docs/findings.md, and the README's table of errors between its two markers, from the catalogue.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { AREAS, sectionsOf } = await catalogue();

writeFileSync(`${root}docs/findings.md`, findings());
const readme = readFileSync(`${root}README.md`, 'utf8');
if (!/<!-- codes -->\n[^]*<!-- \/codes -->/.test(readme)) throw new Error('README.md has no place for the codes: <!-- codes --> and <!-- /codes -->');
writeFileSync(`${root}README.md`, readme.replace(/(<!-- codes -->\n)[^]*(?=<!-- \/codes -->)/, (_, marker) => `${marker}${errors()}`));

/** The command's own catalogue, as JavaScript. */
async function catalogue() {
  const { outputFiles } = await build({
    absWorkingDir: root, entryPoints: ['cli/catalog.ts'], bundle: true, write: false, platform: 'node', format: 'esm',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** The whole page. */
function findings() {
  const contents = AREAS.map(({ title, codes }) => [
    `- [${title}](#${anchor(title)}): ${codes.map(({ code }) => `[\`${code}\`](#${code})`).join(', ')}`,
  ].join('\n'));
  return `<!-- Written by \`npm run docs\` from the catalogue of findings; edit that, not this. -->

# Findings

Every code that \`mta-sts verify\`, \`mta-sts lint\` and the deployment's verification can report; \`mta-sts explain <code>\` prints one. Codes are
stable. Where RFC 8460 §4.3 has a result type for a failure, that is the code.

| severity | what it means |
|---|---|
| \`error\` | senders ignore the policy, or refuse mail |
| \`unknown\` | could not be decided from here |
| \`warning\` | valid, but some real sender reads it otherwise, or it will hurt later |
| \`info\` | worth knowing |

The severity is that of the rule: a finding can have another one where the circumstances make it less, or more.

${contents.join('\n')}

${AREAS.map(area).join('\n')}`;
}

function area({ title, codes }) {
  return `## ${title}\n\n${codes.map(section).join('\n')}`;
}

function section({ code, severity, meaning, harm, fix, reference, dissent }) {
  return [
    // Headings have an anchor of their own on most sites, but not on all.
    `### <a id="${code}"></a>\`${code}\``,
    '',
    `*${severity}* · ${linked(reference)}`,
    '',
    meaning,
    '',
    `- harm: ${harm}`,
    `- fix: ${fix}`,
    ...dissent.map(({ senders, effect }) => `- senders: ${senders.join(', ')}: ${effect}`),
    '',
  ].join('\n');
}

/** `RFC 8461 §3.1 and §8.1`, each section a link. */
function linked(reference) {
  const urls = sectionsOf(reference).map(({ url }) => url);
  return reference.replace(/(?:RFC \d+ )?§[0-9.]*[0-9]/g, (name) => `[${name}](${urls.shift()})`);
}

/** As GitHub makes it of a heading. */
function anchor(title) {
  return title.toLowerCase().replace(/[^a-z0-9 -]/g, '').replaceAll(' ', '-');
}

/** What the README has of it: the errors of a live domain. */
function errors() {
  const codes = AREAS.filter(({ live }) => live).flatMap((one) => one.codes).filter(({ severity }) => severity === 'error');
  const rows = codes.map(({ code, meaning, fix }) => `| [\`${code}\`](docs/findings.md#${code}) | ${cell(meaning)} | ${cell(fix)} |`);
  return `The errors of a live domain. [docs/findings.md](docs/findings.md) has every code, with its harm, its RFC section and the senders that
disagree, and \`mta-sts explain <code>\` prints one.

| code | what it means | how to mend it |
|---|---|---|
${rows.join('\n')}
`;
}

function cell(sentence) {
  return sentence.replaceAll('|', '\\|');
}
