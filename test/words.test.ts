// The words of the glossary (docs/contribute/glossary.md) are used everywhere. Old and invented words do not come back.
import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const ROOT = join(__dirname, '..');

/** Old words, each with the word of the glossary that replaces it. */
const OLD_WORDS: readonly (readonly [old: RegExp, word: string])[] = [
  [/\bworlds?\b/i, 'network, services'],
  [/standing\b(?<!outstanding)(?<!understanding)(?<!notwithstanding)/i, 'status, mark, TLS state'],
  [/\btold\b/i, 'reported, attributes, known'],
  [/\bdissent/i, 'sender quirk'],
  [/\bharm(?:s|ed|ful|less)?\b/i, 'impact'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/\bjudge(?:d|s|ment|ments)?\b|\bjudgement/i, 'classify, classification'],
  [/\bforgiv/i, 'ignored failure'],
  [/\bfaulty\b/i, 'failed'],
  [/\bledgers?\b/i, 'publication history'],
  [/\bannouncements?\b|\bannounc(?:e|es|ed|ing)\b/i, 'publish the `_mta-sts` TXT record'],
  [/\bpatien(?:t|ce|tly)/i, 'retry options'],
  [/\bclimb/i, 'parent names'],
  [/\bby hand\b/i, 'manually'],
  [/\bDNS (?:is )?elsewhere\b/i, 'external DNS'],
  [/\brefusals\b/i, 'mx conflicts'],
  [/\b(?:LONGEST|MOST)_[A-Z]/, 'MAX_..., with the unit'],
  [/\bforetold\b|\bspells?\b|\bleaps?\b/i, 'predicted, fault window, clock skew'],
  [/\bbegun anew\b/i, 'restarted'],
];

/** Places where an old word is a name that must not change, or part of one. */
const NAMES: readonly RegExp[] = [
  // The logical id of the TXT record, and the folder of the history in the bucket.
  /\bAnnouncement\b/g, /\bledgers?\//g,
  // A property of the Publication, the description of an output, and a code.
  /\bLedger(?=\??:)/g, / to make by hand, _mta-sts last/g, /policy-unannounced/g,
];

/** Documents that quote old words on purpose: history and upgrade notes. */
const QUOTING = ['docs/upgrade.md'];

const FILES = ['lib', 'cli', 'bin', 'docs']
  .flatMap((top) => readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /(?<!\.d)\.(?:ts|md)$/.test(entry.name))
  .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
  .filter((file) => !QUOTING.includes(file))
  .sort();

describe('no file uses a word that the glossary has replaced', () => {
  test.each(FILES)('%s uses the words of the glossary', (file) => {
    const text = NAMES.reduce((rest, name) => rest.replace(name, ''), readFileSync(join(ROOT, file), 'utf8'));
    expect(text.split('\n').flatMap((line, index) => oldWords(line).map((word) => `${index + 1}: ${word}`))).toEqual([]);
  });
});

test('the check of words finds an old word in a comment and in a name', () => {
  expect(oldWords('// What the world is told.')).toEqual(['world: write network, services', 'told: write reported, attributes, known']);
  expect(oldWords('const MOST_HOSTS = 3;')).toEqual(['MOST_H: write MAX_..., with the unit']);
  expect(oldWords('An outstanding question of understanding.')).toEqual([]);
});

/** Returns the old words of a line, each with its replacement. */
function oldWords(line: string): readonly string[] {
  return OLD_WORDS.flatMap(([old, word]) => {
    const found = old.exec(line);
    return found === null ? [] : [`${found[0]}: write ${word}`];
  });
}
