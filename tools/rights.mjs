// A part of `npm run docs`: writes the table of rights into docs/reference/security.md, and fails if a template has other rights.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { load } from './load.mjs';

process.env.CDK_VALIDATION ??= 'false';
const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
/** @type {typeof import('../test/support/rights.js')} */
const { RIGHTS, keyOf, rightsOf, rightsTable, templatesWithRights } = await load(['test/support/rights']);

const given = rightsOf(templatesWithRights(require('aws-cdk-lib'), require('../lib/index.js'))).map(keyOf);
const explained = RIGHTS.map(keyOf);
const missing = given.filter((right) => !explained.includes(right));
const gone = explained.filter((right) => !given.includes(right));
if (missing.length > 0 || gone.length > 0) {
  throw new Error(['test/support/rights.ts must list each right with its reason.', ...missing.map((right) => `without a reason: ${right}`), ...gone.map((right) => `not in a template: ${right}`)].join('\n'));
}
const page = `${root}docs/reference/security.md`;
const security = readFileSync(page, 'utf8');
if (!/<!-- rights -->\n[^]*<!-- \/rights -->/.test(security)) throw new Error(`${page} has no place for the rights: <!-- rights --> and <!-- /rights -->`);
writeFileSync(page, security.replace(/(?<=<!-- rights -->\n)[^]*(?=<!-- \/rights -->)/, () => rightsTable()));
