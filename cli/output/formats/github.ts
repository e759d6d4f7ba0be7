// Annotations for GitHub Actions: workflow commands on standard output.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
import type { Severity } from '../../../lib/protocol/findings/finding';
import { safeText } from '../../../lib/util/safe-text';
import type { Deployment, VerificationResult, LiveFinding } from '../../../lib/verifier/result';
import type { Reporter, Totals } from '../reporter';
import { VERDICT_WORDS, pluralize } from '../summary';

type Command = 'error' | 'warning' | 'notice';

/** GitHub has no command for an undecided check. It is not an error, but must be visible: use a warning. */
const COMMANDS: Readonly<Record<Severity, Command>> = { error: 'error', unknown: 'warning', warning: 'warning', info: 'notice' };

/** Maximum number of annotations of each kind that GitHub shows for a step. It silently drops the others. */
const MAX_ANNOTATIONS = 10;

/** Longer than any message of ours. */
const MAX_TEXT_LENGTH = 2000;

/** Writes `--format github`: the first ten findings of each kind as commands, and the number of the others. */
export function githubFormat(): Reporter {
  const counts: Record<Command, number> = { error: 0, warning: 0, notice: 0 };
  const annotation = (domain: string, finding: LiveFinding): string => {
    const command = COMMANDS[finding.severity];
    counts[command] += 1;
    return counts[command] > MAX_ANNOTATIONS ? '' : `::${command} title=${escapeProperty(`${domain}: ${finding.code}`)}::${escapeData(annotationText(finding))}\n`;
  };
  const mxConflicts = (domain: string, { warnings = 'none' }: Deployment = {}): string => {
    if (warnings.startsWith('none')) return '';
    counts.warning += 1;
    return counts.warning > MAX_ANNOTATIONS ? '' : `::warning title=${escapeProperty(`${domain}: mail may be refused`)}::${escapeData(safeText(warnings, MAX_TEXT_LENGTH))}\n`;
  };
  return {
    head: () => '',
    body: (result) => [
      headline(result),
      mxConflicts(result.domain, result.deployment),
      ...result.findings.map((finding) => annotation(result.domain, finding)),
    ].join(''),
    tail: (totals) => `${droppedLine(counts)}${totalsLine(totals)}`,
  };
}

/** Holds no text of a server under verification, so it cannot be a workflow command. */
function headline({ domain, verdict }: VerificationResult): string {
  return `${safeText(domain)}: ${VERDICT_WORDS[verdict].word}\n`;
}

function droppedLine(counts: Readonly<Record<Command, number>>): string {
  const more = (Object.keys(counts) as Command[]).filter((command) => counts[command] > MAX_ANNOTATIONS)
    .map((command) => pluralize(counts[command] - MAX_ANNOTATIONS, command));
  return more.length === 0 ? '' : `and ${more.join(', ')} more: GitHub shows ${MAX_ANNOTATIONS} of each kind for a step; the job summary lists more\n`;
}

function totalsLine({ domains, verdicts }: Totals): string {
  return `${pluralize(domains, 'domain')}: ${verdicts.pass} pass, ${verdicts.fail} fail, ${verdicts.unknown} could not be decided\n`;
}

function annotationText({ severity, subject, message, evidence, time, fix, reference }: LiveFinding): string {
  const seen = evidence === undefined || time === undefined ? evidence : `${evidence} (${time})`;
  return [
    `${severity === 'unknown' ? 'could not be decided: ' : ''}${message}`,
    `about: ${subject}`,
    ...([['seen', seen], ['fix', fix], ['see', reference]] as const)
      .flatMap(([label, text]) => text === undefined || text === '' ? [] : [`${label}: ${text}`]),
  ].map((line) => safeText(line, MAX_TEXT_LENGTH)).join('\n');
}

/** Escapes the text after the `::` of a command. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Escapes the value of a property of a command. */
function escapeProperty(text: string): string {
  return escapeData(safeText(text, MAX_TEXT_LENGTH)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
