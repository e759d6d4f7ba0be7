// The page of findings agrees with the catalogue.
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FINDINGS as TEXT_FINDINGS } from '../../lib/protocol/findings/catalog';
import type { FindingKind } from '../../lib/protocol/findings/kind';
import { LIVE_FINDINGS } from '../../lib/verifier/findings';

const ROOT = join(__dirname, '..', '..');

const findings = readFileSync(join(ROOT, 'docs/reference/findings.md'), 'utf8');
const kinds: readonly [string, FindingKind][] = Object.entries({ ...LIVE_FINDINGS, ...TEXT_FINDINGS });

describe('docs/reference/findings.md', () => {
  test.each(kinds)('the page of findings explains %s below its own anchor', (code, { severity, meaning, impact, fix }) => {
    const [, section = ''] = findings.split(`\n### <a id="${code}"></a>\`${code}\`\n`);
    const [own = ''] = section.split('\n### ');
    expect(own.startsWith(`\n*${severity}* · [RFC `)).toBe(true);
    for (const sentence of [meaning, `- impact: ${impact}`, `- fix: ${fix}`]) expect(own).toContain(`\n${sentence}\n`);
  });

  test('the page of findings has only the codes of the catalogue, and links only to them', () => {
    const codes = [...findings.matchAll(/<a id="([^"]*)">/g)].map(([, code = '']) => code);
    expect([...codes].sort()).toEqual(kinds.map(([code]) => code).sort());
    const titles = [...findings.matchAll(/^## (.*)$/gm)].map(([, title = '']) => title.toLowerCase().replace(/[^a-z0-9 -]/g, '').replaceAll(' ', '-'));
    const links = [...findings.matchAll(/\]\(#([^)]*)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(kinds.length);
    expect(links.filter((link) => !codes.includes(link) && !titles.includes(link))).toEqual([]);
  });
});
