// What the README says of messages and codes is what the code says.
import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FINDINGS as TEXT_FINDINGS } from '../lib/protocol/findings';
import { LIVE_FINDINGS } from '../lib/verifier/findings';

const ROOT = join(__dirname, '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

describe('troubleshooting', () => {
  test.each([...Object.keys(LIVE_FINDINGS), ...Object.keys(TEXT_FINDINGS)])('explains the code %s', (code) => {
    expect(readme).toContain(`| \`${code}\` |`);
  });

  test('has no code that is not there', () => {
    const codes = [...readme.matchAll(/^\| `([a-z0-9-]+)` \| (?:error|unknown|warning|info) \|/gm)].map((match) => match[1]);
    expect(codes.filter((code) => !(code in LIVE_FINDINGS || code in TEXT_FINDINGS))).toEqual([]);
  });

  const sources = readdirSync(join(ROOT, 'lib/handler'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => readFileSync(join(ROOT, 'lib/handler', file), 'utf8').replace(/['`]\s*\+ ['`]/g, ''));
  const quoted = [...readme.matchAll(/^\| `(\.\.\. |)([a-z][^`]*)` \| (?:Preflight|Publication)/gm)].flatMap((match) => match[2].split(/ ?\.\.\. ?/));

  test.each(quoted.filter((part) => part !== ''))('quotes a failure as the function words it: %s', (part) => {
    expect(sources.some((source) => source.replace(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, '').includes(part) || source.includes(part))).toBe(true);
  });
});

test('every link to a file of the repository leads somewhere', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1]);
  expect(links.filter((link) => !readdirSync(join(ROOT, link, '..')).includes(link.split('/').pop() ?? ''))).toEqual([]);
});
