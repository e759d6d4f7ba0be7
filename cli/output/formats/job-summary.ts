// Writes the job summary of GitHub Actions: Markdown for the file of GITHUB_STEP_SUMMARY.
import { safeText } from '../../../lib/util/safe-text';
import type { VerificationResult, LiveFinding } from '../../../lib/verifier/result';
import type { Reporter, Totals } from '../reporter';
import { VERDICT_WORDS, policySummary, pluralize, summarize } from '../summary';

/** GitHub rejects the summary of a step if it is larger than 1 MiB. Other programs may write to the same summary. */
const MAX_SUMMARY_BYTES = 900 * 1024;

/** Maximum number of findings of one domain. */
const MAX_FINDINGS = 50;

/** Longer than any message of ours. */
const MAX_TEXT_LENGTH = 1000;

/** Writes a section for each domain with findings, and a heading for every other domain. */
export function jobSummaryFormat(): Reporter {
  let bytes = 0;
  let omitted = 0;
  const withinLimit = (text: string): string => {
    bytes += Buffer.byteLength(text);
    if (bytes <= MAX_SUMMARY_BYTES) return text;
    // After the first domain that does not fit, leave out all others too.
    bytes = MAX_SUMMARY_BYTES;
    omitted += 1;
    return '';
  };
  return {
    head: () => withinLimit('## MTA-STS\n\n'),
    body: (result) => omitted > 0 ? withinLimit('more') : withinLimit(section(result)),
    tail: (totals) => `${omitted > 0 ? `${pluralize(omitted, 'more domain')} would not fit into this summary.\n\n` : ''}${totalsLine(totals)}`,
  };
}

const EMOJI: Readonly<Record<string, string>> = { pass: '✅', fail: '❌', unknown: '❔', error: '❌', warning: '⚠️', info: 'ℹ️' };

function section(result: VerificationResult): string {
  const { domain, verdict, findings } = result;
  const heading = `${EMOJI[verdict]} ${escapeMarkdown(domain)}: ${VERDICT_WORDS[verdict].word}`;
  if (findings.length === 0) return `### ${heading}\n\n`;
  const rows = findings.slice(0, MAX_FINDINGS).map(row);
  const more = findings.length - MAX_FINDINGS;
  return [
    `### ${heading}`,
    '',
    `${escapeMarkdown(policySummary(result))}; ${escapeMarkdown(summarize(result).delivery.text)}.`,
    '',
    '| | code | what | how to fix it | see |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    ...more > 0 ? [`and ${pluralize(more, 'finding')} more`, ''] : [],
    '',
  ].join('\n');
}

function row({ severity, code, message, evidence, fix = '', reference = '' }: LiveFinding): string {
  const what = evidence === undefined ? escapeMarkdown(message) : `${escapeMarkdown(message)}<br><sub>${escapeMarkdown(evidence)}</sub>`;
  return `| ${EMOJI[severity]} ${severity} | ${escapeMarkdown(code)} | ${what} | ${escapeMarkdown(fix)} | ${escapeMarkdown(reference)} |`;
}

function totalsLine({ domains, verdicts }: Totals): string {
  return `**${pluralize(domains, 'domain')}**: ${verdicts.pass} pass, ${verdicts.fail} fail, ${verdicts.unknown} could not be decided\n`;
}

/** Escapes every ASCII character that has a meaning in Markdown, HTML or a table (CommonMark §2.4). */
function escapeMarkdown(text: string): string {
  return breakLinks(safeText(text, MAX_TEXT_LENGTH)).replace(/[\\`*_{}[\]()#+!|~$@:-]/g, '\\$&')
    .replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    .replaceAll(BREAK, '<wbr>');
}

/** Marks a possible line break until the text is escaped. `safeText` leaves no such character. */
const BREAK = '\0';

/**
 * Breaks up text that GitHub would turn into links: addresses, mentions, issues and commits, even escaped ones, since it searches for mail
 * addresses after it removes backslashes. An invisible element inside the text prevents that.
 */
function breakLinks(text: string): string {
  return text
    .replaceAll('@', `@${BREAK}`)
    .replaceAll('://', `:${BREAK}//`)
    .replace(/(www)\./gi, `$1${BREAK}.`)
    .replace(/(mailto|xmpp):/gi, `$1:${BREAK}`)
    .replace(/#(?=\d)/g, `#${BREAK}`)
    .replace(/\b(GH|GHSA|CVE)-/gi, `$1-${BREAK}`)
    .replace(/:(?=[\w+-]+:)/g, `:${BREAK}`)
    .replace(/\b[0-9a-f]{7,40}\b/gi, (commit) => commit.replace(/.{6}(?=.)/g, `$&${BREAK}`));
}
