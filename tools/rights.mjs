// A part of `npm run docs`: writes the table of rights in SECURITY.md between its two markers, when it is what the template gives.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.env.CDK_VALIDATION ??= 'false';
const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const { RIGHTS, keyOf, rightsOf, rightsTable, templatesWithRights } = await rights();

const given = rightsOf(templatesWithRights(require('aws-cdk-lib'), require('../lib/index.js'))).map(keyOf);
const told = RIGHTS.map(keyOf);
const missing = given.filter((right) => !told.includes(right));
const gone = told.filter((right) => !given.includes(right));
if (missing.length > 0 || gone.length > 0) {
  throw new Error(['test/support/rights.ts must tell each right and its reason.', ...missing.map((right) => `without a reason: ${right}`), ...gone.map((right) => `no right any more: ${right}`)].join('\n'));
}
const security = readFileSync(`${root}SECURITY.md`, 'utf8');
if (!/<!-- rights -->\n[^]*<!-- \/rights -->/.test(security)) throw new Error('SECURITY.md has no place for the rights: <!-- rights --> and <!-- /rights -->');
writeFileSync(`${root}SECURITY.md`, security.replace(/(<!-- rights -->\n)[^]*(?=<!-- \/rights -->)/, (_, marker) => `${marker}${rightsTable()}`));

/** The reasons of the tests, as JavaScript. */
async function rights() {
  const { outputFiles } = await build({
    absWorkingDir: root, entryPoints: ['test/support/rights.ts'], bundle: true, write: false, platform: 'node', format: 'esm',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
