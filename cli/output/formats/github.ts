// Annotations for GitHub Actions: workflow commands on standard output.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
import type { Severity } from '../../../lib/protocol/findings/finding';
import { safeText } from '../../../lib/util/safe-text';
import type { Deployment, VerificationResult, LiveFinding } from '../../../lib/verifier/result';
import type { Reporter, Totals } from '../reporter';
import { VERDICTS, plural } from '../summary';

type Command = 'error' | 'warning' | 'notice';

/** There is no command for what could not be decided; it must not pass unseen, but neither is it an error. */
const COMMANDS: Readonly<Record<Severity, Command>> = { error: 'error', unknown: 'warning', warning: 'warning', info: 'notice' };

/** GitHub shows this many of each kind for a step, and silently drops the others. */
const MOST = 10;

/** Longer than any message of ours. */
const LONGEST = 2000;

/** What `--format github` prints: the first ten of each kind as commands, and how many more there are. */
export function githubFormat(): Reporter {
  const counts: Record<Command, number> = { error: 0, warning: 0, notice: 0 };
  const annotation = (domain: string, finding: LiveFinding): string => {
    const command = COMMANDS[finding.severity];
    counts[command] += 1;
    return counts[command] > MOST ? '' : `::${command} title=${property(`${domain}: ${finding.code}`)}::${data(messageOf(finding))}\n`;
  };
  const refusals = (domain: string, { warnings = 'none' }: Deployment = {}): string => {
    if (warnings.startsWith('none')) return '';
    counts.warning += 1;
    return counts.warning > MOST ? '' : `::warning title=${property(`${domain}: mail may be refused`)}::${data(safeText(warnings, LONGEST))}\n`;
  };
  return {
    head: () => '',
    report: (result) => `${headline(result)}${refusals(result.domain, result.deployment)}${result.findings.map((finding) => annotation(result.domain, finding)).join('')}`,
    tail: (totals) => `${dropped(counts)}${totalsLine(totals)}`,
  };
}

/** Nothing of a stranger's stands in it, so it can be no command. */
function headline({ domain, verdict }: VerificationResult): string {
  return `${safeText(domain)}: ${VERDICTS[verdict].word}\n`;
}

function dropped(counts: Readonly<Record<Command, number>>): string {
  const more = (Object.keys(counts) as Command[]).filter((command) => counts[command] > MOST)
    .map((command) => plural(counts[command] - MOST, command));
  return more.length === 0 ? '' : `and ${more.join(', ')} more: GitHub shows ${MOST} of each kind for a step; the job summary lists more\n`;
}

function totalsLine({ domains, verdicts }: Totals): string {
  return `${plural(domains, 'domain')}: ${verdicts.pass} pass, ${verdicts.fail} fail, ${verdicts.unknown} could not be decided\n`;
}

function messageOf({ severity, subject, message, evidence, time, fix, reference }: LiveFinding): string {
  const seen = evidence === undefined || time === undefined ? evidence : `${evidence} (${time})`;
  return [
    `${severity === 'unknown' ? 'could not be decided: ' : ''}${message}`,
    `about: ${subject}`,
    ...([['seen', seen], ['fix', fix], ['see', reference]] as const)
      .flatMap(([label, text]) => text === undefined || text === '' ? [] : [`${label}: ${text}`]),
  ].map((line) => safeText(line, LONGEST)).join('\n');
}

/** What follows the `::` of a command. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** What stands behind the `=` of a command's property. */
function property(text: string): string {
  return data(safeText(text, LONGEST)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
