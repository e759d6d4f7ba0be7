// Writes the README's tables of codes from the catalogues of findings, between their two markers.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = `${root}README.md`;
const { outputFiles } = await build({
  stdin: {
    contents: 'export { LIVE_FINDINGS as live } from \'./lib/verifier/findings\'; export { FINDINGS as text } from \'./lib/protocol/findings\';',
    resolveDir: root,
  },
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  packages: 'external',
});
const { live, text } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);

const tables = `What \`mta-sts verify\` and the deployment's verification find on a live domain:

${table(live)}

<details>
<summary>What they and <code>mta-sts lint</code> find in a record or a policy file</summary>

${table(text)}

</details>
`;
const before = readFileSync(readme, 'utf8');
const after = before.replace(/(<!-- codes -->\n)[^]*(?=<!-- \/codes -->)/, (_, marker) => `${marker}${tables}`);
if (!before.includes('<!-- codes -->')) {
  throw new Error('README.md has no place for the codes: <!-- codes --> and <!-- /codes -->');
}
writeFileSync(readme, after);

/** Worst first, then by name. */
function table(findings) {
  const severities = ['error', 'unknown', 'warning', 'info'];
  const rows = Object.entries(findings)
    .sort(([a, one], [b, other]) => severities.indexOf(one.severity) - severities.indexOf(other.severity) || a.localeCompare(b))
    .map(([code, { severity, meaning, fix }]) => `| \`${code}\` | ${severity} | ${cell(meaning)} | ${cell(fix)} |`);
  return ['| code | severity | what it means | how to mend it |', '|---|---|---|---|', ...rows].join('\n');
}

function cell(sentence) {
  return sentence.replaceAll('|', '\\|');
}
