// Writes results as an HTML page: one file without any request, for people who do not work at a terminal.
import { createHash } from 'node:crypto';
import type { VerificationResult, Verdict } from '../../../lib/verifier/result';
import { version } from '../../version';
import type { Reporter, Totals } from '../reporter';
import { icon, markDefinitions } from './html/marks';
import { text } from './html/markup';
import { section } from './html/section';
import { STYLE } from './html/style';
import { VERDICT_WORDS, pluralize } from '../summary';

/** Maximum number of domains in full. Domains that did not pass come first. */
const MAX_SECTIONS = 100;

/** Maximum number of domains in the index. */
const MAX_ENTRIES = 1000;

/** One domain of the index. */
interface Entry {
  readonly id: string;
  readonly domain: string;
  readonly verdict: Verdict;
  readonly errors: number;
  readonly warnings: number;
}

/** Writes `--format html`. The page begins with the totals, so the whole page is in the tail. The kept data is bounded. */
export function htmlFormat(): Reporter {
  const entries: Record<Verdict, Entry[]> = { fail: [], unknown: [], pass: [] };
  const results: Record<Verdict, Map<string, VerificationResult>> = { fail: new Map(), unknown: new Map(), pass: new Map() };
  let number = 0;
  return {
    head: () => '',
    body: (result) => {
      number += 1;
      const id = `d${number}`;
      const { verdict } = result;
      if (entries[verdict].length < MAX_ENTRIES) entries[verdict].push(createEntry(result, id));
      if (results[verdict].size < MAX_SECTIONS) results[verdict].set(id, result);
      return '';
    },
    tail: (totals) => {
      const named = WORST_FIRST.flatMap((verdict) => entries[verdict]).slice(0, MAX_ENTRIES);
      const shown = new Map(WORST_FIRST.flatMap((verdict) => [...results[verdict]]).slice(0, MAX_SECTIONS));
      return page(totals, named, shown);
    },
  };
}

const WORST_FIRST = ['fail', 'unknown', 'pass'] as const;

function createEntry({ domain, verdict, findings }: VerificationResult, id: string): Entry {
  const count = (wanted: string): number => findings.filter(({ severity }) => severity === wanted).length;
  return { id, domain, verdict, errors: count('error'), warnings: count('warning') };
}

/** Allows no script, no request, and no style sheet but this one. */
const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

function page(totals: Totals, entries: readonly Entry[], shown: ReadonlyMap<string, VerificationResult>): string {
  const [first] = entries;
  const isSingle = totals.domains === 1;
  const title = isSingle && first !== undefined ? `${first.domain}: ${VERDICT_WORDS[first.verdict].word}` : pluralize(totals.domains, 'domain');
  const sections = [...shown].map(([id, result]) => section(result, id, isSingle));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${text(CONTENT_SECURITY_POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>MTA-STS of ${text(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${markDefinitions()}
<main>
${isSingle ? '' : overview(totals, entries, shown)}${sections.join('')}</main>
<footer>Made by mta-sts ${text(version())}. It shows the state at the given time. DNS and servers can change at any time.</footer>
</body>
</html>
`;
}

function overview(totals: Totals, entries: readonly Entry[], shown: ReadonlyMap<string, VerificationResult>): string {
  const tiles = WORST_FIRST.map((verdict) => {
    const { mark, word } = VERDICT_WORDS[verdict];
    return `<div class="tile ${totals.verdicts[verdict] === 0 ? 'skipped' : mark}"><dt>${icon(mark)}${verdict === 'unknown' ? 'undecided' : word}</dt><dd>${totals.verdicts[verdict]}</dd></div>`;
  });
  const left = totals.domains - entries.length;
  return `<header class="overview"><p class="over">MTA-STS (RFC 8461)</p><h1>${totals.domains === 0 ? 'No domain was verified' : pluralize(totals.domains, 'domain')}</h1>
<dl class="tiles">${tiles.join('')}</dl></header>
${entries.length === 0 ? '' : index(entries, shown, left)}
`;
}

function index(entries: readonly Entry[], shown: ReadonlyMap<string, VerificationResult>, left: number): string {
  const list = entries.map((entry) => indexEntry(entry, shown)).join('');
  const more = left > 0 ? `<p class="left">and ${left} more; --format ndjson lists them all</p>` : '';
  return `<nav class="card" aria-label="Domains"><h2>Domains</h2><ul class="index">${list}</ul>${more}</nav>`;
}

function indexEntry({ id, domain, verdict, errors, warnings }: Entry, shown: ReadonlyMap<string, VerificationResult>): string {
  const { mark, word } = VERDICT_WORDS[verdict];
  const name = shown.has(id) ? `<a href="#${id}">${text(domain)}</a>` : text(domain);
  const found = [...errors > 0 ? [pluralize(errors, 'error')] : [], ...warnings > 0 ? [pluralize(warnings, 'warning')] : []];
  return `<li>${icon(mark)}<span class="name">${name}</span><span class="found">${[word, ...found].join(', ')}</span></li>`;
}
