// What the README and docs/reference/findings.md say of messages and codes is what the code says.
import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FINDINGS as TEXT_FINDINGS } from '../lib/protocol/findings/catalog';
import type { FindingKind } from '../lib/protocol/findings/catalog';
import { LIVE_FINDINGS } from '../lib/verifier/findings';

const ROOT = join(__dirname, '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

const findings = readFileSync(join(ROOT, 'docs/reference/findings.md'), 'utf8');
const kinds: readonly [string, FindingKind][] = Object.entries({ ...LIVE_FINDINGS, ...TEXT_FINDINGS });

describe('docs/reference/findings.md', () => {
  test.each(kinds)('explains the code %s at an anchor of its own', (code, { severity, meaning, impact, fix }) => {
    const [, section] = findings.split(`\n### <a id="${code}"></a>\`${code}\`\n`);
    const [own] = section.split('\n### ');
    expect(own.startsWith(`\n*${severity}* · [RFC `)).toBe(true);
    for (const sentence of [meaning, `- impact: ${impact}`, `- fix: ${fix}`]) expect(own).toContain(`\n${sentence}\n`);
  });

  test('has no code that is not there, and links only to what it has', () => {
    const codes = [...findings.matchAll(/<a id="([^"]*)">/g)].map((match) => match[1]);
    expect([...codes].sort()).toEqual(kinds.map(([code]) => code).sort());
    const titles = [...findings.matchAll(/^## (.*)$/gm)].map((match) => match[1].toLowerCase().replace(/[^a-z0-9 -]/g, '').replaceAll(' ', '-'));
    const links = [...findings.matchAll(/\]\(#([^)]*)\)/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(kinds.length);
    expect(links.filter((link) => !codes.includes(link) && !titles.includes(link))).toEqual([]);
  });
});

describe('troubleshooting', () => {
  test('has every error of a live domain, and no other code', () => {
    const errors = Object.entries<FindingKind>(LIVE_FINDINGS).filter(([, { severity }]) => severity === 'error').map(([code]) => code);
    const codes = [...readme.matchAll(/^\| \[`([a-z0-9-]+)`\]\(docs\/findings\.md#\1\) \|/gm)].map((match) => match[1]);
    expect([...codes].sort()).toEqual(errors.sort());
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
