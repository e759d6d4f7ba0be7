// The report as a page: one file that asks nobody for anything, for people who do not work at a terminal.
import { createHash } from 'node:crypto';
import type { VerificationResult, Verdict } from '../../../lib/verifier/result';
import { version } from '../../version';
import type { Reporter, Totals } from '../reporter';
import { icon, markDefinitions } from './html/marks';
import { text } from './html/markup';
import { section } from './html/section';
import { STYLE } from './html/style';
import { VERDICTS, plural } from '../summary';

/** Domains that are shown in full, those that did not pass first. */
const MOST_SECTIONS = 100;

/** Domains that the index names. */
const MOST_ENTRIES = 1000;

/** What is kept of one domain until the page is written. */
interface Entry {
  readonly id: string;
  readonly domain: string;
  readonly verdict: Verdict;
  readonly errors: number;
  readonly warnings: number;
}

/** What `--format html` prints. The page begins with what is known only in the end, so it comes whole; what is kept is bounded. */
export function htmlFormat(): Reporter {
  const entries: Record<Verdict, Entry[]> = { fail: [], unknown: [], pass: [] };
  const reports: Record<Verdict, Map<string, VerificationResult>> = { fail: new Map(), unknown: new Map(), pass: new Map() };
  let number = 0;
  return {
    head: () => '',
    report: (result) => {
      number += 1;
      const id = `d${number}`;
      const { verdict } = result;
      if (entries[verdict].length < MOST_ENTRIES) entries[verdict].push(entryOf(result, id));
      if (reports[verdict].size < MOST_SECTIONS) reports[verdict].set(id, result);
      return '';
    },
    tail: (totals) => {
      const named = WORST_FIRST.flatMap((verdict) => entries[verdict]).slice(0, MOST_ENTRIES);
      const shown = new Map(WORST_FIRST.flatMap((verdict) => [...reports[verdict]]).slice(0, MOST_SECTIONS));
      return page(totals, named, shown);
    },
  };
}

const WORST_FIRST = ['fail', 'unknown', 'pass'] as const;

function entryOf({ domain, verdict, findings }: VerificationResult, id: string): Entry {
  const count = (wanted: string): number => findings.filter(({ severity }) => severity === wanted).length;
  return { id, domain, verdict, errors: count('error'), warnings: count('warning') };
}

/** No script, no request, no other style than this one. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

function page(totals: Totals, entries: readonly Entry[], shown: ReadonlyMap<string, VerificationResult>): string {
  const [only] = entries;
  const alone = totals.domains === 1;
  const title = alone ? `${only.domain}: ${VERDICTS[only.verdict].word}` : plural(totals.domains, 'domain');
  const sections = [...shown].map(([id, result]) => section(result, id, alone));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${text(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>MTA-STS of ${text(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${markDefinitions()}
<main>
${alone ? '' : overview(totals, entries, shown)}${sections.join('')}</main>
<footer>Made by mta-sts ${text(version())}. What a sender sees of a domain changes with DNS and with its servers: this was so at the time given.</footer>
</body>
</html>
`;
}

function overview(totals: Totals, entries: readonly Entry[], shown: ReadonlyMap<string, VerificationResult>): string {
  const tiles = WORST_FIRST.map((verdict) => {
    const { standing, word } = VERDICTS[verdict];
    return `<div class="tile ${totals.verdicts[verdict] === 0 ? 'skipped' : standing}"><dt>${icon(standing)}${verdict === 'unknown' ? 'undecided' : word}</dt><dd>${totals.verdicts[verdict]}</dd></div>`;
  });
  const left = totals.domains - entries.length;
  return `<header class="overview"><p class="over">MTA-STS (RFC 8461)</p><h1>${totals.domains === 0 ? 'No domain was verified' : plural(totals.domains, 'domain')}</h1>
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
  const { standing, word } = VERDICTS[verdict];
  const name = shown.has(id) ? `<a href="#${id}">${text(domain)}</a>` : text(domain);
  const found = [...errors > 0 ? [plural(errors, 'error')] : [], ...warnings > 0 ? [plural(warnings, 'warning')] : []];
  return `<li>${icon(standing)}<span class="name">${name}</span><span class="found">${[word, ...found].join(', ')}</span></li>`;
}
