// The job summary of GitHub Actions: Markdown that is appended to the file of GITHUB_STEP_SUMMARY.
import { safeText } from '../../../lib/util/safe-text';
import type { VerificationResult, LiveFinding } from '../../../lib/verifier/result';
import type { Reporter, Totals } from '../reporter';
import { VERDICTS, policySummary, plural, summarize } from '../summary';

/** GitHub refuses the summary of a step that is larger than 1 MiB; others may write to the same one. In bytes. */
const MOST_BYTES = 900 * 1024;

/** Findings that are listed for one domain. */
const MOST_FINDINGS = 50;

/** Longer than any message of ours. */
const LONGEST = 1000;

/** A section for each domain that did not pass or has findings, a line for each other one. */
export function jobSummaryFormat(): Reporter {
  let bytes = 0;
  let left = 0;
  const bounded = (text: string): string => {
    bytes += Buffer.byteLength(text);
    if (bytes <= MOST_BYTES) return text;
    // One that is left out must not be followed by one that fits.
    bytes = MOST_BYTES;
    left += 1;
    return '';
  };
  return {
    head: () => bounded('## MTA-STS\n\n'),
    report: (result) => left > 0 ? bounded('more') : bounded(section(result)),
    tail: (totals) => `${left > 0 ? `${plural(left, 'more domain')} would not fit into this summary.\n\n` : ''}${totalsLine(totals)}`,
  };
}

const EMOJI: Readonly<Record<string, string>> = { pass: '✅', fail: '❌', unknown: '❔', error: '❌', warning: '⚠️', info: 'ℹ️' };

function section(result: VerificationResult): string {
  const { domain, verdict, findings } = result;
  const heading = `${EMOJI[verdict]} ${escaped(domain)}: ${VERDICTS[verdict].word}`;
  if (findings.length === 0) return `### ${heading}\n\n`;
  const rows = findings.slice(0, MOST_FINDINGS).map(row);
  const more = findings.length - MOST_FINDINGS;
  return [
    `### ${heading}`,
    '',
    `${escaped(policySummary(result))}; ${escaped(summarize(result).delivery.text)}.`,
    '',
    '| | code | what | how to mend it | see |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    ...more > 0 ? [`and ${plural(more, 'finding')} more`, ''] : [],
    '',
  ].join('\n');
}

function row({ severity, code, message, evidence, fix = '', reference = '' }: LiveFinding): string {
  const what = evidence === undefined ? escaped(message) : `${escaped(message)}<br><sub>${escaped(evidence)}</sub>`;
  return `| ${EMOJI[severity]} ${severity} | ${escaped(code)} | ${what} | ${escaped(fix)} | ${escaped(reference)} |`;
}

function totalsLine({ domains, verdicts }: Totals): string {
  return `**${plural(domains, 'domain')}**: ${verdicts.pass} pass, ${verdicts.fail} fail, ${verdicts.unknown} could not be decided\n`;
}

/** Neither Markdown nor HTML nor the border of a table: every ASCII mark that means something there is escaped (CommonMark §2.4). */
function escaped(text: string): string {
  return broken(safeText(text, LONGEST)).replace(/[\\`*_{}[\]()#+!|~$@:-]/g, '\\$&')
    .replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    .replaceAll(BREAK, '<wbr>');
}

/** Stands for a place where a line may break, until all else is escaped; `printable` leaves no such character. */
const BREAK = '\0';

/**
 * GitHub makes links of addresses, mentions, issues and commits, escaped or not: a mail address is looked for after backslashes are gone.
 * An element inside keeps each from being one, and shows nothing.
 */
function broken(text: string): string {
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
